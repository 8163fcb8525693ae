"""Units (实有单位): shops, the hotel, chess rooms, foot-bath shops."""

from typing import Any

from contracts.registry import UnitChanged, UnitConfirmed, UnitFacts, UnitRegistered
from events import Batch, Connection, Database, ReadModel

from registry.read_models.days import confirm, days

units = ReadModel(
    "units",
    version=2,
    tables="""
    create table unit (
        id text collate "C" primary key,
        name text not null,
        category text not null,
        address text collate "C" not null,
        credit_code text not null,
        licence text not null,
        licence_until date,
        staff int,
        beds int,
        fire_check_due date,
        safety_check_due date,
        closed boolean not null,
        confirmed_on date not null -- when a source or a visitor said so last
    );
    create index unit_address on unit (address);
    create index unit_licence_until on unit (licence_until) where licence_until is not null;
    create index unit_fire_check on unit (fire_check_due) where fire_check_due is not null;
    create index unit_safety_check on unit (safety_check_due) where safety_check_due is not null;
    """,
)

COLUMNS = ("name", "category", "address", "credit_code", "licence", "licence_until", "staff", "beds")
CHECKS = ("fire_check_due", "safety_check_due", "closed")


async def _put(db: Connection, events: Batch[UnitFacts]) -> None:
    await db.execute(
        """insert into unit
           select distinct on (id) id, name, category, address, credit_code, licence, licence_until, staff, beds,
                  fire_check_due, safety_check_due, closed, confirmed_on
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[], $8::int[],
                       $9::int[], $10::date[], $11::date[], $12::boolean[], $13::date[]) with ordinality
                as u(id, name, category, address, credit_code, licence, licence_until, staff, beds, fire_check_due,
                     safety_check_due, closed, confirmed_on, nth)
           order by id, nth desc
           on conflict (id) do update set name = excluded.name, category = excluded.category,
               address = excluded.address, credit_code = excluded.credit_code, licence = excluded.licence,
               licence_until = excluded.licence_until, staff = excluded.staff, beds = excluded.beds,
               fire_check_due = excluded.fire_check_due, safety_check_due = excluded.safety_check_due,
               closed = excluded.closed, confirmed_on = excluded.confirmed_on""",
        *map(events.column, ("unit", *COLUMNS, *CHECKS)),
        days(events),
    )


@units.on(UnitRegistered)
async def registered(db: Connection, events: Batch[UnitRegistered]) -> None:
    """A unit that was not there before."""
    await _put(db, events)


@units.on(UnitChanged)
async def changed(db: Connection, events: Batch[UnitChanged]) -> None:
    """Something else is known of it."""
    await _put(db, events)


@units.on(UnitConfirmed)
async def confirmed(db: Connection, events: Batch[UnitConfirmed]) -> None:
    """Somebody else says the same of it."""
    await confirm(db, "unit", events.column("unit"), events)


async def page(db: Database, grid: str | None, category: str | None, after: str, limit: int) -> list[Any]:
    """Units by id, of one grid or category if it is named: one more than `limit`, if there are more."""
    return await db.fetch(
        """select u.id as unit, u.name, u.category, u.credit_code, u.address, a.written, a.grid
           from unit u left join address a on a.id = u.address
           where not u.closed and ($1::text is null or a.grid = $1) and ($2::text is null or u.category = $2)
                 and u.id > $3
           order by u.id limit $4 + 1""",
        grid,
        category,
        after,
        limit,
    )
