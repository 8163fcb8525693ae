"""Households (户), and where they live."""

from collections.abc import Sequence
from typing import Any

from contracts.registry import HouseholdChanged, HouseholdFacts, HouseholdRegistered
from events import Batch, Connection, Database, ReadModel

households = ReadModel(
    "households",
    version=2,
    tables="""
    create table household (
        id text collate "C" primary key, address text collate "C" not null, dissolved boolean not null
    );
    create index household_address on household (address);
    """,
)


async def _put(db: Connection, events: Batch[HouseholdFacts]) -> None:
    await db.execute(
        """insert into household (id, address, dissolved)
           select distinct on (id) id, address, dissolved
           from unnest($1::text[], $2::text[], $3::boolean[]) with ordinality as h(id, address, dissolved, nth)
           order by id, nth desc
           on conflict (id) do update set address = excluded.address, dissolved = excluded.dissolved""",
        *map(events.column, ("household", "address", "dissolved")),
    )


@households.on(HouseholdRegistered)
async def registered(db: Connection, events: Batch[HouseholdRegistered]) -> None:
    """A household that was not there before."""
    await _put(db, events)


@households.on(HouseholdChanged)
async def changed(db: Connection, events: Batch[HouseholdChanged]) -> None:
    """It has moved."""
    await _put(db, events)


async def page(db: Database, reach: Sequence[str] | None, grid: str | None, after: str, limit: int) -> list[Any]:
    """Households by id, in the grids of `reach` (None: everywhere), of one grid if it is named: one more than `limit`,
    if there are more."""
    return await db.fetch(
        """select h.id as household, h.address, a.written, a.grid,
                  (select count(*) from person p where p.household = h.id and p.presence = 'here' and p.same_as is null)
                      as people
           from household h left join address a on a.id = h.address
           where not h.dissolved and ($1::text is null or a.grid = $1) and h.id > $2
                 and ($4::text[] is null or coalesce(a.grid, '') = any($4))
           order by h.id limit $3 + 1""",
        grid,
        after,
        limit,
        reach,
    )


async def grid_of(db: Database, household: str) -> str | None:
    """The grid that a household lives in; None if in none."""
    return await db.fetchval(
        "select a.grid from household h join address a on a.id = h.address where h.id = $1", household
    )


async def known(db: Database, ids: Sequence[str]) -> set[str]:
    """Those of the ids that name a household."""
    return {row["id"] for row in await db.fetch("select id from household where id = any($1::text[])", ids)}
