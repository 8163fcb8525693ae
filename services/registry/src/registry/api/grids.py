"""Grids (网格): the map of the area, as GeoJSON."""

from typing import Annotated, Any, Literal

from contracts.common import Place, Title
from contracts.registry import GridFacts
from edge import Call, Router
from events import NotFound
from fastapi import Query
from pydantic import BaseModel

from registry.api.history import When
from registry.api.powers import Powers
from registry.domain.history import day_in_china
from registry.read_models.past import ground_of, past
from registry.read_models.territory import features, grids_at, territory
from registry.read_models.territory import grid as grid_now

router = Router(prefix="/grids", tags=["grids"])


class GridProperties(BaseModel):
    """What a grid is called."""

    code: str
    name_zh: str
    name_en: str


class Polygon(BaseModel):
    """One closed ring of longitude and latitude, WGS-84."""

    type: Literal["Polygon"]
    coordinates: list[list[tuple[float, float]]]


class GridFeature(BaseModel):
    """A grid."""

    type: Literal["Feature"]
    id: str
    properties: GridProperties
    geometry: Polygon


class GridCollection(BaseModel):
    """All grids: a GeoJSON FeatureCollection (RFC 7946)."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[GridFeature]


class GridAt(BaseModel):
    """The grid at a place."""

    grid: str


@router.get("", power=Powers.READ_GRIDS, response_model=GridCollection)
async def all_grids(call: Call) -> Any:
    """All grids, in the form that maps understand."""
    await call.fresh(territory)
    return {"features": await features(call.db)}


@router.get("/at", power=Powers.READ_GRIDS)
async def grid_at(
    call: Call,
    longitude: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    latitude: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
) -> GridAt:
    """The grid that looks after a place; 404 if none does."""
    await call.fresh(territory)
    [code] = await grids_at(call.db, [Place(longitude=longitude, latitude=latitude)])
    if code is None:
        raise NotFound("this place lies in no grid")
    return GridAt(grid=code)


@router.get("/{grid}", power=Powers.READ_GRIDS)
async def one_grid(grid: str, call: Call, when: When) -> GridFacts:
    """A grid by its code, now or as it was; its name is today's."""
    await call.fresh(territory, past)
    found = await grid_now(call.db, grid)
    if when.now:
        if found is None:
            raise NotFound("there is no grid of this code")
        return found
    ring = await ground_of(call.db, grid, when.as_of or day_in_china(call.now), when.known_at)
    if ring is None:
        raise NotFound("by what was known at that moment there was no such grid on that day")
    title = found.title if found else Title(zh=grid, en=grid)
    return GridFacts(grid=grid, title=title, boundary=list(ring), division_code=found and found.division_code)
