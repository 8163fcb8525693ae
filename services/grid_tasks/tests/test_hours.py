"""Hours of a week: whatever the registry takes is read whole, and what is no hours is no error."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from contracts.common import Post
from grid_tasks.domain.hours import Shift, Window, at, of_day, shifts, within
from grid_tasks.domain.meeting import WALKING, windows
from grid_tasks.domain.placing import Candidate
from grid_tasks.domain.working_time import CHINA, Calendar
from hypothesis import example, given
from hypothesis import strategies as st

MONDAY = date(2026, 11, 23)
SUNDAY = MONDAY - timedelta(days=1)
DAYS = Calendar()


@dataclass(frozen=True)
class Part:
    """Some hours, as the registry's pattern has them, and what they say."""

    written: str
    days: frozenset[int]
    opens: int
    closes: int


@st.composite
def parts(draw: st.DrawFn) -> Part:
    """`[1-7](?:[-,][1-7])* HH:MM-HH:MM`, and 24:00 only at the end."""
    days = draw(st.lists(st.integers(1, 7), min_size=1, max_size=5))
    signs = draw(st.lists(st.sampled_from("-,"), min_size=len(days) - 1, max_size=len(days) - 1))
    opens, closes = draw(st.integers(0, 1439)), draw(st.integers(0, 1440))
    meant = {days[0]}
    for sign, first, last in zip(signs, days, days[1:], strict=False):
        while sign == "-" and first != last:
            meant.add(first := first % 7 + 1)
        meant.add(last)
    listed = "".join(it for pair in zip(["", *signs], map(str, days), strict=True) for it in pair)
    clock = [f"{it // 60:02}:{it % 60:02}" for it in (opens, closes)]
    return Part(f"{listed} {'-'.join(clock)}", frozenset(meant), opens, closes)


weeks = st.lists(parts(), min_size=1, max_size=4)
moments = st.integers(0, 14 * 1440 * 60).map(
    lambda seconds: datetime(2026, 11, 23, tzinfo=CHINA) + timedelta(0, seconds)
)


def is_on(part: Part, moment: datetime) -> bool:
    """Whether they began on that day or the day before and are not over."""
    for back in (0, 1):
        midnight = datetime(moment.year, moment.month, moment.day, tzinfo=CHINA) - timedelta(days=back)
        closes = part.closes + (1440 if part.closes <= part.opens else 0)
        here = midnight + timedelta(minutes=part.opens) <= moment < midnight + timedelta(minutes=closes)
        if here and midnight.isoweekday() in part.days:
            return True
    return False


@given(weeks, moments, st.sampled_from([";", "; "]))
def test_whatever_the_registry_takes_says_when_somebody_is_on_duty(
    week: list[Part], moment: datetime, between: str
) -> None:
    them = Candidate("li", Post.GRID_WORKER, hours=between.join(it.written for it in week))
    assert them.on_duty(moment) == any(is_on(it, moment) for it in week)


@given(weeks, st.integers(0, 30).map(lambda nth: MONDAY + timedelta(days=nth)))
def test_rounds_knock_when_these_hours_are_and_at_no_other_time(week: list[Part], day: date) -> None:
    found = windows("people", ";".join(it.written for it in week), day, DAYS)
    for minute in range(0, 1440, 15):
        moment = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=CHINA)
        knocking = any(it.opens <= minute < it.closes for it in found)
        walking = any(it.opens <= minute < it.closes for it in WALKING)
        assert knocking == (walking and any(is_on(it, moment) for it in week))


@given(st.text() | st.from_regex(r"[1-9,;: -]*24:[0-9]{2}-[0-9:]*"), moments)
@example("99 99:99-99:99", datetime(2026, 11, 23, tzinfo=CHINA))
@example("1-5 25:00-26:00", datetime(2026, 11, 23, tzinfo=CHINA))
@example("1-5 ٠٩:٠٠-١٨:٠٠", datetime(2026, 11, 23, tzinfo=CHINA))
def test_what_is_no_hours_raises_nothing(text: str, moment: datetime) -> None:
    them = Candidate("li", Post.GRID_WORKER, hours=text)
    assert them.on_duty(moment) or shifts(text)
    windows("units", text, moment.date(), DAYS)


@pytest.mark.parametrize("text", ["", "看情况", "1-5", "8 09:00-18:00", "1-5 24:00-25:00", "1-5 09:00–18:00"])
def test_what_is_no_hours_is_as_if_nothing_were_written(text: str) -> None:
    assert shifts(text) == []
    assert windows("people", text, MONDAY, DAYS) == windows("people", "", MONDAY, DAYS)


def test_what_can_be_read_counts_beside_what_cannot() -> None:
    assert shifts("看情况; 1 09:00-10:00") == [Shift(frozenset({1}), at(9), at(10))]


def test_what_comes_after_midnight_belongs_to_the_day_on_which_it_began() -> None:
    nights = shifts("1-5 22:00-06:00")
    assert of_day(nights, 1, 7) == [Window(at(22), at(24))], "nobody came on Sunday evening"
    assert of_day(nights, 2, 1) == [Window(0, at(6)), Window(at(22), at(24))]
    assert of_day(nights, 6, 5) == [Window(0, at(6))]


def test_a_shift_of_a_whole_day_and_days_over_the_end_of_the_week() -> None:
    monday = datetime(2026, 11, 23, tzinfo=CHINA)
    of_a_day = shifts("7 08:00-08:00")
    assert [within(of_a_day, monday + timedelta(hours=it)) for it in (-17, -16, 7, 8)] == [False, True, True, False]
    assert shifts("6-1 09:00-24:00") == [Shift(frozenset({6, 7, 1}), at(9), at(24))]


def test_who_is_at_home_until_the_morning_after_can_be_met_in_it() -> None:
    assert windows("people", "7 18:00-10:00", MONDAY, DAYS) == (Window(at(8, 30), at(10)),)
    assert windows("people", "7 18:00-10:00", SUNDAY, DAYS) == (Window(at(18), at(21)),)
