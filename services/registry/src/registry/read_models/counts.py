"""How many of each there are (底数清), counted in the registers themselves, so that no figure is wrong by itself."""

from dataclasses import dataclass

from events import Database

from registry.read_models.buildings import buildings
from registry.read_models.households import households
from registry.read_models.people import people
from registry.read_models.territory import territory
from registry.read_models.units import units

COUNTED = (territory, buildings, households, people, units)


@dataclass(frozen=True)
class Counts:
    """The figures of the whole area."""

    grids: int
    addresses: int
    buildings: dict[str, int]
    """By kind."""
    households: int
    people: dict[str, int]
    """By residency."""
    units: dict[str, int]
    """By category."""


async def counts(db: Database) -> Counts:
    """What there is now."""
    rows = await db.fetch(
        """select 'grids' as register, '' as kind, count(*) from grid
           union all select 'addresses', '', count(*) from address
           union all select 'buildings', kind, count(*) from building group by kind
           union all select 'households', '', count(*) from household where not dissolved
           union all select 'people', residency, count(*) from person p where presence = 'here' and same_as is null
              group by residency
           union all select 'units', category, count(*) from unit where not closed group by category"""
    )
    plain = {row["register"]: row["count"] for row in rows if not row["kind"]}
    by_kind: dict[str, dict[str, int]] = {"buildings": {}, "people": {}, "units": {}}
    for row in rows:
        if row["kind"]:
            by_kind[row["register"]][row["kind"]] = row["count"]
    return Counts(**plain, buildings=by_kind["buildings"], people=by_kind["people"], units=by_kind["units"])
