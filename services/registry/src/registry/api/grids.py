"""Grids (网格): the map of the area, as GeoJSON."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from contracts.common import Place, Title
from contracts.registry import GridFacts
from edge import Call, Router
from events import NotFound
from fastapi import Query
from pydantic import BaseModel, Field

from registry.api.history import When
from registry.api.powers import Powers
from registry.domain.figures import summed, suppressed
from registry.domain.history import day_in_china
from registry.read_models.past import figures, ground_of, past
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


class People(BaseModel):
    """How many people, by residency and by age. None: too few to be told."""

    total: int | None
    by_residency: Mapping[str, int | None]
    by_age: Mapping[str, int | None] = Field(examples=[{"0-5": 12, "6-17": 30, "18-59": 210, "60-79": 40, "80+": None}])


class Figures(BaseModel):
    """A grid's figures (网格底数) on a day, as known at a moment."""

    grid: str
    as_of: date
    known_at: datetime
    people: People
    households: int | None
    addresses: int
    buildings: dict[str, int]
    units: dict[str, int]
    suppressed: bool = Field(
        description="Whether figures below 5 are left out, and others by which they could be found"
    )


@router.get("/{grid}/counts", power=Powers.READ_COUNTS)
async def counts_of(grid: str, call: Call, when: When) -> Figures:
    """How many people, households, buildings and units are in a grid, or were on any day, as known at any moment.
    Small figures are for those who look after the grid (`counts.exact`)."""
    await call.fresh(past)
    day, known_at = when.as_of or day_in_china(call.now), when.known_at or call.now
    found = await figures(call.db, grid, day, when.known_at)
    if found is None:
        raise NotFound("by what was known at that moment there was no such grid on that day")
    exact = await call.may(Powers.EXACT_COUNTS)
    open_ = exact is not None and exact.reaches(grid)
    residencies, ages = (summed((it for it in found if it.what == "people"), by) for by in ("kind", "band"))
    total = {"": sum(residencies.values())}
    households = summed((it for it in found if it.what == "households"), "what")
    shown: list[Mapping[str, int | None]] = [
        it if open_ else suppressed(it) for it in (total, residencies, ages, households)
    ]
    return Figures(
        grid=grid,
        as_of=day,
        known_at=known_at,
        people=People(total=shown[0][""], by_residency=shown[1], by_age=shown[2]),
        households=shown[3].get("households", 0),
        addresses=sum(it.number for it in found if it.what == "addresses"),
        buildings=summed((it for it in found if it.what == "buildings"), "kind"),
        units=summed((it for it in found if it.what == "units"), "kind"),
        suppressed=not open_,
    )
