"""What became of the cases that each worker closed in a month: sums, which commute.

A case belongs to the month in which it was closed, in China, and so does its rating, whenever that comes. Relies on
`members` for the grid of a worker.
"""

from contracts.grid_tasks import CaseClosed, CaseRated, CaseReopened
from events import Batch, Connection, Database, ReadModel

from assessment.domain.indicators import Outcome
from assessment.domain.period import month_of

outcomes = ReadModel(
    "outcomes",
    tables="""
    create table outcome (
        month text not null,
        worker text not null,
        closed integer not null default 0,
        on_time integer not null default 0,
        first_attempt integer not null default 0,
        ratings integer not null default 0,
        rating_sum integer not null default 0,
        primary key (month, worker)
    );
    """,
)

# Partitions that add to the same rows at the same time do not deadlock, because all take them in order of the key.
ADD_CLOSINGS = """
insert into outcome as known (month, worker, closed, on_time, first_attempt)
select month, worker, $5::integer * count(*), $5::integer * count(*) filter (where on_time),
    $5::integer * count(*) filter (where first_attempt)
from unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[]) as new (month, worker, on_time, first_attempt)
group by month, worker
order by month, worker
on conflict (month, worker) do update set
    closed = known.closed + excluded.closed,
    on_time = known.on_time + excluded.on_time,
    first_attempt = known.first_attempt + excluded.first_attempt
"""

ADD_RATED = """
insert into outcome as known (month, worker, ratings, rating_sum)
select month, worker, count(*), sum(rating)
from unnest($1::text[], $2::text[], $3::integer[]) as new (month, worker, rating)
group by month, worker
order by month, worker
on conflict (month, worker) do update set
    ratings = known.ratings + excluded.ratings,
    rating_sum = known.rating_sum + excluded.rating_sum
"""

OF_MONTH = """
select worker, member.grid, closed, on_time, first_attempt, ratings, rating_sum
from outcome left join member on member.id = outcome.worker
where month = $1 and closed > 0
order by worker
"""


@outcomes.on(CaseClosed)
async def closed(db: Connection, events: Batch[CaseClosed]) -> None:
    await _add_closings(db, events, "at", 1)


@outcomes.on(CaseReopened)
async def reopened(db: Connection, events: Batch[CaseReopened]) -> None:
    """It was not done after all: its closing does not count."""
    await _add_closings(db, events, "closed_at", -1)


async def _add_closings(
    db: Connection, events: Batch[CaseClosed] | Batch[CaseReopened], closed_at: str, times: int
) -> None:
    await db.execute(
        ADD_CLOSINGS,
        [month_of(at) for at in events.column(closed_at)],
        *map(events.column, ("worker", "on_time", "first_attempt")),
        times,
    )


@outcomes.on(CaseRated)
async def rated(db: Connection, events: Batch[CaseRated]) -> None:
    await db.execute(
        ADD_RATED,
        [month_of(at) for at in events.column("closed_at")],
        events.column("worker"),
        events.column("rating"),
    )


async def outcomes_of(db: Database, month: str) -> tuple[Outcome, ...]:
    """The outcomes of a month, `2026-11`, of all who closed a case in it."""
    return tuple(Outcome(*row) for row in await db.fetch(OF_MONTH, month))
