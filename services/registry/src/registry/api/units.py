"""Units (实有单位), without their telephone: it is often the owner's own."""

from datetime import date

from contracts.common import UnitCategory
from contracts.registry import UnitFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel

from registry.api.history import When, as_known
from registry.api.powers import Powers
from registry.api.views import as_held
from registry.domain.sources import Held
from registry.domain.unit import UNIT
from registry.read_models.territory import territory
from registry.read_models.units import page, units

router = Router(prefix="/units", tags=["units"])


class UnitView(BaseModel):
    """A unit."""

    unit: str
    name: str
    category: UnitCategory
    credit_code: str
    address: str
    licence: str
    licence_until: date | None
    staff: int | None
    beds: int | None
    fire_check_due: date | None
    safety_check_due: date | None
    closed: bool


class UnitRow(BaseModel):
    """A unit in a list, with its address as one writes it."""

    unit: str
    name: str
    category: UnitCategory
    credit_code: str
    address: str
    written: str | None
    grid: str | None


@router.get("", power=Powers.READ_UNITS)
async def all_units(
    call: Call,
    grid: str | None = None,
    category: UnitCategory | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[UnitRow]:
    """Units, of one grid or category if you name it."""
    await call.fresh(units, territory)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [UnitRow(**row) for row in await page(call.db, grid, category, after, limit)]
    return Page[UnitRow].of(rows, limit, lambda row: [row.unit])


@router.get("/{unit}", power=Powers.READ_UNITS, response_model=UnitView)
async def one_unit(unit: str, call: Call, when: When) -> Response:
    """A unit by its id, now or as it was."""
    if when.now:
        return await call.read(UNIT, unit, _without_telephone)
    view = UnitView.model_validate(await as_known(call, UNIT, unit, when), from_attributes=True)
    return Response(view.model_dump_json(), media_type="application/json")


def _without_telephone(held: Held[UnitFacts], version: int) -> UnitView:
    return UnitView.model_validate(as_held(held, version), from_attributes=True)
