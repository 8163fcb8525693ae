"""Questions that boards (看板) ask of `figures`: what is open and for how long, how long each step takes, what came
and went, and where it lies.

A `grid` of None asks for all. What is late, and how old something is, is so at the moment that is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from events import Database

from grid_tasks.domain.counts import DISPATCHED_WITHIN, STANDING, Count
from grid_tasks.domain.moves import Step
from grid_tasks.domain.working_time import DAY, midnight
from grid_tasks.read_models.figures import EVERYWHERE, LATE_FOR, MINUTES


class By(StrEnum):
    """By what open work is counted."""

    STEP = "step"
    GRID = "grid"
    DEPARTMENT = "department"
    CATEGORY = "category"
    AGE = "age"


AGES = (1, 3, 7, 15, 30)
"""Where the bands of age end, in days since the report (or since it was reopened or taken up again)."""

AGE = "width_bucket(extract(epoch from $1 - reported_at) / 86400.0, array[{}]::numeric[])".format(
    ",".join(map(str, AGES))
)

KEYS = {By.STEP: "step", By.GRID: "grid", By.DEPARTMENT: "body", By.CATEGORY: "category", By.AGE: f"({AGE})::text"}

LATE = "due < $1 and step in ('accepted', 'dispatched', 'started')"


@dataclass(frozen=True, slots=True)
class OpenWork:
    """How much of it is open. `key`: a step, grid, department or category; of ages the number of the band."""

    key: str
    open: int
    late: int
    """Past its deadline and not handed in."""
    warned: int
    """Near its deadline: a quarter of the time or less was left when it was looked at."""
    urgent: int


@dataclass(frozen=True, slots=True)
class Stay:
    """How long cases stayed at a step, in minutes of the clock, cut as in `figures`."""

    step: Step
    count: int
    p50: int
    p90: int


@dataclass(frozen=True, slots=True)
class Week:
    """What came and went in a week (ISO 8601), and what was left at its end."""

    first: date
    counts: dict[Count, int]


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Where an open case lies, and how it stands."""

    case: str
    longitude: float
    latitude: float
    category: str
    grid: str
    step: Step
    body: str
    urgent: bool
    late: bool
    due: datetime | None
    reported_at: datetime


async def open_work_by(
    db: Database, by: By, now: datetime, *, grid: str | None = None, body: str | None = None
) -> list[OpenWork]:
    """What is open now, counted, in the order of the keys; of this grid and department if they are given."""
    rows = await db.fetch(
        f"""select {KEYS[by]} as key, count(*), count(*) filter (where {LATE}),
                   count(*) filter (where warned and not coalesce({LATE}, false)), count(*) filter (where urgent)
            from open_now where ($2::text is null or grid = $2) and ($3::text is null or body = $3)
                 and $1::timestamptz is not null
            group by 1 order by 1""",  # noqa: S608  # nothing of the request is in it
        now,
        grid,
        body,
    )
    return [OpenWork(*row) for row in rows]


async def stays(
    db: Database, first: date, last: date, *, grid: str | None = None, body: str | None = None
) -> list[Stay]:
    """How long those stays took that ended on these days, the last included, in the order of a case's life."""
    rows = await db.fetch(
        """with last_day as (
               select distinct on (step, body) step, body, upto from stay_count
               where grid = $1 and day between $2 and $3 and ($4::text is null or body = $4)
               order by step, body, day desc
           ), counted as (
               select step, place, sum(count - coalesce(before.upto[place], 0)) as count
               from last_day left join lateral (
                   select upto from stay_count s
                   where s.grid = $1 and s.step = last_day.step and s.body = last_day.body and s.day < $2
                   order by s.day desc limit 1
               ) before on true
               cross join lateral unnest(last_day.upto) with ordinality as of_length (count, place)
               group by 1, 2
           ), running as (
               select step, place, sum(count) over (partition by step order by place) as upto,
                      sum(count) over (partition by step) as of from counted
           )
           select step, max(of)::bigint, min(place) filter (where upto >= 0.5 * of),
                  min(place) filter (where upto >= 0.9 * of)
           from running group by step""",
        grid if grid is not None else EVERYWHERE,
        first,
        last,
        body,
    )
    found = {row[0]: Stay(Step(row[0]), row[1], MINUTES[row[2] - 1], MINUTES[row[3] - 1]) for row in rows}
    return [found[step] for step in Step if step in found]


async def counts_of(
    db: Database, first: date, last: date, now: datetime, *, grid: str | None = None
) -> dict[Count, int]:
    """All that is counted of these days, the last included; of those that are not over, as far as they have come."""
    where = grid if grid is not None else EVERYWHERE
    rows = await db.fetch(
        """select what, sum(count) from day_count
           where grid = $1 and what = any($2::text[]) and day between $3 and $4 group by what
           union all
           select what, sum(count) from day_count
           where grid = $1 and what = any($5::text[]) and day <= $4 group by what""",
        where,
        [it for it in Count if it not in STANDING],
        first,
        last,
        list(STANDING),
    )
    found = dict.fromkeys(Count, 0) | {Count(row[0]): row[1] for row in rows}
    still = await _late_still(db, min(end_of(last), now), grid)
    return {what: count + still.get(what, 0) for what, count in found.items()}


async def _late_still(db: Database, moment: datetime, grid: str | None) -> dict[Count, int]:
    """Of what nobody has touched since, how much was late at this moment: it stands in no day's count yet."""
    each = ", ".join(f"count(*) filter (where {so} and greatest({due}, touched) < $1)" for due, so in LATE_FOR.values())
    [row] = await db.fetch(
        f"""select {each} from open_now
            where touched < $1 and ($2::text is null or grid = $2) and $3::interval is not null""",  # noqa: S608
        moment,
        grid,
        DISPATCHED_WITHIN,
    )
    return dict(zip(LATE_FOR, row, strict=True))


async def weeks(db: Database, first: date, last: date, *, grid: str | None = None) -> list[Week]:
    """The weeks in which these days lie, each whole, in order."""
    monday = first - timedelta(days=first.weekday())
    sunday = last + timedelta(days=6 - last.weekday())
    rows = await db.fetch(
        """select date_trunc('week', greatest(day, $3::date - 7)::timestamp)::date, what, sum(count)
           from day_count
           where grid = $1 and what = any($2::text[]) and day <= $4 and (day >= $3 or what = $5)
           group by 1, 2""",
        grid if grid is not None else EVERYWHERE,
        [*FLOW, Count.OPEN],
        monday,
        sunday,
        Count.OPEN,
    )
    found = {(row[0], Count(row[1])): row[2] for row in rows}
    mondays = [monday + timedelta(weeks=nth) for nth in range((sunday - monday).days // 7 + 1)]
    left = found.get((monday - timedelta(weeks=1), Count.OPEN), 0)
    answer: list[Week] = []
    for day in mondays:
        left += found.get((day, Count.OPEN), 0)
        answer.append(Week(day, {what: found.get((day, what), 0) for what in FLOW} | {Count.OPEN: left}))
    return answer


FLOW = (Count.REPORTED, Count.CLOSED, Count.REOPENED, Count.REFUSED, Count.WITHDRAWN, Count.MERGED, Count.TAKEN_UP)
"""What comes and goes."""


async def places(
    db: Database,
    now: datetime,
    grids: Sequence[str] | None,
    *,
    grid: str | None = None,
    step: Step | None = None,
    box: tuple[float, float, float, float] | None = None,
    limit: int,
) -> list[OpenCase]:
    """Where open cases lie in these grids (None: in all and in none), those longest open first; of this grid and step,
    and within this box of west, south, east and north, if they are given."""
    rows = await db.fetch(
        f"""select case_id, place[0], place[1], category, grid, step, body, urgent, coalesce({LATE}, false), due,
                   reported_at
            from open_now
            where place is not null and ($2::text[] is null or grid = any($2)) and ($3::text is null or grid = $3)
                  and ($4::text is null or step = $4) {"and place <@ box(point($6, $7), point($8, $9))" if box else ""}
            order by reported_at, case_id limit $5""",  # noqa: S608  # nothing of the request is in it
        now,
        grids,
        grid,
        step,
        limit,
        *(box or ()),
    )
    return [_open_case(row) for row in rows]


def _open_case(row: Sequence[object]) -> OpenCase:
    return OpenCase(*row[:5], Step(str(row[5])), *row[6:])  # type: ignore[arg-type]  # as they are selected


def end_of(day: date) -> datetime:
    """The midnight that ends this day in China."""
    return midnight(day + DAY)
