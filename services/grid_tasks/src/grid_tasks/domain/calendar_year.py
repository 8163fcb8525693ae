"""The calendar of a year (放假安排): the State Council's notice as somebody entered it, and the calendar that it makes.

A notice names days off and days of a weekend that are worked instead. It may reach into the December before: the one of
2019 (国办发明电〔2018〕15号) gave 30 and 31 December 2018 off and had 29 December, a Saturday, worked.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from contracts.common import Title
from contracts.grid_tasks import CalendarYearEntered, Holiday
from events import Aggregate, Event

from grid_tasks.domain.calendar_refusals import (
    DayOfAnotherYear,
    DayTwice,
    EndsBeforeItBegins,
    NotOfAWeekend,
    OffAndWorked,
)
from grid_tasks.domain.working_time import DAY, OFFICE_HOURS, SATURDAY, Calendar, Span

DECEMBER = 12


@dataclass(frozen=True, slots=True)
class YearNotice:
    """What a notice says."""

    year: int
    notice: str
    """Its number (文号)."""
    source: str
    """Where it is to be read."""
    holidays: tuple[Holiday, ...]
    working_days: tuple[date, ...]
    entered_at: datetime | None = field(default=None, compare=False)
    """When it was entered; None for one that is known from the start."""

    def days_off(self) -> Iterator[tuple[date, Title]]:
        """Each day off, and what for."""
        for holiday in self.holidays:
            day = holiday.first
            while day <= holiday.last:
                yield day, holiday.name
                day += DAY


@dataclass(frozen=True, slots=True)
class EnterYear:
    """From now on a year's calendar is this; also where another was entered before."""

    notice: YearNotice
    by: str
    at: datetime


def decide(known: YearNotice | None, command: EnterYear) -> Sequence[Event]:
    """Raises a refusal for a notice that contradicts itself. The same one again is nothing new."""
    notice = command.notice
    _require_sense(notice)
    if notice == known:
        return []
    return [
        CalendarYearEntered(
            year=notice.year,
            notice=notice.notice,
            source=notice.source,
            holidays=notice.holidays,
            working_days=notice.working_days,
            by=command.by,
            at=command.at,
        )
    ]


def evolve(known: YearNotice | None, event: Event) -> YearNotice | None:
    """What is known of the year after an event."""
    return notice_of(event) if isinstance(event, CalendarYearEntered) else known


def notice_of(entered: CalendarYearEntered) -> YearNotice:
    """The notice that was entered."""
    return YearNotice(entered.year, entered.notice, entered.source, entered.holidays, entered.working_days, entered.at)


def _require_sense(notice: YearNotice) -> None:
    for holiday in notice.holidays:
        _require_of(notice.year, holiday.first)
        _require_of(notice.year, holiday.last)
        if holiday.last < holiday.first:
            raise EndsBeforeItBegins(holiday.first, holiday.last)
    off: set[date] = set()
    for day, _ in notice.days_off():
        if day in off:
            raise DayTwice(day)
        off.add(day)
    worked: set[date] = set()
    for day in notice.working_days:
        _require_of(notice.year, day)
        if day in off:
            raise OffAndWorked(day)
        if day.weekday() < SATURDAY:
            raise NotOfAWeekend(day)
        if day in worked:
            raise DayTwice(day)
        worked.add(day)


def _require_of(year: int, day: date) -> None:
    if day.year != year and (day.year, day.month) != (year - 1, DECEMBER):
        raise DayOfAnotherYear(day, year)


def calendar_of(notices: Iterable[YearNotice], hours: tuple[Span, ...] = OFFICE_HOURS) -> Calendar:
    """The calendar that these notices make, one for each year, with these opening hours. What a later year's notice
    says of a day holds."""
    days_off: dict[date, Title] = {}
    moved: set[date] = set()
    years: set[int] = set()
    for notice in sorted(notices, key=lambda it: it.year):
        for day, name in notice.days_off():
            days_off[day] = name
            moved.discard(day)
        for day in notice.working_days:
            days_off.pop(day, None)
            moved.add(day)
        years.add(notice.year)
    return Calendar(days_off, frozenset(moved), frozenset(years), hours)


NOTHING_ENTERED: YearNotice | None = None
CALENDAR: Aggregate[YearNotice | None, EnterYear] = Aggregate(
    "calendar", NOTHING_ENTERED, decide, evolve, (CalendarYearEntered,)
)
"""One stream for each year."""
