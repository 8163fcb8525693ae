"""Buildings (实有房屋)."""

from typing import Any

from contracts.registry import BuildingChanged, BuildingFacts, BuildingRegistered
from events import Batch, Connection, Database, ReadModel

buildings = ReadModel(
    "buildings",
    tables="""
    create table building (
        id text collate "C" primary key,
        address text collate "C" not null,
        name text not null,
        kind text not null,
        floors integer not null,
        built_year integer
    );
    create index building_address on building (address);
    """,
)


async def _put(db: Connection, events: Batch[BuildingFacts]) -> None:
    await db.execute(
        """insert into building (id, address, name, kind, floors, built_year)
           select distinct on (id) id, address, name, kind, floors, built_year
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::integer[])
                with ordinality as b(id, address, name, kind, floors, built_year, nth)
           order by id, nth desc
           on conflict (id) do update set address = excluded.address, name = excluded.name, kind = excluded.kind,
               floors = excluded.floors, built_year = excluded.built_year""",
        *map(events.column, ("building", "address", "name", "kind", "floors", "built_year")),
    )


@buildings.on(BuildingRegistered)
async def registered(db: Connection, events: Batch[BuildingRegistered]) -> None:
    """A building that was not there before."""
    await _put(db, events)


@buildings.on(BuildingChanged)
async def changed(db: Connection, events: Batch[BuildingChanged]) -> None:
    """Something else is known of it."""
    await _put(db, events)


async def page(db: Database, grid: str | None, after: str, limit: int) -> list[Any]:
    """Buildings by id, of one grid if it is named: one more than `limit`, if there are more."""
    return await db.fetch(
        """select b.id as building, b.name, b.kind, b.floors, b.built_year, b.address, a.written, a.grid
           from building b left join address a on a.id = b.address
           where ($1::text is null or a.grid = $1) and b.id > $2 order by b.id limit $3 + 1""",
        grid,
        after,
        limit,
    )
