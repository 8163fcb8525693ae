"""Buildings (实有房屋)."""

from typing import Any

from contracts.registry import BuildingChanged, BuildingConfirmed, BuildingFacts, BuildingRegistered
from events import Batch, Connection, Database, ReadModel

from registry.read_models.days import confirm, days

buildings = ReadModel(
    "buildings",
    version=2,
    tables="""
    create table building (
        id text collate "C" primary key,
        address text collate "C" not null,
        name text not null,
        kind text not null,
        floors int not null,
        built_year int,
        rooms int,
        beds int,
        tenure text,
        tenants int,
        confirmed_on date not null -- when a source or a visitor said so last
    );
    create index building_address on building (address);
    """,
)


async def _put(db: Connection, events: Batch[BuildingFacts]) -> None:
    await db.execute(
        """insert into building
           select distinct on (id) id, address, name, kind, floors, built_year, rooms, beds, tenure, tenants,
                  confirmed_on
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::int[], $8::int[],
                       $9::text[], $10::int[], $11::date[]) with ordinality
                as b(id, address, name, kind, floors, built_year, rooms, beds, tenure, tenants, confirmed_on, nth)
           order by id, nth desc
           on conflict (id) do update set address = excluded.address, name = excluded.name, kind = excluded.kind,
               floors = excluded.floors, built_year = excluded.built_year, rooms = excluded.rooms,
               beds = excluded.beds, tenure = excluded.tenure, tenants = excluded.tenants,
               confirmed_on = excluded.confirmed_on""",
        *map(
            events.column,
            ("building", "address", "name", "kind", "floors", "built_year", "rooms", "beds", "tenure", "tenants"),
        ),
        days(events),
    )


@buildings.on(BuildingRegistered)
async def registered(db: Connection, events: Batch[BuildingRegistered]) -> None:
    """A building that was not there before."""
    await _put(db, events)


@buildings.on(BuildingChanged)
async def changed(db: Connection, events: Batch[BuildingChanged]) -> None:
    """Something else is known of it."""
    await _put(db, events)


@buildings.on(BuildingConfirmed)
async def confirmed(db: Connection, events: Batch[BuildingConfirmed]) -> None:
    """Somebody else says the same of it."""
    await confirm(db, "building", events.column("building"), events)


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
