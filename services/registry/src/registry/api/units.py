"""Units (实有单位), without their telephone: it is often the owner's own."""

from contracts.common import UnitCategory
from contracts.registry import UnitFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel

from registry.api.powers import Powers
from registry.domain.unit import UNIT
from registry.read_models.addresses import addresses
from registry.read_models.units import page, units

router = Router(prefix="/units", tags=["units"])


class UnitView(BaseModel):
    """A unit."""

    unit: str
    name: str
    category: UnitCategory
    credit_code: str
    address: str


class UnitRow(UnitView):
    """A unit in a list, with its address as one writes it."""

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
    await call.fresh(units, addresses)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [UnitRow(**row) for row in await page(call.db, grid, category, after, limit)]
    return Page[UnitRow].of(rows, limit, lambda row: [row.unit])


@router.get("/{unit}", power=Powers.READ_UNITS, response_model=UnitView)
async def one_unit(unit: str, call: Call) -> Response:
    """A unit by its id."""
    return await call.read(UNIT, unit, _without_telephone)


def _without_telephone(known: UnitFacts | None, _version: int) -> UnitView:
    assert known is not None  # noqa: S101  # a unit with a version has been registered
    return UnitView(
        unit=known.unit,
        name=known.name,
        category=known.category,
        credit_code=known.credit_code,
        address=known.address,
    )
