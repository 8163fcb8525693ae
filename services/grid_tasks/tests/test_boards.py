"""What boards and indicators say, held against the events themselves, counted anew by plain Python."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from contracts.grid_tasks import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseHandedIn,
    CaseHandedOver,
    CaseMerged,
    CaseRated,
    CaseRefused,
    CaseReopened,
    CaseReported,
    CaseReturned,
    CaseSentBack,
    CaseTakenUp,
    CaseWithdrawn,
)
from events import Connection, Event
from grid_tasks.domain.case import CASE, Case, Step
from grid_tasks.domain.counts import BY_THE_PUBLIC, COUNTS, DISPATCHED_WITHIN, INDICATORS, Count, rates
from grid_tasks.domain.moves import ENDS
from grid_tasks.domain.working_time import CHINA
from grid_tasks.read_models.boards import (
    AGES,
    FLOW,
    By,
    OpenWork,
    Stay,
    counts_of,
    end_of,
    open_work_by,
    places,
    stays,
    weeks,
)

from .lives import life
from .roster import follow, recorded
from .trade import NINE

GRIDS = ("G1", "G2", "G3")
LATE_IN_HAND = (Step.ACCEPTED, Step.DISPATCHED, Step.STARTED)


def town(seed: int, cases: int = 60, days: int = 20) -> list[list[Event]]:
    """What happened to some cases, within some weeks."""
    random = Random(seed)  # noqa: S311
    return [
        life(f"c{nth}", random, NINE + timedelta(minutes=random.randrange(days * 1440)), GRIDS) for nth in range(cases)
    ]


def mixed(lives: Sequence[Sequence[Event]], seed: int) -> list[Event]:
    """All events, those of different cases in any order."""
    random = Random(seed)  # noqa: S311
    turns = [nth for nth, each in enumerate(lives) for _ in each]
    random.shuffle(turns)
    left = [list(each) for each in lives]
    return [left[turn].pop(0) for turn in turns]


def end_of_all(lives: Sequence[Sequence[Event]]) -> datetime:
    return max(at for log in lives for _, at, *_ in steps_of(log)) + timedelta(hours=1)


# Counted anew, as docs/indicators.md says it.


def steps_of(log: Sequence[Event]) -> Iterable[tuple[Event, datetime, Case, datetime, Case]]:
    """Each event and when it counts, with the case before it, when it had come to its step, and the case after it."""
    case, since, at = Case(), EVER, EVER
    for event in log:
        after, at = CASE.fold([event], case), max(at, event.model_dump()["at"])
        yield event, at, case, since, after
        if after.step is not case.step or isinstance(event, ANEW):
            since = at
        case = after


EVER = datetime(2000, 1, 1, tzinfo=UTC)
ANEW = CaseDispatched | CaseHandedOver | CaseReturned
"""Moves that may lead from a step to the same one."""


def flows(log: Sequence[Event], first: date, last: date) -> Iterable[tuple[Count, str]]:
    """What this case counts for in these days, and in which grid."""
    for event, at, before, since, after in steps_of(log):
        if first <= at.astimezone(CHINA).date() <= last:
            yield from ((what, after.grid) for what in counts_for(event, before, at - since))


def counts_for(event: Event, before: Case, waited: timedelta) -> Iterable[Count]:
    if isinstance(event, CaseRefused | CaseWithdrawn | CaseMerged) and before.step is Step.REPORTED:
        yield Count.NOT_ACCEPTED
    match event:
        case CaseReported(reporter_kind=kind):
            yield from [Count.REPORTED, *([Count.REPORTED_BY_PUBLIC] if kind in BY_THE_PUBLIC else [])]
        case CaseAccepted():
            yield Count.ACCEPTED
        case CaseRefused():
            yield Count.REFUSED
        case CaseWithdrawn():
            yield Count.WITHDRAWN
        case CaseMerged():
            yield Count.MERGED
        case CaseTakenUp():
            yield Count.TAKEN_UP
        case CaseDispatched() if before.step is Step.ACCEPTED:
            yield Count.DISPATCHED
            yield from [Count.DISPATCHED_IN_TIME] if waited <= DISPATCHED_WITHIN else []
        case CaseHandedIn(on_time=in_time):
            yield from [Count.HANDED_IN, *([Count.HANDED_IN_IN_TIME] if in_time else [])]
        case CaseSentBack():
            yield Count.SENT_BACK
        case CaseClosed(on_time=in_time, first_attempt=at_once):
            yield from [Count.CLOSED, *([Count.CLOSED_IN_TIME] if in_time else [])]
            yield from [Count.CLOSED_AT_ONCE] if at_once else []
        case CaseReopened():
            yield Count.REOPENED
        case CaseRated(rating=rating):
            yield from [Count.RATED, *([Count.SATISFIED] if rating >= 4 else [])]
        case _:
            pass


def standing(log: Sequence[Event], moment: datetime) -> Iterable[tuple[Count, str]]:
    """What this case counts for just before this moment, and in which grid."""
    case, since = Case(), EVER
    for event, at, before, _, after in steps_of(log):
        if at >= moment:
            break
        if after.step is not before.step or isinstance(event, ANEW):
            since = at
        case = after
    if case.step is None:
        return
    if case.step in ENDS:
        return
    yield Count.OPEN, case.grid
    if case.step is Step.ACCEPTED and since + DISPATCHED_WITHIN < moment:
        yield Count.LATE_TO_DISPATCH, case.grid
    if case.due and case.due < moment:
        yield Count.LATE_TO_CLOSE, case.grid
        if case.step in LATE_IN_HAND:
            yield Count.LATE_TO_HAND_IN, case.grid


def counted(lives: Sequence[Sequence[Event]], first: date, last: date, now: datetime) -> Counter[tuple[Count, str]]:
    moment = min(end_of(last), now)
    return Counter(it for log in lives for it in (*flows(log, first, last), *standing(log, moment)))


PERIODS = [(date(2026, 11, 24), date(2026, 12, 31)), (date(2026, 11, 30), date(2026, 12, 6)), (date(2026, 12, 3),) * 2]


@pytest.mark.parametrize("seed", range(8))
async def test_two_who_count_from_the_events_get_the_same(db: Connection, seed: int) -> None:
    lives = town(seed)
    await follow(db, *mixed(lives, seed), at_a_time=1 + 37 * seed)
    over = end_of_all(lives)
    for first, last in PERIODS:
        for now in (over, over + timedelta(days=400)):
            expected = counted(lives, first, last, now)
            for grid in (None, *GRIDS, ""):
                there = {what: sum(expected[what, it] for it in (*GRIDS, "") if grid in (None, it)) for what in Count}
                assert await counts_of(db, first, last, now, grid=grid) == there


@pytest.mark.parametrize("seed", range(3))
async def test_the_figures_are_the_same_however_the_events_come(db: Connection, seed: int) -> None:
    lives = town(seed)
    await follow(db, *mixed(lives, 1), at_a_time=1)
    expected = await everything(db)
    for at_a_time in (7, 100_000):
        await db.execute(
            "truncate open_now, stay_count, day_count, board_case, open_case, last_case, field_case, field_part"
        )
        await follow(db, *mixed(lives, at_a_time), at_a_time=at_a_time)
        assert await everything(db) == expected


async def everything(db: Connection) -> list[object]:
    tables = ("open_now", "stay_count", "day_count")
    return [sorted(map(str, await db.fetch(f"select * from {table}"))) for table in tables]


# Boards.


@pytest.mark.parametrize("seed", range(3))
async def test_open_work_is_counted_by_step_grid_department_category_and_age(db: Connection, seed: int) -> None:
    lives = town(seed, days=5)
    await follow(db, *mixed(lives, seed))
    now = NINE + timedelta(days=6)
    begun = {log[0].model_dump()["case"]: log for log in lives}
    cases = {name: case for name, log in begun.items() if (case := CASE.fold(log)).step not in ENDS}

    def key(case: Case, by: By) -> str:
        match by:
            case By.STEP:
                return str(case.step)
            case By.GRID:
                return case.grid
            case By.DEPARTMENT:
                return case.body
            case By.CATEGORY:
                return case.category
            case By.AGE:
                age = (now - open_since(begun[case.id])) / timedelta(days=1)
                return str(sum(age >= it for it in AGES))

    for by in By:
        expected: dict[str, OpenWork] = {}
        for case in cases.values():
            late = bool(case.step in LATE_IN_HAND and case.due and case.due < now)
            so_far = expected.get(key(case, by), OpenWork(key(case, by), 0, 0, 0, 0))
            expected[key(case, by)] = OpenWork(
                so_far.key,
                so_far.open + 1,
                so_far.late + late,
                so_far.warned + (case.warned and not late),
                so_far.urgent + case.urgent,
            )
        found = await open_work_by(db, by, now)
        assert {it.key: it for it in found} == expected
        assert [it.key for it in found] == sorted(expected)
    assert sum(it.open for it in await open_work_by(db, By.STEP, now, grid="G1")) == sum(
        case.grid == "G1" for case in cases.values()
    )


def open_since(log: Sequence[Event]) -> datetime:
    return max(at for event, at, *_ in steps_of(log) if isinstance(event, CaseReported | CaseReopened | CaseTakenUp))


@pytest.mark.parametrize("seed", range(3))
async def test_where_it_gets_stuck_is_told_by_the_stays_that_ended_in_the_period(db: Connection, seed: int) -> None:
    lives = town(seed, cases=150)
    await follow(db, *mixed(lives, seed))
    first, last = date(2026, 11, 28), date(2026, 12, 9)
    took: dict[Step, list[int]] = {}
    for log in lives:
        for event, at, before, since, after in steps_of(log):
            moved = after.step is not before.step or isinstance(event, ANEW)
            if moved and first <= at.astimezone(CHINA).date() <= last and before.step and before.step not in ENDS:
                took.setdefault(before.step, []).append((at - since) // timedelta(minutes=1))
    expected = [
        Stay(step, len(minutes), two_digits(percentile(minutes, 50)), two_digits(percentile(minutes, 90)))
        for step in Step
        if (minutes := took.get(step))
    ]
    assert len(expected) > 4
    assert await stays(db, first, last) == expected


def percentile(minutes: Sequence[int], of_a_hundred: int) -> int:
    """By nearest rank: the smallest that so many of a hundred do not exceed."""
    return sorted(minutes)[-(-len(minutes) * of_a_hundred // 100) - 1]


def two_digits(number: int) -> int:
    text = str(number)
    digits = int(text[:2])
    if len(text) > 1:
        digits -= 0 if digits < 20 else digits % 2 if digits < 50 else digits % 5
    return int(str(digits) + "0" * (len(text) - 2))


async def test_what_comes_and_goes_is_told_by_weeks(db: Connection) -> None:
    lives = town(5)
    await follow(db, *mixed(lives, 5))
    found = await weeks(db, date(2026, 12, 2), date(2026, 12, 15))
    assert [it.first for it in found] == [date(2026, 11, 30), date(2026, 12, 7), date(2026, 12, 14)]
    late = NINE + timedelta(days=900)
    for week in found:
        expected = counted(lives, week.first, week.first + timedelta(days=6), late)
        for what in (*FLOW, Count.OPEN):
            assert week.counts[what] == sum(count for (it, _), count in expected.items() if it is what)
    assert sum(it.counts[Count.REPORTED] for it in found) > 10


async def test_places_are_those_of_open_cases_within_reach(db: Connection) -> None:
    lives = town(2)
    await follow(db, *mixed(lives, 2))
    open_ones = {case.id: case for log in lives if (case := CASE.fold(log)).step not in ENDS}
    everywhere = await places(db, NINE, None, limit=1000)
    assert {it.case for it in everywhere} == set(open_ones)
    for it in everywhere:
        place = open_ones[it.case].place
        assert place
        assert (it.longitude, it.latitude) == (place.longitude, place.latitude)
    there = await places(db, NINE, ["G1", ""], limit=1000)
    assert {it.case for it in there} == {name for name, case in open_ones.items() if case.grid in ("G1", "")}
    west = [it for it in everywhere if it.longitude <= 120.1]
    assert 0 < len(west) < len(everywhere)
    assert await places(db, NINE, None, box=(120, 30, 120.1, 31), limit=1000) == west
    assert await places(db, NINE, None, limit=3) == everywhere[:3]


# The document.

DOCUMENT = (Path(__file__).parents[3] / "docs" / "indicators.md").read_text(encoding="utf-8")


def test_the_document_has_every_count_and_indicator_as_it_is() -> None:
    for it in INDICATORS:
        line = f"| `{it.code}` | {it.title.zh} {it.title.en} | {it.formula.en} | {it.formula.zh} |"
        assert line in DOCUMENT
    for code, (name, what) in COUNTS.items():
        assert f"| `{code}` | {name} | {what.en} | {what.zh} |" in DOCUMENT
    assert DOCUMENT.count("\n| `") == len(INDICATORS) + len(COUNTS)


async def test_its_query_finds_the_same_in_the_events_alone(db: Connection) -> None:
    [query] = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)
    for nth, name in enumerate(("first", "last", "at", "grid"), 1):
        query = re.sub(rf"(?<!:):{name}\b", f"${nth}", query)
    lives = town(11)
    events = mixed(lives, 11)
    await db.execute("create schema log")
    await db.execute("create table log.events (stream text, version integer, type text, data json)")
    rows = [(raw.stream, raw.version, raw.type, raw.data.decode()) for raw in recorded(*events)]
    await db.copy_records_to_table("events", schema_name="log", records=rows)
    await follow(db, *events)
    now = end_of_all(lives)
    for first, last in PERIODS:
        for grid in (None, "G1", ""):
            found = {Count(row[0]): row[1] for row in await db.fetch(query, first, last, now, grid)}
            assert dict.fromkeys(Count, 0) | found == await counts_of(db, first, last, now, grid=grid)


def test_a_rate_with_nothing_to_divide_by_is_none_and_no_other_but_reopening_exceeds_one() -> None:
    assert {value for *_, value in rates({})} == {None}
    for it in INDICATORS:
        assert it.code == "reopening" or it.numerator in it.denominator or it.numerator in PARTS[it.denominator[0]]


PARTS = {
    Count.REPORTED: {Count.REPORTED_BY_PUBLIC},
    Count.DISPATCHED: {Count.DISPATCHED_IN_TIME},
    Count.HANDED_IN: {Count.HANDED_IN_IN_TIME},
    Count.CLOSED: {Count.CLOSED_IN_TIME, Count.CLOSED_AT_ONCE},
    Count.RATED: {Count.SATISFIED},
}
