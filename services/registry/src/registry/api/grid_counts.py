"""How many are in a grid (网格底数): on any day, and by building as a layer for maps."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from edge import Call, Router
from edge.call import HttpCall
from events import NotFound
from pydantic import BaseModel, Field

from registry.api.history import When
from registry.api.powers import Powers
from registry.domain.figures import summed, suppressed
from registry.domain.history import day_in_china
from registry.read_models.building_counts import COUNTED_BY_BUILDING, by_building
from registry.read_models.past import figures, past
from registry.read_models.territory import grid as grid_now

router = Router(prefix="/grids", tags=["grids"])


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
    open_ = await _exact(call, grid)
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


async def _exact(call: HttpCall, grid: str) -> bool:
    """Whether the caller sees small figures of this grid."""
    exact = await call.may(Powers.EXACT_COUNTS)
    return exact is not None and exact.reaches(grid)


class BuildingProperties(BaseModel):
    """What is in a building. None: too few to be told; residencies and households are for those who look after it."""

    written: str = Field(description="Street, number and building")
    people: int | None
    by_residency: dict[str, int] | None
    households: int | None
    units: dict[str, int]


class PointGeometry(BaseModel):
    """A longitude and a latitude, WGS-84."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class BuildingFeature(BaseModel):
    """A building of a grid."""

    type: Literal["Feature"] = "Feature"
    id: str
    properties: BuildingProperties
    geometry: PointGeometry


class BuildingCollection(BaseModel):
    """The buildings of a grid: a GeoJSON FeatureCollection (RFC 7946)."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[BuildingFeature]


@router.get("/{grid}/counts/buildings", power=Powers.READ_COUNTS)
async def counts_by_building(grid: str, call: Call) -> BuildingCollection:
    """How many live in each building of a grid now, as a layer for a map. Small figures, and who lives there how, are
    for those who look after the grid (`counts.exact`)."""
    await call.fresh(*COUNTED_BY_BUILDING)
    if await grid_now(call.db, grid) is None:
        raise NotFound("there is no grid of this code")
    found = await by_building(call.db, grid)
    open_ = await _exact(call, grid)
    sums = {it.written: summed(it.figures, "what") for it in found}
    people = {written: number.get("people", 0) for written, number in sums.items()}
    shown: Mapping[str, int | None] = people if open_ else suppressed(people)
    return BuildingCollection(
        features=[
            BuildingFeature(
                id=it.written,
                properties=BuildingProperties(
                    written=it.written,
                    people=shown[it.written],
                    by_residency=summed((f for f in it.figures if f.what == "people"), "kind") if open_ else None,
                    households=sums[it.written].get("households", 0) if open_ else None,
                    units=summed((f for f in it.figures if f.what == "units"), "kind"),
                ),
                geometry=PointGeometry(coordinates=(round(it.longitude, 6), round(it.latitude, 6))),
            )
            for it in found
        ]
    )
