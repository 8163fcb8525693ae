"""Units (实有单位): shops, the hotel, chess rooms, foot-bath shops."""

from typing import Any

from contracts.registry import UnitChanged, UnitFacts, UnitRegistered
from events import Batch, Connection, Database, ReadModel

units = ReadModel(
    "units",
    tables="""
    create table unit (
        id text collate "C" primary key,
        name text not null,
        category text not null,
        address text collate "C" not null,
        credit_code text not null
    );
    create index unit_address on unit (address);
    """,
)


async def _put(db: Connection, events: Batch[UnitFacts]) -> None:
    await db.execute(
        """insert into unit (id, name, category, address, credit_code)
           select distinct on (id) id, name, category, address, credit_code
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                with ordinality as u(id, name, category, address, credit_code, nth)
           order by id, nth desc
           on conflict (id) do update set name = excluded.name, category = excluded.category,
               address = excluded.address, credit_code = excluded.credit_code""",
        *map(events.column, ("unit", "name", "category", "address", "credit_code")),
    )


@units.on(UnitRegistered)
async def registered(db: Connection, events: Batch[UnitRegistered]) -> None:
    """A unit that was not there before."""
    await _put(db, events)


@units.on(UnitChanged)
async def changed(db: Connection, events: Batch[UnitChanged]) -> None:
    """Something else is known of it."""
    await _put(db, events)


async def page(db: Database, grid: str | None, category: str | None, after: str, limit: int) -> list[Any]:
    """Units by id, of one grid or category if it is named: one more than `limit`, if there are more."""
    return await db.fetch(
        """select u.id as unit, u.name, u.category, u.credit_code, u.address, a.written, a.grid
           from unit u left join address a on a.id = u.address
           where ($1::text is null or a.grid = $1) and ($2::text is null or u.category = $2) and u.id > $3
           order by u.id limit $4 + 1""",
        grid,
        category,
        after,
        limit,
    )
