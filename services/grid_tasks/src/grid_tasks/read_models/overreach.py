"""Who asked grid workers for what is on no list of theirs, by month: departments and systems, and no person."""

from dataclasses import dataclass
from datetime import datetime

from contracts.grid_tasks import OverreachRefused
from contracts.visits import OverreachKind
from events import Batch, Connection, Database, ReadModel

from grid_tasks.domain.working_time import CHINA

overreach = ReadModel(
    "overreach",
    tables="""
    create table overreach (
        month text collate "C" not null,
        body text collate "C" not null,
        kind text collate "C" not null,
        category text collate "C" not null,
        times bigint not null,
        hours bigint not null,
        primary key (month, body, kind, category)
    );
    """,
)


@dataclass(frozen=True, slots=True)
class Overreach:
    """How often a department, or a partner's system, asked for it in a month."""

    month: str
    body: str
    kind: OverreachKind
    category: str
    times: int
    hours: int
    """Of campaigns."""


@overreach.on(OverreachRefused)
async def refused(db: Connection, events: Batch[OverreachRefused]) -> None:
    moments: list[datetime] = events.column("at")
    await db.execute(
        """insert into overreach as known (month, body, kind, category, times, hours)
           select month, body, kind, category, count(*), sum(coalesce(hours, 0))
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[])
                as new (month, body, kind, category, hours)
           group by month, body, kind, category order by month, body, kind, category
           on conflict (month, body, kind, category) do update set times = known.times + excluded.times,
               hours = known.hours + excluded.hours""",
        [month_of(it) for it in moments],
        *map(events.column, ("body", "kind", "category", "hours")),
    )


def month_of(moment: datetime) -> str:
    """The month in China: 2026-11."""
    return f"{moment.astimezone(CHINA):%Y-%m}"


async def page(db: Database, month: str | None, after: tuple[str, str, str, str], limit: int) -> list[Overreach]:
    """Of this month or of all, by month, body, kind and category, after this one."""
    rows = await db.fetch(
        """select month, body, kind, category, times, hours from overreach
           where ($1::text is null or month = $1) and (month, body, kind, category) > ($2, $3, $4, $5)
           order by month, body, kind, category limit $6""",
        month,
        *after,
        limit,
    )
    return [Overreach(row[0], row[1], OverreachKind(row[2]), row[3], row[4], row[5]) for row in rows]
