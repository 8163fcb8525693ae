"""Working days and hours: what is open when, and how much working time lies between two moments."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from grid_tasks.domain.known_years import KNOWN_YEARS
from grid_tasks.domain.working_time import Calendar, Span, hours_of
from hypothesis import given
from hypothesis import strategies as st

from .calendars import NOTICES, UNHURRIED, at, moments, posts

MINUTE = timedelta(minutes=1)
MINUTES = st.integers(0, 20 * 450).map(lambda it: it * MINUTE)


# Days.


def test_opening_hours_are_read_as_they_are_written_and_what_is_none_is_refused() -> None:
    assert hours_of("09:00-12:00, 14:00-17:00") == (Span(time(9), time(12)), Span(time(14), time(17)))
    assert hours_of("00:00-24:00") == (Span(time(), time()),)
    for wrong in ("", "9-17", "09:00", "17:00-09:00", "09:00-25:00"):
        with pytest.raises(ValueError, match=r"."):
            hours_of(wrong)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-11-26", True),  # a Thursday
        ("2026-11-28", False),  # a Saturday
        ("2026-10-01", False),  # National Day, a Thursday
        ("2026-10-08", True),  # the Thursday after
        ("2026-10-10", True),  # a Saturday, worked for National Day
        ("2026-02-14", True),  # a Saturday, worked for the Spring Festival
        ("2026-02-23", False),  # the Monday that ends the Spring Festival
        ("2025-10-06", False),  # the Mid-Autumn Festival, within National Day
    ],
)
def test_a_day_is_worked_as_the_notice_says_and_else_by_the_week(day: str, worked: bool) -> None:
    assert NOTICES.is_working_day(date.fromisoformat(day)) is worked


@pytest.mark.parametrize(("year", "worked"), [(2025, 248), (2026, 248)])
def test_a_year_has_as_many_working_days_as_people_are_paid_for(year: int, worked: int) -> None:
    days = (date(year, 1, 1) + timedelta(days=nth) for nth in range(365))
    assert sum(map(NOTICES.is_working_day, days)) == worked


def test_a_notice_takes_thirteen_working_days_off_when_what_is_worked_instead_is_counted() -> None:
    """The law gives 13 days since 2025 (《全国年节及纪念日放假办法》第二条); those on a weekend are given
    elsewhere."""
    for known in KNOWN_YEARS:
        taken = [day for day, _ in known.days_off() if day.weekday() < 5]
        assert len(taken) - len(known.working_days) == 13


def test_it_is_known_until_the_last_year_without_a_gap_before_it() -> None:
    assert NOTICES.known_until == 2026
    assert Calendar(years=frozenset({2025, 2026, 2028})).known_until == 2026
    assert Calendar().known_until is None


# Hours.


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        (at("2026-11-26", "09:00"), at("2026-11-26", "09:00")),
        (at("2026-11-26", "07:00"), at("2026-11-26", "08:30")),
        (at("2026-11-26", "12:00"), at("2026-11-26", "13:30")),  # closing is not open
        (at("2026-11-27", "17:30"), at("2026-11-30", "08:30")),  # a Friday
        (at("2026-09-30", "18:00"), at("2026-10-08", "08:30")),  # before National Day
        (at("2026-10-09", "18:00"), at("2026-10-10", "08:30")),  # before a Saturday that is worked
    ],
)
def test_it_opens_next_in_the_hours_of_the_next_working_day(moment: datetime, opening: datetime) -> None:
    assert NOTICES.next_opening(moment) == opening


def test_time_that_is_just_enough_ends_at_closing_and_not_at_the_next_opening() -> None:
    assert NOTICES.add(at("2026-11-27", "13:30"), timedelta(hours=4)) == at("2026-11-27", "17:30")
    assert NOTICES.add(at("2026-11-27", "13:30"), timedelta(hours=4, minutes=1)) == at("2026-11-30", "08:31")


def test_a_moment_told_in_another_zone_is_the_same_moment() -> None:
    found = NOTICES.add(datetime(2026, 11, 26, 1, tzinfo=UTC), MINUTE)
    assert found == at("2026-11-26", "09:01")
    assert found.hour == 9  # and told in China's


def test_a_post_that_is_open_until_midnight_goes_on_with_the_next_day() -> None:
    nights = Calendar(hours=(Span(time(), time(6)), Span(time(22), time())))
    assert nights.add(at("2026-11-26", "23:00"), timedelta(hours=2)) == at("2026-11-27", "01:00")
    assert nights.add(at("2026-11-27", "23:00"), timedelta(hours=1)) == at("2026-11-28", "00:00")
    assert nights.add(at("2026-11-28", "00:00"), timedelta()) == at("2026-11-28", "00:00")
    assert nights.next_opening(at("2026-11-28", "00:00")) == at("2026-11-30", "00:00")


@pytest.mark.parametrize(
    "hours",
    [
        (),
        (Span(time(13), time(17)), Span(time(8), time(12))),
        (Span(time(8), time(12)), Span(time(11), time(17))),
        (Span(time(22), time()), Span(time(23), time(23, 30))),
    ],
)
def test_hours_that_are_none_or_overlap_are_no_opening_hours(hours: tuple[Span, ...]) -> None:
    with pytest.raises(ValueError, match="one after the other"):
        Calendar(hours=hours)


def test_hours_that_end_before_they_begin_are_none() -> None:
    with pytest.raises(ValueError, match="end after they begin"):
        Span(time(17), time(8))


def test_a_time_without_a_zone_is_refused() -> None:
    bare = datetime(2026, 11, 26, 9)
    with pytest.raises(ValueError, match="without a zone"):
        NOTICES.next_opening(bare)
    with pytest.raises(ValueError, match="without a zone"):
        NOTICES.add(bare, MINUTE)
    with pytest.raises(ValueError, match="without a zone"):
        NOTICES.between(at("2026-11-26", "09:00"), bare)


# What holds for every calendar, moment and amount.


@UNHURRIED
@given(posts(), moments(), MINUTES)
def test_as_much_time_lies_between_as_was_added(calendar: Calendar, start: datetime, counted: timedelta) -> None:
    assert calendar.between(start, calendar.add(start, counted)) == counted


@UNHURRIED
@given(posts(), moments(), MINUTES, MINUTES)
def test_more_time_ends_later(calendar: Calendar, start: datetime, one: timedelta, other: timedelta) -> None:
    assert (calendar.add(start, one) < calendar.add(start, other)) is (one < other)


@UNHURRIED
@given(posts(), moments(), MINUTES, MINUTES)
def test_time_added_bit_by_bit_ends_at_the_same_moment(
    calendar: Calendar, start: datetime, one: timedelta, other: timedelta
) -> None:
    assert calendar.add(calendar.add(start, one), other) == calendar.add(start, one + other)


@UNHURRIED
@given(posts(), moments(), moments(), moments())
def test_working_time_is_the_sum_of_its_parts(calendar: Calendar, a: datetime, b: datetime, c: datetime) -> None:
    first, second, third = sorted((a, b, c))
    whole = calendar.between(first, third)
    assert whole == calendar.between(first, second) + calendar.between(second, third)
    assert timedelta() <= whole <= third - first
    assert calendar.between(third, first) == timedelta()


@UNHURRIED
@given(posts(), moments())
def test_no_working_time_passes_before_the_next_opening_and_some_does_after_it(
    calendar: Calendar, moment: datetime
) -> None:
    opening = calendar.next_opening(moment)
    assert calendar.between(moment, opening) == timedelta()
    assert calendar.between(opening, opening + MINUTE / 60) > timedelta()
    assert calendar.is_working_day(opening.date())
