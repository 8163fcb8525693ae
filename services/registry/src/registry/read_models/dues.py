"""What falls due: registrations, licences, checks, and who has not been confirmed for long; and what was told of it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from contracts.registry import DueKind, DueNoticed
from events import Batch, Connection, Database, ReadModel

from registry.domain.quality import FRESH_DAYS
from registry.read_models.people import HERE

dues = ReadModel("dues", tables='create table due_noticed (id text collate "C" primary key);')


@dues.on(DueNoticed)
async def noticed(db: Connection, events: Batch[DueNoticed]) -> None:
    """It was told, and is not told again."""
    await db.execute(
        "insert into due_noticed select distinct id from unnest($1::text[]) as d(id) on conflict do nothing",
        events.column("due"),
    )


class Due(NamedTuple):
    """Something that falls due."""

    kind: DueKind
    register: str
    thing: str
    grid: str | None
    on: date


# Whom one visits anyway, permanent residents, is confirmed by sample: see quality.
DUE = f"""
select 'registration' as kind, 'people' as register, p.id as thing, a.grid, p.registered_until as on_day
from person p join address a on a.id = p.address
where p.residency = 'floating' and {HERE} and p.registered_until between $1 and $2
union all
select 'revisit', 'people', p.id, a.grid, p.confirmed_on + {FRESH_DAYS} from person p join address a on a.id = p.address
where p.residency = 'floating' and {HERE}
      and p.confirmed_on between $1::date - {FRESH_DAYS} and $2::date - {FRESH_DAYS}
union all
select 'licence', 'units', u.id, a.grid, u.licence_until from unit u join address a on a.id = u.address
where not u.closed and u.licence_until between $1 and $2
union all
select 'fire_check', 'units', u.id, a.grid, u.fire_check_due from unit u join address a on a.id = u.address
where not u.closed and u.fire_check_due between $1 and $2
union all
select 'safety_check', 'units', u.id, a.grid, u.safety_check_due from unit u join address a on a.id = u.address
where not u.closed and u.safety_check_due between $1 and $2
"""  # noqa: S608


async def due_until(db: Database, since: date, until: date, after: tuple[str, str, str], limit: int) -> list[Due]:
    """What falls due between two days and was not told yet, by kind, thing and day."""
    rows = await db.fetch(
        f"""select kind, register, thing, grid, on_day from ({DUE}) d
            where (kind, thing, on_day::text) > ($3, $4, $5)
                  and not exists (select from due_noticed n where n.id = concat_ws('-', kind, thing, on_day))
            order by kind, thing, on_day limit $6""",  # noqa: S608
        since,
        until,
        *after,
        limit,
    )
    return [Due(DueKind(row["kind"]), *row[1:]) for row in rows]


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
        f"""select kind, register as of, thing, grid, on_day as on from ({DUE}) d
            where ($3::text[] is null or grid = any($3)) and ($4::text is null or kind = $4)
                  and (on_day, kind, thing) > ($5, $6, $7)
            order by on_day, kind, thing limit $8 + 1""",  # noqa: S608
        since,
        until,
        reach,
        kind,
        *after,
        limit,
    )
