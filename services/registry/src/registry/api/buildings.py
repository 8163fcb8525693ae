"""Buildings (实有房屋)."""

from contracts.registry import BuildingFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel

from registry.api.history import When, as_known
from registry.api.powers import Powers
from registry.api.views import as_held
from registry.domain.building import BUILDING
from registry.read_models.buildings import buildings, page
from registry.read_models.territory import territory

router = Router(prefix="/buildings", tags=["buildings"])


class BuildingRow(BaseModel):
    """A building in a list, with its address as one writes it."""

    building: str
    name: str
    kind: str
    floors: int
    built_year: int | None
    address: str
    written: str | None
    grid: str | None


@router.get("", power=Powers.READ_BUILDINGS)
async def all_buildings(
    call: Call, grid: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[BuildingRow]:
    """Buildings, of one grid if you name it."""
    await call.fresh(buildings, territory)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [BuildingRow(**row) for row in await page(call.db, grid, after, limit)]
    return Page[BuildingRow].of(rows, limit, lambda row: [row.building])


@router.get("/{building}", power=Powers.READ_BUILDINGS, response_model=BuildingFacts)
async def one_building(building: str, call: Call, when: When) -> Response:
    """A building by its id, now or as it was."""
    if when.now:
        return await call.read(BUILDING, building, as_held)
    found = await as_known(call, BUILDING, building, when)
    return Response(found.model_dump_json(), media_type="application/json")
