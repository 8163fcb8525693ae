"""By when a case is to be handed in, when it is warned of and escalated, and how that came about.

Numbers of issues are those of other ticket systems: what they got wrong is a test case here.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from contracts.common import DeadlineClock, Title
from contracts.grid_tasks import Rung
from grid_tasks.domain.deadline import LADDER, Limit, Reckoning, Stop, earliest, reckon
from grid_tasks.domain.known_years import NATIONAL
from grid_tasks.domain.reckoning_steps import (
    Allowed,
    Begun,
    Cause,
    Ends,
    NotKnown,
    OffWork,
    Stands,
    Stood,
    Worked,
)
from grid_tasks.domain.working_time import Calendar, Counting, RoundTheClock
from hypothesis import assume, given
from hypothesis import strategies as st

from .calendars import EIGHT_TO_SIX, NOTICES, UNHURRIED, at, moments, posts

MINUTE = timedelta(minutes=1)
HOUR = 60
WAITING = Cause.WAITING_FOR_REPORTER


def working(minutes: int, warn: int | None = None, ladder: dict[Rung, int] | None = None) -> Limit:
    return Limit(DeadlineClock.WORKING_HOURS, minutes, warn_minutes=warn, ladder=ladder)


def natural(minutes: int, warn: int | None = None, ladder: dict[Rung, int] | None = None) -> Limit:
    return Limit(DeadlineClock.CLOCK_HOURS, minutes, warn_minutes=warn, ladder=ladder)


def due(limit: Limit, start: datetime, *stops: Stop, calendar: Calendar = NOTICES) -> datetime:
    found = reckon(limit, start, stops, calendar).due
    assert found is not None
    return found


# The two clocks.


def test_clock_hours_go_on_by_night_and_over_a_holiday() -> None:
    assert due(natural(24 * HOUR), at("2026-09-30", "21:00")) == at("2026-10-01", "21:00")


def test_a_report_outside_working_hours_starts_at_the_next_opening() -> None:  # GLPI 687
    assert due(working(2 * HOUR), at("2026-11-28", "21:10")) == at("2026-11-30", "10:30")


def test_working_hours_leave_out_the_midday_break_and_the_night() -> None:
    assert due(working(5 * HOUR), at("2026-11-26", "10:00")) == at("2026-11-26", "16:30")
    assert due(working(8 * HOUR), at("2026-11-26", "10:00")) == at("2026-11-27", "10:30")


def test_working_hours_leave_out_a_holiday_and_count_the_weekend_day_that_is_worked_for_it() -> None:
    assert due(working(450), at("2026-09-30", "16:30")) == at("2026-10-08", "16:30")
    assert due(working(450), at("2026-10-09", "16:30")) == at("2026-10-10", "16:30")


# The warning.


def test_a_warning_an_hour_before_a_deadline_of_the_next_morning_comes_in_that_morning() -> None:  # GLPI 22678
    found = reckon(working(4 * HOUR, warn=HOUR), at("2026-11-23", "17:00"), (), EIGHT_TO_SIX)
    assert (found.due, found.warn_at) == (at("2026-11-24", "11:00"), at("2026-11-24", "10:00"))


def test_a_warning_that_would_come_at_closing_comes_when_somebody_is_there_again() -> None:
    found = reckon(working(2 * HOUR, warn=HOUR), at("2026-11-27", "17:00"), (), EIGHT_TO_SIX)
    assert (found.due, found.warn_at) == (at("2026-11-30", "09:00"), at("2026-11-30", "08:00"))


def test_a_warning_of_a_deadline_soon_after_opening_comes_the_day_before() -> None:
    found = reckon(working(3 * HOUR, warn=HOUR), at("2026-11-26", "16:00"), (), NOTICES)
    assert (found.due, found.warn_at) == (at("2026-11-27", "10:00"), at("2026-11-27", "09:00"))
    later = reckon(working(100, warn=HOUR), at("2026-11-26", "16:00"), (), NOTICES)
    assert (later.due, later.warn_at) == (at("2026-11-27", "08:40"), at("2026-11-26", "16:40"))


def test_a_warning_waits_while_the_case_waits() -> None:
    stop = Stop(at("2026-11-26", "09:30"), at("2026-11-26", "11:00"))
    found = reckon(working(2 * HOUR, warn=HOUR), at("2026-11-26", "08:30"), (stop,), NOTICES)
    assert (found.warn_at, found.due) == (at("2026-11-26", "11:00"), at("2026-11-26", "12:00"))


def test_the_warning_comes_when_the_stated_share_is_left() -> None:
    limit = Limit(DeadlineClock.CLOCK_HOURS, 4 * HOUR, warn_percent=25)
    assert reckon(limit, at("2026-11-26", "09:00"), (), NOTICES).warn_at == at("2026-11-26", "12:00")


def test_a_warning_that_would_come_before_the_start_comes_at_the_start() -> None:
    assert reckon(working(30, warn=HOUR), at("2026-11-28", "12:00"), (), NOTICES).warn_at == at("2026-11-30", "08:30")


def test_a_warning_of_no_time_at_all_is_the_deadline_itself() -> None:
    found = reckon(working(4 * HOUR, warn=0), at("2026-11-27", "13:30"), (), NOTICES)
    assert found.warn_at == found.due == at("2026-11-27", "17:30")


# The ladder.


def test_the_ladder_goes_from_the_worker_up_to_the_street() -> None:
    assert list(reckon(working(60), at("2026-11-26", "09:00"), (), NOTICES).rungs) == list(Rung) == list(LADDER)


def test_escalations_and_reminders_keep_to_working_hours() -> None:  # Zammad 4432
    found = reckon(working(HOUR), at("2026-11-27", "16:00"), (), NOTICES)  # a Friday
    assert found.rungs == {
        Rung.WORKER: at("2026-11-27", "17:00"),
        Rung.LEADER: at("2026-11-27", "17:00"),
        Rung.INSTRUCTOR: at("2026-11-30", "12:00"),
        Rung.OFFICER_OR_SECRETARY: at("2026-11-30", "17:00"),
        Rung.STREET: at("2026-12-01", "17:00"),
    }


def test_escalations_of_clock_hours_come_by_night_too() -> None:
    found = reckon(natural(HOUR, ladder={Rung.STREET: 300, Rung.LEADER: 30}), at("2026-11-27", "22:00"), (), NOTICES)
    assert found.rungs == {Rung.LEADER: at("2026-11-27", "23:30"), Rung.STREET: at("2026-11-28", "04:00")}
    assert list(found.rungs) == [Rung.LEADER, Rung.STREET]


# The clock stands.


def test_a_pause_puts_off_the_deadline_by_its_working_time() -> None:
    stop = Stop(at("2026-11-26", "09:00"), at("2026-11-26", "14:00"))
    assert due(working(2 * HOUR), at("2026-11-26", "08:30"), stop) == at("2026-11-26", "15:30")


def test_a_pause_outside_working_hours_puts_off_nothing() -> None:
    stop = Stop(at("2026-11-27", "18:00"), at("2026-11-30", "08:00"))
    assert due(working(450), at("2026-11-27", "16:30"), stop) == at("2026-11-30", "16:30")


def test_no_warning_and_no_escalation_of_a_case_that_waits_for_its_reporter() -> None:  # Zammad 3140
    stop = Stop(at("2026-11-26", "09:30"), cause=WAITING)
    found = reckon(working(2 * HOUR, warn=HOUR), at("2026-11-26", "08:30"), (stop,), NOTICES)
    assert (found.due, found.warn_at, found.left, found.left_minutes) == (None, None, 60 * MINUTE, 60)
    assert set(found.rungs.values()) == {None}


def test_a_deadline_that_was_missed_before_the_case_waits_stays_missed_and_goes_no_higher() -> None:
    stop = Stop(at("2026-11-26", "11:00"), cause=WAITING)
    found = reckon(working(2 * HOUR), at("2026-11-26", "08:30"), (stop,), NOTICES)
    assert (found.due, found.left) == (at("2026-11-26", "10:30"), None)
    reached = [rung for rung, told_at in found.rungs.items() if told_at]
    assert reached == [Rung.WORKER, Rung.LEADER]  # the instructor would be told four hours later


def test_a_change_of_urgency_keeps_the_time_that_the_case_was_paused() -> None:  # GLPI 6902
    stop = Stop(at("2026-11-26", "09:00"), at("2026-11-26", "10:00"))
    assert due(natural(4 * HOUR), at("2026-11-26", "08:00"), stop) == at("2026-11-26", "13:00")
    assert due(natural(2 * HOUR), at("2026-11-26", "08:00"), stop) == at("2026-11-26", "11:00")


def test_a_case_that_waits_from_its_first_moment_has_all_its_time_left() -> None:
    found = reckon(working(90), at("2026-11-26", "09:00"), (Stop(at("2026-11-26", "08:00")),), NOTICES)
    assert found.left_minutes == 90


# Several limits.


def test_of_several_limits_the_earliest_counts() -> None:  # Zammad 5177
    first = reckon(natural(2 * HOUR), at("2026-11-26", "09:00"), (), NOTICES)
    second = reckon(working(8 * HOUR), at("2026-11-26", "09:00"), (), NOTICES)
    assert earliest([second, first]) == earliest([first, second]) == first


def test_a_limit_whose_clock_stands_puts_off_no_other() -> None:
    running = reckon(natural(9 * HOUR), at("2026-11-26", "09:00"), (), NOTICES)
    stands = reckon(natural(HOUR), at("2026-11-26", "09:00"), (Stop(at("2026-11-26", "09:30")),), NOTICES)
    longer = reckon(natural(3 * HOUR), at("2026-11-26", "09:00"), (Stop(at("2026-11-26", "09:30")),), NOTICES)
    assert earliest([stands, running]) == running
    assert earliest([longer, stands]) == stands


# How it came about.


def test_an_answer_says_how_the_deadline_came_about() -> None:
    stop = Stop(at("2026-10-08", "09:00"), at("2026-10-08", "13:50"))
    found = reckon(working(20 * HOUR), at("2026-10-03", "21:10"), (stop,), NOTICES)
    assert found.why == (
        Allowed(DeadlineClock.WORKING_HOURS, 20 * HOUR),
        Begun(at("2026-10-03", "21:10"), at("2026-10-08", "08:30")),
        OffWork(date(2026, 10, 1), date(2026, 10, 7), NATIONAL),
        Stood(Cause.PAUSED, stop.since, at("2026-10-08", "13:50"), timedelta(hours=3, minutes=20)),
        Worked(date(2026, 10, 10)),
        Ends(at("2026-10-12", "09:20")),
    )
    assert [step.said().en for step in found.why] == [
        "20 h of working time are given",
        "begun Saturday 3 Oct 2026 21:10, outside working hours: counted from Thursday 8 Oct 2026 08:30",
        "1 Oct 2026 to 7 Oct 2026 are National Day",
        "paused 3 h 20 min (Thursday 8 Oct 2026 09:00 to Thursday 8 Oct 2026 13:50)",
        "Saturday 10 Oct 2026 is worked, for a day off elsewhere",
        "due Monday 12 Oct 2026 09:20",
    ]
    assert [step.said().zh for step in found.why] == [
        "时限 20 小时（工作时）",
        "2026年10月3日（周六） 21:10 不在工作时间，自 2026年10月8日（周四） 08:30 起计",
        "2026年10月1日 至 2026年10月7日 国庆节放假",
        "挂起 3 小时 20 分钟（2026年10月8日（周四） 09:00 至 2026年10月8日（周四） 13:50）",
        "2026年10月10日（周六） 调休上班",
        "2026年10月12日（周一） 09:20 到期",
    ]


def test_a_pause_that_was_noted_in_two_parts_is_told_as_one() -> None:
    morning = at("2026-11-26", "09:00"), at("2026-11-26", "10:00")
    parts = (Stop(at("2026-11-26", "09:40"), morning[1]), Stop(morning[0], at("2026-11-26", "09:40")))
    found = reckon(working(2 * HOUR), at("2026-11-26", "08:30"), parts, NOTICES)
    assert [it for it in found.why if isinstance(it, Stood)] == [Stood(Cause.PAUSED, *morning, 60 * MINUTE)]
    other = reckon(working(2 * HOUR), at("2026-11-26", "08:30"), (parts[0], replace(parts[1], cause=WAITING)), NOTICES)
    assert [it.cause for it in other.why if isinstance(it, Stood)] == [WAITING, Cause.PAUSED]


def test_a_case_that_stands_within_a_holiday_tells_of_the_whole_holiday() -> None:
    found = reckon(working(450), at("2026-09-30", "16:30"), (Stop(at("2026-10-03", "09:00")),), NOTICES)
    assert OffWork(date(2026, 10, 1), date(2026, 10, 7), NATIONAL) in found.why


def test_while_the_clock_stands_the_answer_says_since_when_and_what_is_left() -> None:
    stop = Stop(at("2026-11-26", "09:30"), cause=WAITING)
    found = reckon(working(2 * HOUR), at("2026-11-26", "08:30"), (stop,), NOTICES)
    assert found.why[-1] == Stands(WAITING, stop.since, 60 * MINUTE)
    said = found.why[-1].said()
    assert said.en == "waiting for the reporter since Thursday 26 Nov 2026 09:30: the clock stands with 1 h left"
    assert said.zh == "自 2026年11月26日（周四） 09:30 起等待反映人补充，停止计时，剩余 1 小时"


def test_a_deadline_in_a_year_whose_notice_is_not_entered_says_so() -> None:
    found = reckon(working(450), at("2026-12-31", "16:30"), (), NOTICES)
    assert found.due == at("2027-01-01", "16:30")
    assert NotKnown(2027) in found.why
    assert NotKnown(2027) not in reckon(natural(24 * HOUR), at("2026-12-31", "16:30"), (), NOTICES).why
    assert NotKnown(2026) not in found.why


def test_clock_hours_name_no_holiday_for_none_counts() -> None:
    found = reckon(natural(24 * HOUR), at("2026-10-01", "09:00"), (), NOTICES)
    assert [type(step) for step in found.why] == [Allowed, Begun, Ends]


def test_a_time_that_ended_after_the_deadline_is_no_reason_of_it() -> None:
    later = Stop(at("2026-11-26", "11:00"), at("2026-11-26", "12:00"))
    found = reckon(natural(HOUR), at("2026-11-26", "09:00"), (later,), NOTICES)
    assert not [step for step in found.why if isinstance(step, Stood)]


# What is no limit and no stop.


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 0},
        {"minutes": 60, "warn_percent": 101},
        {"minutes": 60, "warn_minutes": -1},
        {"minutes": 60, "ladder": {Rung.LEADER: 60, Rung.STREET: 30}},
        {"minutes": 60, "ladder": {Rung.WORKER: -1}},
    ],
)
def test_a_limit_gives_time_warns_before_its_end_and_goes_up(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"limit|warning|ladder"):
        Limit(DeadlineClock.WORKING_HOURS, **wrong)  # pyright: ignore[reportArgumentType]


def test_a_stop_that_ends_before_it_begins_and_times_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="ends after"):
        Stop(at("2026-11-26", "11:00"), at("2026-11-26", "10:00"))
    with pytest.raises(ValueError, match="without a zone"):
        Stop(datetime(2026, 11, 26, 9))
    with pytest.raises(ValueError, match="without a zone"):
        reckon(working(60), datetime(2026, 11, 26, 9), (), NOTICES)


# What holds for every limit, start, calendar and stops.

STARTS = moments()


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    after = sorted(draw(st.lists(st.integers(0, 3000), min_size=len(Rung), max_size=len(Rung))))
    return Limit(
        draw(st.sampled_from(DeadlineClock)),
        draw(st.integers(1, 3000)),
        warn_percent=draw(st.integers(0, 100)),
        warn_minutes=draw(st.none() | st.integers(0, 4000)),
        ladder=dict(zip(Rung, after, strict=True)),
    )


@st.composite
def histories(draw: st.DrawFn, *, still: bool | None = False) -> tuple[datetime, list[Stop]]:
    """A start, and stops about it: some before, some over each other, and one that lasts still, or None for either."""
    start = draw(STARTS)
    stops: list[Stop] = []
    for _ in range(draw(st.integers(0, 5))):
        since = start + draw(st.integers(-600, 8000)) * MINUTE
        until = since + draw(st.integers(0, 3000)) * MINUTE
        stops.append(Stop(since, until, draw(st.sampled_from(Cause))))
    if still or (still is None and draw(st.booleans())):
        stops.append(Stop(start + draw(st.integers(-600, 8000)) * MINUTE))
    return start, draw(st.permutations(stops))


def counting(limit: Limit, calendar: Calendar) -> Counting:
    return calendar if limit.clock is DeadlineClock.WORKING_HOURS else RoundTheClock()


def running(time: Counting, start: datetime, end: datetime, stops: Sequence[Stop]) -> timedelta:
    """How long the clock ran until the end, looked at piece by piece between all the edges."""
    edges = {start, end} | {it.since for it in stops} | {it.until for it in stops if it.until}
    inside = sorted(it for it in edges if start <= it <= end)
    return sum(
        (
            time.between(one, next_)
            for one, next_ in pairwise(inside)
            if not any(it.since <= one and (it.until is None or next_ <= it.until) for it in stops)
        ),
        timedelta(),
    )


@UNHURRIED
@given(limits(), histories(), posts())
def test_until_the_deadline_the_clock_has_run_for_just_the_time_that_was_given(
    limit: Limit, history: tuple[datetime, list[Stop]], calendar: Calendar
) -> None:
    start, stops = history
    time, end = counting(limit, calendar), due(limit, start, *stops, calendar=calendar)
    assert running(time, start, end, stops) == limit.allowed
    assert running(time, start, end - timedelta(seconds=1), stops) < limit.allowed


@UNHURRIED
@given(limits(), histories(still=True), posts())
def test_while_the_clock_stands_what_ran_and_what_is_left_are_what_was_given(
    limit: Limit, history: tuple[datetime, list[Stop]], calendar: Calendar
) -> None:
    start, stops = history
    found = reckon(limit, start, stops, calendar)
    ran = running(counting(limit, calendar), start, start + timedelta(days=400), stops)
    if found.left is None:
        assert ran >= limit.allowed
    else:
        assert (found.due, found.left) == (None, limit.allowed - ran)
        assert found.left > timedelta()


@UNHURRIED
@given(limits(), STARTS, posts(), st.integers(-600, 8000), st.integers(0, 3000))
def test_a_stop_puts_off_the_deadline_by_just_the_clocks_time_in_it(
    limit: Limit, start: datetime, calendar: Calendar, after: int, long: int
) -> None:
    stop = Stop(start + after * MINUTE, start + (after + long) * MINUTE)
    time, before = counting(limit, calendar), due(limit, start, calendar=calendar)
    put_off = time.between(before, due(limit, start, stop, calendar=calendar))
    counted = time.between(max(stop.since, start), stop.until or start)
    assert put_off == (counted if stop.since < before else timedelta())


@UNHURRIED
@given(limits(), histories(still=None), posts())
def test_the_warning_comes_before_the_deadline_and_the_deadline_before_each_rung(
    limit: Limit, history: tuple[datetime, list[Stop]], calendar: Calendar
) -> None:
    start, stops = history
    found = reckon(limit, start, stops, calendar)
    order = [found.warn_at, found.due, *found.rungs.values()]
    reached = [it for it in order if it]
    assert reached == sorted(reached)
    assert order == [*reached, *[None] * (len(order) - len(reached))]
    assert all(it >= start for it in reached)


@UNHURRIED
@given(limits(), histories(still=None), posts())
def test_working_hours_warn_end_and_escalate_while_it_is_open(
    limit: Limit, history: tuple[datetime, list[Stop]], calendar: Calendar
) -> None:
    assume(limit.clock is DeadlineClock.WORKING_HOURS)
    found = reckon(limit, *history, calendar)
    for moment in filter(None, [found.due, *found.rungs.values()]):
        assert calendar.add(moment, timedelta()) == moment
    if found.warn_at and found.warn_at != found.due:
        assert calendar.next_opening(found.warn_at) == found.warn_at


@UNHURRIED
@given(limits(), histories(still=None), posts())
def test_nobody_is_warned_while_the_case_waits(
    limit: Limit, history: tuple[datetime, list[Stop]], calendar: Calendar
) -> None:
    start, stops = history
    found = reckon(limit, start, stops, calendar)
    if found.warn_at and found.warn_at != found.due:
        assert not any(it.since <= found.warn_at and (not it.until or found.warn_at < it.until) for it in stops)


@UNHURRIED
@given(limits(), histories(still=None), posts(), st.integers(1, 500))
def test_more_minutes_never_bring_the_deadline_forward(
    limit: Limit, history: tuple[datetime, list[Stop]], calendar: Calendar, more: int
) -> None:
    one = reckon(limit, *history, calendar)
    other = reckon(Limit(limit.clock, limit.minutes + more), *history, calendar)
    assert other.due is None or (one.due is not None and one.due < other.due)


@UNHURRIED
@given(limits(), histories(still=None), posts(), st.data())
def test_it_is_all_one_how_the_stops_are_cut(
    limit: Limit, history: tuple[datetime, list[Stop]], calendar: Calendar, data: st.DataObject
) -> None:
    start, stops = history
    cut: list[Stop] = []
    for stop in stops:
        if stop.until:
            middle = stop.since + data.draw(st.integers(0, (stop.until - stop.since) // MINUTE)) * MINUTE
            cut += [Stop(middle, stop.until, stop.cause), Stop(stop.since, middle, stop.cause)]
        else:
            cut.append(stop)
    assert moments_of(reckon(limit, start, cut, calendar)) == moments_of(reckon(limit, start, stops, calendar))


@UNHURRIED
@given(limits(), histories(still=None), posts())
def test_stops_that_lie_over_each_other_count_once(
    limit: Limit, history: tuple[datetime, list[Stop]], calendar: Calendar
) -> None:
    start, stops = history
    assert reckon(limit, start, [*stops, *stops], calendar) == reckon(limit, start, stops, calendar)


def moments_of(found: Reckoning) -> object:
    return (found.due, found.left, found.warn_at, found.rungs)


@UNHURRIED
@given(limits(), histories(still=None), st.just(NOTICES))
def test_every_holiday_that_is_counted_is_one_that_the_calendar_shows(  # Zammad 390
    limit: Limit, history: tuple[datetime, list[Stop]], calendar: Calendar
) -> None:
    assume(limit.clock is DeadlineClock.WORKING_HOURS)
    start, stops = history
    found = reckon(limit, start, stops, calendar)
    named = [
        step.first + timedelta(days=nth)
        for step in found.why
        if isinstance(step, OffWork)
        for nth in range((step.last - step.first).days + 1)
    ]
    assert set(named) <= set(calendar.days_off)
    assert len(named) == len(set(named))
    end = found.due or max(start, min(it.since for it in stops if it.until is None))
    passed = {start.date() + timedelta(days=nth) for nth in range((end.date() - start.date()).days + 1)}
    assert passed & set(calendar.days_off) <= set(named)
    assert {step.day for step in found.why if isinstance(step, Worked)} == passed & calendar.moved
    assert {step.year for step in found.why if isinstance(step, NotKnown)} == {
        day.year for day in passed
    } - calendar.years


@UNHURRIED
@given(limits(), histories(still=None), posts())
def test_each_step_is_said_in_chinese_and_english(
    limit: Limit, history: tuple[datetime, list[Stop]], calendar: Calendar
) -> None:
    said = [step.said() for step in reckon(limit, *history, calendar).why]
    assert all(isinstance(it, Title) and it.en.isascii() for it in said)
