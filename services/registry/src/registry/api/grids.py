"""Grids (网格): the map of the area, as GeoJSON."""

from typing import Annotated, Any, Literal

from contracts.common import Place
from contracts.registry import GridFacts
from edge import Call, Router
from events import NotFound
from fastapi import Query, Response
from pydantic import BaseModel

from registry.api.powers import Powers
from registry.api.views import as_known
from registry.domain.grid import GRID
from registry.read_models.grids import features, grids, grids_at

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
    await call.fresh(grids)
    return {"features": await features(call.db)}


@router.get("/at", power=Powers.READ_GRIDS)
async def grid_at(
    call: Call,
    longitude: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    latitude: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
) -> GridAt:
    """The grid that looks after a place; 404 if none does."""
    await call.fresh(grids)
    [code] = await grids_at(call.db, [Place(longitude=longitude, latitude=latitude)])
    if code is None:
        raise NotFound("this place lies in no grid")
    return GridAt(grid=code)


@router.get("/{grid}", power=Powers.READ_GRIDS, response_model=GridFacts)
async def one_grid(grid: str, call: Call) -> Response:
    """A grid by its code."""
    return await call.read(GRID, grid, as_known)
