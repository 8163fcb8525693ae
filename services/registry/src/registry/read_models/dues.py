"""What falls due: registrations, licences, checks, and who has not been confirmed for long; and what was told of it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from contracts.registry import DueKind, DueNoticed, DuePassed, DueSettled
from events import Batch, Connection, Database, ReadModel

from registry.domain.due import Told, due_of
from registry.domain.quality import FRESH_DAYS
from registry.read_models.people import HERE

dues = ReadModel(
    "dues",
    version=2,
    tables="""
    create table due_told (
        id text collate "C" primary key,
        kind text not null,
        register text not null,
        thing text collate "C" not null,
        on_day date not null,
        told smallint not null -- registry.domain.due.Told
    );
    create index due_told_of on due_told (thing, kind, on_day);
    create index due_told_open on due_told (id) where told < 3;
    """,
)


@dues.on(DueNoticed)
async def noticed(db: Connection, events: Batch[DueNoticed]) -> None:
    """It was told, and is not told again."""
    await db.execute(
        """insert into due_told (id, kind, register, thing, on_day, told)
           select distinct on (id) id, kind, register, thing, on_day, $1
           from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::date[])
                as d(id, kind, register, thing, on_day)
           on conflict do nothing""",
        Told.NOTICED,
        *map(events.column, ("due", "kind", "of", "thing", "on")),
    )


@dues.on(DuePassed)
async def passed(db: Connection, events: Batch[DuePassed]) -> None:
    """Its day is over."""
    await _tell(db, Told.PASSED, events.column("due"))


@dues.on(DueSettled)
async def settled(db: Connection, events: Batch[DueSettled]) -> None:
    """Nothing is to be done about it any more."""
    await _tell(db, Told.SETTLED, events.column("due"))


async def _tell(db: Connection, told: Told, ids: Sequence[str]) -> None:
    await db.execute("update due_told set told = $1 where id = any($2::text[])", told, ids)


class Due(NamedTuple):
    """Something that falls due."""

    id: str
    kind: DueKind
    register: str
    thing: str
    grid: str | None
    on: date


# Whom one visits anyway, permanent residents, is confirmed by sample: see quality.
DUE = f"""
select 'registration' as kind, 'people' as register, p.id as thing, p.address, p.registered_until as on_day
from person p where p.residency = 'floating' and {HERE} and p.registered_until is not null
union all
select 'revisit', 'people', p.id, p.address, p.confirmed_on + {FRESH_DAYS}
from person p where p.residency = 'floating' and {HERE}
union all
select 'licence', 'units', u.id, u.address, u.licence_until
from unit u where not u.closed and u.licence_until is not null
union all
select 'fire_check', 'units', u.id, u.address, u.fire_check_due
from unit u where not u.closed and u.fire_check_due is not null
union all
select 'safety_check', 'units', u.id, u.address, u.safety_check_due
from unit u where not u.closed and u.safety_check_due is not null
"""  # noqa: S608
"""What the register says now: what was told of and is not here any more is settled."""

SAME = "d.thing = t.thing and d.kind = t.kind and d.on_day = t.on_day"


async def due_until(db: Database, since: date, until: date, after: tuple[str, str, str], limit: int) -> list[Due]:
    """What falls due between two days and was not told yet, or was settled and is due after all, by kind, thing and
    day."""
    rows = await db.fetch(
        f"""select d.kind, d.register, d.thing, a.grid, d.on_day,
                   (select count(*) from due_told t where {SAME}) as settled_before
            from ({DUE}) d join address a on a.id = d.address
            where d.on_day between $1 and $2 and (d.kind, d.thing, d.on_day::text) > ($3, $4, $5)
                  and not exists (select from due_told t where {SAME} and t.told < {Told.SETTLED})
            order by d.kind, d.thing, d.on_day limit $6""",  # noqa: S608
        since,
        until,
        *after,
        limit,
    )
    return [
        Due(due_of(DueKind(it["kind"]), it["thing"], it["on_day"], it["settled_before"]), DueKind(it["kind"]), *it[1:5])
        for it in rows
    ]


async def passed_before(db: Database, day: date, limit: int) -> list[Due]:
    """What was told of, is due still, and should have been settled before this day; each until that is told too."""
    rows = await db.fetch(
        f"""select t.id, d.kind, d.register, d.thing, a.grid, d.on_day
            from due_told t join ({DUE}) d on {SAME} join address a on a.id = d.address
            where t.told = {Told.NOTICED} and t.on_day < $1 order by t.id limit $2""",  # noqa: S608
        day,
        limit,
    )
    return [Due(it["id"], DueKind(it["kind"]), *it[2:]) for it in rows]


async def no_longer_due(db: Database, limit: int) -> list[tuple[str, str]]:
    """What was told of and is not due any more, by the register: dues and what they are of; each until that is told."""
    rows = await db.fetch(
        f"""select t.id, t.thing from due_told t
            where t.told < {Told.SETTLED} and not exists (select from ({DUE}) d where {SAME})
            order by t.id limit $1""",  # noqa: S608
        limit,
    )
    return [(row["id"], row["thing"]) for row in rows]


async def to_be_visited(db: Database) -> list[tuple[str, str]]:
    """Of whom and what something is due still, or who was drawn and has not answered: register and id, by id."""
    rows = await db.fetch(
        f"""select register, thing from due_told where told < {Told.SETTLED}
            union select 'people', person from sample_person where is_right is null
            order by 2""",  # noqa: S608
    )
    return [(row[0], row[1]) for row in rows]


async def page(
    db: Database,
    reach: Sequence[str] | None,
    since: date,
    until: date,
    kind: str | None,
    after: Sequence[Any],
    limit: int,
) -> list[Any]:
    """What falls due between two days in the grids of `reach` (None: all), the earliest first: one more than `limit`,
    if there are more."""
    return await db.fetch(
        f"""select d.kind, d.register as of, d.thing, a.grid, d.on_day as on
            from ({DUE}) d join address a on a.id = d.address
            where d.on_day between $1 and $2 and ($3::text[] is null or a.grid = any($3))
                  and ($4::text is null or d.kind = $4) and (d.on_day, d.kind, d.thing) > ($5, $6, $7)
            order by d.on_day, d.kind, d.thing limit $8 + 1""",  # noqa: S608
        since,
        until,
        reach,
        kind,
        *after,
        limit,
    )
