"""How many live and are in each building of a grid, asked of the registers themselves: for maps."""

from typing import NamedTuple

from events import Database

from registry.domain.figures import Figure
from registry.read_models.buildings import buildings
from registry.read_models.households import households
from registry.read_models.people import HERE, people
from registry.read_models.territory import BUILDING_OF, territory
from registry.read_models.units import units

COUNTED_BY_BUILDING = (territory, buildings, households, people, units)


class Building(NamedTuple):
    """A building of a grid, whether or not the register of buildings has it."""

    written: str
    """Street, number and building, as its addresses are written."""
    longitude: float
    latitude: float
    """The middle of its addresses, in degrees."""
    figures: list[Figure]
    """People by residency, households, units by category."""


async def by_building(db: Database, grid: str) -> list[Building]:
    """The buildings of a grid by how they are written; those in which nobody lives and nothing is, too."""
    rows = await db.fetch(
        f"""with here as materialized (
            select a.id, {BUILDING_OF} as building, a.longitude, a.latitude from address a where a.grid = $1
        ), counted as (
            select h.building, 'people' as what, p.residency as kind, count(*) as number
            from here h join person p on p.address = h.id where {HERE} group by 1, 3
            union all
            select h.building, 'households', '', count(*) from here h join household o on o.address = h.id
            where not o.dissolved group by 1
            union all
            select h.building, 'units', u.category, count(*) from here h join unit u on u.address = h.id
            where not u.closed group by 1, 3
        ), place as (
            select building, avg(longitude) as longitude, avg(latitude) as latitude from here group by 1
        )
        select building, longitude, latitude, what, kind, number
        from place left join counted using (building) order by 1, 4, 5""",  # noqa: S608
        grid,
    )
    found: dict[str, Building] = {}
    for row in rows:
        building = found.setdefault(row["building"], Building(row["building"], row["longitude"], row["latitude"], []))
        if row["what"]:
            building.figures.append(Figure(row["what"], row["kind"], "", row["number"]))
    return list(found.values())
