"""What is open now, and what is counted of all cases by day: for boards (看板) and indicators (指标).

`open_now` has a row for each case as long as it is open. Each step on its way closes the stay before it: how long that
was goes into `stay_count`, and what has happened into `day_count`, for each grid and, under `EVERYWHERE`, for all
together. So a question about a period costs as many rows as it has days, however many cases there were; for stays it
costs two rows a step: `upto` has a number for each length, how many such stays there were until the end of that day,
and what ended in a period is what there was at its end, less what there was before it.

What is told later than it was (work without a network) counts no earlier than what its case was told of before. Days
are China's. A stay is counted on the day on which it ends, in minutes of the clock, cut to two digits: see `MINUTES`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from contracts.common import Place
from contracts.grid_tasks import (
    CaseAccepted,
    CaseAnswered,
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseHandedOver,
    CaseHelpAsked,
    CaseHelpGiven,
    CaseLookAsked,
    CaseLooked,
    CaseMerged,
    CasePaperDone,
    CasePaused,
    CasePlaceCorrected,
    CasePlaced,
    CaseRated,
    CaseRefused,
    CaseReopened,
    CaseReported,
    CaseResumed,
    CaseReturned,
    CaseSentBack,
    CaseStarted,
    CaseTakenOver,
    CaseTakenUp,
    CaseTimeAsked,
    CaseTimeGiven,
    CaseTimeRefused,
    CaseUrgencyChanged,
    CaseVerified,
    CaseWarned,
    CaseWithdrawn,
)
from events import Batch, Connection, Event, ReadModel

from grid_tasks.domain.counts import BY_THE_PUBLIC, DISPATCHED_WITHIN, SATISFIED_FROM, Count
from grid_tasks.domain.moves import ENDS, Step

EVERYWHERE = "*"
"""In the place of a grid: all cases, those in no grid too."""

MINUTES = (
    *range(10),
    *(10**nth * it for nth in range(9) for it in (*range(10, 20), *range(20, 50, 2), *range(50, 100, 5))),
)
"""The lengths of stays, each cut to one of these: below ten to the minute, then by less than a tenth."""

BY_LENGTH = """1 + case when digits = 0 and minutes < 10 then minutes else 10 + 35 * digits + case
    when two < 20 then two - 10 when two < 50 then 10 + (two - 20) / 2 else 25 + (two - 50) / 5 end end"""
"""The place in MINUTES of so many minutes, counted from one; their first two digits, and how many further ones."""

figures = ReadModel(
    "figures",
    version=2,
    tables="""
    create table open_now (
        case_id text primary key,
        category text not null,
        grid text not null,
        place point, -- longitude, latitude
        step text not null,
        since timestamptz not null, -- when it came to this step
        touched timestamptz not null, -- its last event that is followed here
        body text not null default '',
        due timestamptz, -- none while its clock stands
        urgent boolean not null default false,
        warned boolean not null default false,
        reported_at timestamptz not null
    );
    create index open_now_place on open_now using gist (place);

    create table stay_count (
        grid text not null,
        step text not null,
        body text not null,
        day date not null, -- a day on which some have ended
        upto integer[] not null, -- how many of each of MINUTES have ended on it and before
        primary key (grid, step, body, day)
    ) partition by list (grid);
    create table stay_count_everywhere partition of stay_count for values in ('*'); -- so that its rows lie together
    create table stay_count_by_grid partition of stay_count default;
    create index stay_count_day on stay_count (grid, day);

    create function counted(upto integer[], places integer[]) returns integer[] immutable language plpgsql as $$
    declare
        place integer;
    begin
        foreach place in array places loop
            if place > cardinality(upto) then
                upto := upto || array_fill(0, array[place - cardinality(upto)]);
            end if;
            upto[place] := upto[place] + 1;
        end loop;
        return upto;
    end $$;

    create table day_count (
        grid text not null,
        what text not null,
        day date not null,
        count integer not null,
        primary key (grid, what, day)
    ) partition by list (grid);
    create table day_count_everywhere partition of day_count for values in ('*');
    create table day_count_by_grid partition of day_count default;
    """,
)

DAY = "(({}) at time zone 'Asia/Shanghai')::date"
LATE_FOR = {
    Count.LATE_TO_DISPATCH: ("since + $3", "step = 'accepted'"),
    Count.LATE_TO_HAND_IN: ("due", "due is not null and step in ('accepted', 'dispatched', 'started')"),
    Count.LATE_TO_CLOSE: ("due", "due is not null"),
}
"""By which moment something is to have been done, and in which cases: of open ones."""

NEW = """new as materialized (
    select * from unnest($1::text[], $2::timestamptz[]) as new (case_id, at)
), was as (
    select o.*, greatest(new.at, o.touched) as at from open_now o join new using (case_id)
)"""

_LATE_FOR = " union all ".join(
    f"select grid, '{what}' as what, at, greatest({moment}, touched) as late_at from was where {so}"  # noqa: S608
    for what, (moment, so) in LATE_FOR.items()
)

# What was late until this moment was so at the end of each day between: one more from the first of these days, one
# less from the last.
LATE = f"""
with {NEW}, late as (
    {_LATE_FOR}
)
insert into day_count as known (grid, what, day, count)
select place.grid, what, change.day, sum(change.by)
from late cross join lateral (values (late.grid), ('{EVERYWHERE}')) as place (grid)
cross join lateral (values ({DAY.format("late_at")}, 1), ({DAY.format("at")}, -1)) as change (day, by)
where late_at < at and {DAY.format("late_at")} < {DAY.format("at")}
group by 1, 2, 3 order by 1, 2, 3
on conflict (grid, what, day) do update set count = known.count + excluded.count
"""  # noqa: S608

_ENDED = f"""{NEW}, stay as (
    select place.grid, step, body, {DAY.format("at")} as day, {BY_LENGTH} as place
    from was cross join lateral (select floor(extract(epoch from at - since) / 60)::integer) as it (minutes)
    cross join lateral (select greatest(length(minutes::text) - 2, 0)) as further (digits)
    cross join lateral (select minutes / (10 ^ digits)::integer) as first (two)
    cross join lateral (values (was.grid), ('{EVERYWHERE}')) as place (grid)
), ended as materialized (
    select grid, step, body, day, array_agg(place) as places from stay group by 1, 2, 3, 4 order by 1, 2, 3, 4
)"""  # noqa: S608

# What had ended by the day before is where a new day begins.
NEW_DAYS = f"""
with {_ENDED}
insert into stay_count (grid, step, body, day, upto)
select grid, step, body, day, coalesce((
    select upto from stay_count earlier
    where earlier.grid = ended.grid and earlier.step = ended.step and earlier.body = ended.body
          and earlier.day < ended.day
    order by earlier.day desc limit 1
), '{{}}')
from ended on conflict (grid, step, body, day) do nothing
"""  # noqa: S608

STAYS = f"""
with {_ENDED}
update stay_count s set upto = counted(s.upto, more.places)
from (
    select grid, step, body, later.day, array_agg(place) as places
    from ended join stay_count later using (grid, step, body) cross join unnest(places) as place
    where later.day >= ended.day group by 1, 2, 3, 4
) as more
where s.grid = more.grid and s.step = more.step and s.body = more.body and s.day = more.day
"""  # noqa: S608

COUNTING = f"""
insert into day_count as known (grid, what, day, count)
select place.grid, what, {DAY.format("greatest(new.at, o.touched)")}, sum(by)
from unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::interval[])
    as new (case_id, at, grid, what, by, leaving, within)
left join open_now o using (case_id)
cross join lateral (values (coalesce(new.grid, o.grid)), ('{EVERYWHERE}')) as place (grid)
where place.grid is not null and (leaving is null or leaving = step)
      and (within is null or greatest(new.at, o.touched) <= since + within)
group by 1, 2, 3 having sum(by) <> 0 order by 1, 2, 3
on conflict (grid, what, day) do update set count = known.count + excluded.count
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Counted:
    """What an event counts for: of all its class, or of those `where` it is so; only of a case that leaves this step,
    and came to it no longer ago than this."""

    what: Count
    by: int = 1
    where: Sequence[bool] | None = None
    leaving: Step | None = None
    within: timedelta | None = None
    grids: Sequence[str | None] | None = None
    """For which grids; None: for the case's own."""


async def _follow(
    db: Connection,
    events: Batch[Event],
    *counted: Counted,
    to: Step | None = None,
    sets: Mapping[str, str] | None = None,
    given: Sequence[str] = (),
) -> None:
    """Closes what was so until now, counts, and goes on from there: to this step, with what is set of the row's columns
    (`new` has what is given of each event). At an end the row goes."""
    cases, moments = events.column("case"), events.column("at")
    columns = [events.column(name) for name in given]
    for turn in _turns(cases):
        those = [cases[nth] for nth in turn], [moments[nth] for nth in turn]
        await db.execute(LATE, *those, DISPATCHED_WITHIN)
        if to:
            await db.execute(NEW_DAYS, *those)
            await db.execute(STAYS, *those)
        await _count(db, *those, turn, counted)
        if to in ENDS:
            await db.execute("delete from open_now where case_id = any($1::text[])", those[0])
        else:
            await db.execute(
                _change(to, sets or {}, given), *those, *([column[nth] for nth in turn] for column in columns)
            )


def _turns(cases: Sequence[str]) -> Iterator[list[int]]:
    """The places of a batch, so that no turn has a case twice, and each case keeps its order."""
    nth_of: dict[str, int] = {}
    turns: list[list[int]] = []
    for place, case in enumerate(cases):
        nth = nth_of[case] = nth_of.get(case, -1) + 1
        if nth == len(turns):
            turns.append([])
        turns[nth].append(place)
    return iter(turns)


TYPES = {"due": "timestamptz", "urgent": "boolean", "deadline_minutes": "integer"}


@cache
def _changing(to: Step | None, sets: tuple[tuple[str, str], ...], given: tuple[str, ...]) -> str:
    changes = ["touched = greatest(new.at, o.touched)", *(f"{column} = {value}" for column, value in sets)]
    if to:
        changes += [f"step = '{to}'", "since = greatest(new.at, o.touched)"]
    types = "".join(f", ${nth}::{TYPES.get(name, 'text')}[]" for nth, name in enumerate(given, 3))
    names = "".join(f", {name}" for name in given)
    return f"""update open_now o set {", ".join(changes)}
               from unnest($1::text[], $2::timestamptz[]{types}) as new (case_id, at{names})
               where o.case_id = new.case_id"""  # noqa: S608  # nothing of an event is in it


def _change(to: Step | None, sets: Mapping[str, str], given: Sequence[str]) -> str:
    return _changing(to, tuple(sets.items()), tuple(given))


async def _count(
    db: Connection, cases: Sequence[str], moments: Sequence[datetime], turn: Sequence[int], counted: Sequence[Counted]
) -> None:
    rows = [
        (case, at, it.grids[nth] if it.grids else None, it.what, it.by, it.leaving, it.within)
        for it in counted
        for nth, case, at in zip(turn, cases, moments, strict=True)
        if it.where is None or it.where[nth]
    ]
    if rows:
        await db.execute(COUNTING, *map(list, zip(*rows, strict=True)))


# What comes in.

BEGINNING = """
insert into open_now (case_id, category, grid, place, step, since, touched, body, due, urgent, reported_at)
select case_id, category, grid, point(longitude, latitude), step, at, at, body, due, urgent, at
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float[], $6::float[], $7::timestamptz[], $8::text[],
            $9::timestamptz[], $10::boolean[])
     as new (step, case_id, category, grid, longitude, latitude, at, body, due, urgent)
"""


async def _begin(
    db: Connection,
    events: Batch[CaseReported] | Batch[CaseReopened] | Batch[CaseTakenUp],
    steps: Sequence[Step],
    bodies: Sequence[str],
    dues: Sequence[datetime | None],
    *counted: Counted,
) -> None:
    """Its age counts from here: if it was there before, it was no work until now."""
    cases, moments, grids = map(events.column, ("case", "at", "grid"))
    here = (*counted, Counted(Count.OPEN))
    await _count(db, cases, moments, range(len(cases)), [replace(it, grids=grids) for it in here])
    places: list[Place | None] = events.column("place")
    await db.execute(
        BEGINNING,
        steps,
        *map(events.column, ("case", "category", "grid")),
        [it and it.longitude for it in places],
        [it and it.latitude for it in places],
        moments,
        bodies,
        dues,
        events.column("urgent"),
    )


@figures.on(CaseReported)
async def reported(db: Connection, events: Batch[CaseReported]) -> None:
    by_public = Counted(Count.REPORTED_BY_PUBLIC, where=[it in BY_THE_PUBLIC for it in events.column("reporter_kind")])
    steps = [Step.REPORTED] * len(events)
    await _begin(db, events, steps, [""] * len(steps), [None] * len(steps), Counted(Count.REPORTED), by_public)


@figures.on(CaseReopened)
async def reopened(db: Connection, events: Batch[CaseReopened]) -> None:
    bodies, dues = map(events.column, ("body", "due"))
    await _begin(db, events, [Step.ACCEPTED] * len(dues), bodies, dues, Counted(Count.REOPENED))


@figures.on(CaseTakenUp)
async def taken_up(db: Connection, events: Batch[CaseTakenUp]) -> None:
    bodies, dues = map(events.column, ("body", "due"))
    steps = [Step.ACCEPTED if due else Step.REPORTED for due in dues]
    await _begin(db, events, steps, bodies, dues, Counted(Count.TAKEN_UP))


@figures.on(CasePlaced)
async def placed(db: Connection, events: Batch[CasePlaced]) -> None:
    """From now on it is that grid's; what was reported in none stays counted there."""
    here = Counted(Count.OPEN, grids=events.column("grid"))
    await _follow(db, events, Counted(Count.OPEN, by=-1), here, sets={"grid": "new.grid"}, given=["grid"])


@figures.on(CasePlaceCorrected)
async def place_corrected(db: Connection, events: Batch[CasePlaceCorrected]) -> None:
    await _follow(db, events)
    await db.executemany(
        "update open_now set place = point($2, $3) where case_id = $1",
        [(it.data.case, it.data.place.longitude, it.data.place.latitude) for it in events],
    )


@figures.on(CaseAccepted)
async def accepted(db: Connection, events: Batch[CaseAccepted]) -> None:
    due = "coalesce(new.due, new.at + make_interval(mins => new.deadline_minutes))"
    sets, given = {"due": due, "body": "new.body"}, ["due", "deadline_minutes", "body"]
    await _follow(db, events, Counted(Count.ACCEPTED), to=Step.ACCEPTED, sets=sets, given=given)


# Who has it, and what is done.

ANEW = {"due": "new.due", "warned": "false"}


@figures.on(CaseDispatched)
async def dispatched(db: Connection, events: Batch[CaseDispatched]) -> None:
    counted = (
        Counted(Count.DISPATCHED, leaving=Step.ACCEPTED),
        Counted(Count.DISPATCHED_IN_TIME, leaving=Step.ACCEPTED, within=DISPATCHED_WITHIN),
    )
    await _follow(db, events, *counted, to=Step.DISPATCHED, sets=ANEW, given=["due"])


@figures.on(CaseHandedOver)
async def handed_over(db: Connection, events: Batch[CaseHandedOver]) -> None:
    await _follow(db, events, to=Step.ACCEPTED, sets=ANEW | {"body": "new.body"}, given=["due", "body"])


@figures.on(CaseReturned)
async def returned(db: Connection, events: Batch[CaseReturned]) -> None:
    await _follow(db, events, to=Step.ACCEPTED)


@figures.on(CaseStarted)
async def started(db: Connection, events: Batch[CaseStarted]) -> None:
    await _follow(db, events, to=Step.STARTED)


@figures.on(CasePaused)
async def paused(db: Connection, events: Batch[CasePaused]) -> None:
    await _follow(db, events, to=Step.PAUSED, sets={"due": "null"})


@figures.on(CaseResumed)
async def resumed(db: Connection, events: Batch[CaseResumed]) -> None:
    await _follow(db, events, to=Step.STARTED, sets={"due": "new.due"}, given=["due"])


@figures.on(CaseTimeGiven)
async def time_given(db: Connection, events: Batch[CaseTimeGiven]) -> None:
    await _follow(db, events, sets=ANEW, given=["due"])


@figures.on(CaseUrgencyChanged)
async def urgency_changed(db: Connection, events: Batch[CaseUrgencyChanged]) -> None:
    await _follow(db, events, sets=ANEW | {"urgent": "new.urgent"}, given=["due", "urgent"])


@figures.on(CaseWarned)
async def warned(db: Connection, events: Batch[CaseWarned]) -> None:
    await _follow(db, events, sets={"warned": "true"})


@figures.on(CaseHandedIn)
async def handed_in(db: Connection, events: Batch[CaseHandedIn]) -> None:
    in_time = Counted(Count.HANDED_IN_IN_TIME, where=events.column("on_time"))
    await _follow(db, events, Counted(Count.HANDED_IN), in_time, to=Step.HANDED_IN)


@figures.on(CaseSentBack)
async def sent_back(db: Connection, events: Batch[CaseSentBack]) -> None:
    await _follow(db, events, Counted(Count.SENT_BACK), to=Step.DISPATCHED, sets=ANEW, given=["due"])


@figures.on(CaseVerified)
async def verified(db: Connection, events: Batch[CaseVerified]) -> None:
    await _follow(db, events, to=Step.VERIFIED)


# How it ends.

ONE_LESS = Counted(Count.OPEN, by=-1)
NOT_ACCEPTED = Counted(Count.NOT_ACCEPTED, leaving=Step.REPORTED)


@figures.on(CaseClosed)
async def closed(db: Connection, events: Batch[CaseClosed]) -> None:
    in_time = Counted(Count.CLOSED_IN_TIME, where=events.column("on_time"))
    at_once = Counted(Count.CLOSED_AT_ONCE, where=events.column("first_attempt"))
    await _follow(db, events, Counted(Count.CLOSED), in_time, at_once, ONE_LESS, to=Step.CLOSED)


@figures.on(CaseRefused)
async def refused(db: Connection, events: Batch[CaseRefused]) -> None:
    await _follow(db, events, Counted(Count.REFUSED), NOT_ACCEPTED, ONE_LESS, to=Step.REFUSED)


@figures.on(CaseWithdrawn)
async def withdrawn(db: Connection, events: Batch[CaseWithdrawn]) -> None:
    await _follow(db, events, Counted(Count.WITHDRAWN), NOT_ACCEPTED, ONE_LESS, to=Step.WITHDRAWN)


@figures.on(CaseMerged)
async def merged(db: Connection, events: Batch[CaseMerged]) -> None:
    await _follow(db, events, Counted(Count.MERGED), NOT_ACCEPTED, ONE_LESS, to=Step.MERGED)


@figures.on(CaseRated)
async def rated(db: Connection, events: Batch[CaseRated]) -> None:
    """Older ones do not say in which grid: they count everywhere only."""
    cases, moments = events.column("case"), events.column("at")
    grids = [it or None for it in events.column("grid")]
    satisfied = [it >= SATISFIED_FROM for it in events.column("rating")]
    counted = Counted(Count.RATED, grids=grids), Counted(Count.SATISFIED, where=satisfied, grids=grids)
    for turn in _turns(cases):
        those = [cases[nth] for nth in turn], [moments[nth] for nth in turn]
        await _count(db, *those, turn, counted)


async def _touched(db: Connection, events: Batch[Event]) -> None:
    """It moves nothing, but what comes after it counts from no earlier, whatever its clock said."""
    await _follow(db, events)


for _other in (
    CaseTakenOver,
    CaseHelpAsked,
    CaseHelpGiven,
    CaseTimeAsked,
    CaseTimeRefused,
    CaseAnswered,
    CasePaperDone,
    CaseLookAsked,
    CaseLooked,
    CaseEscalated,
):
    figures.on(_other)(_touched)
