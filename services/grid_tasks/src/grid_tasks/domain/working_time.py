"""Working time (工作时间): which days and hours a post is open, and how time is counted in them alone.

Which days are off, and which days of a weekend are worked instead, is in the State Council's notice of each year; all
other days go by the week, Monday to Friday. Times are aware and answered in the calendar's own zone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from contracts.common import Title

CHINA = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
NONE = timedelta()
SATURDAY = 5


def midnight(day: date) -> datetime:
    """When this day begins in China."""
    return datetime.combine(day, time(), CHINA)


class Counting(Protocol):
    """A way to count time."""

    def add(self, moment: datetime, counted: timedelta) -> datetime:
        """The first moment, no earlier than this one, by which so much time has been counted."""
        ...

    def between(self, since: datetime, until: datetime) -> timedelta:
        """How much time is counted from the one to the other; none if they stand the other way round."""
        ...

    def next_opening(self, moment: datetime) -> datetime:
        """The first moment, no earlier than this one, from which time is counted."""
        ...


class RoundTheClock:
    """All time counts (自然时)."""

    def add(self, moment: datetime, counted: timedelta) -> datetime:
        """So much later."""
        return moment + counted

    def between(self, since: datetime, until: datetime) -> timedelta:
        """The time from the one to the other."""
        return max(until - since, NONE)

    def next_opening(self, moment: datetime) -> datetime:
        """This very moment."""
        return moment


@dataclass(frozen=True, slots=True)
class Span:
    """Open from `opens` until `closes`; 00:00 as `closes` is the midnight that ends the day.

    Raises ValueError for one that does not end after it begins.
    """

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if time() < self.closes <= self.opens:
            raise ValueError(f"opening hours end after they begin: {self.opens} to {self.closes}")

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From when until when on this day."""
        end = day if self.closes > time() else day + DAY
        return datetime.combine(day, self.opens, zone), datetime.combine(end, self.closes, zone)


def hours_of(text: str) -> tuple[Span, ...]:
    """`08:30-12:00,13:30-17:30` as spans of a day; `24:00` is the midnight that ends it. Raises ValueError."""
    return tuple(
        Span(_clock(opens), _clock(closes)) for opens, _, closes in (it.partition("-") for it in text.split(","))
    )


def _clock(text: str) -> time:
    return time() if text.strip() == "24:00" else time.fromisoformat(text.strip())


OFFICE_HOURS = (Span(time(8, 30), time(12)), Span(time(13, 30), time(17, 30)))
"""As community offices keep them, where nothing else is said."""


@dataclass(frozen=True)
class Calendar:
    """The working calendar (工作日历) of a post, which counts working time (工作时): 7½ hours a day by default.

    Raises ValueError where the hours of a day are none, overlap or stand in the wrong order; so does every question
    about a time without a zone.
    """

    days_off: Mapping[date, Title] = field(default_factory=dict[date, Title])
    """放假: days off, and what for."""
    moved: frozenset[date] = frozenset()
    """调休上班: days of a weekend that are worked."""
    years: frozenset[int] = frozenset()
    """Of which years the notice is known. Days of other years go by the week alone."""
    hours: tuple[Span, ...] = OFFICE_HOURS
    zone: ZoneInfo = CHINA

    def __post_init__(self) -> None:
        # 00:00 ends a day, so only the last of its hours may close at it.
        if not self.hours or any(not time() < one.closes <= next_.opens for one, next_ in pairwise(self.hours)):
            raise ValueError("a day has opening hours, one after the other")

    @property
    def known_until(self) -> int | None:
        """The last year of which the notice is known, with no gap before it."""
        return next((year for year in sorted(self.years) if year + 1 not in self.years), None)

    def is_working_day(self, day: date) -> bool:
        """Whether it is worked on this day."""
        return day not in self.days_off and (day in self.moved or day.weekday() < SATURDAY)

    def next_opening(self, moment: datetime) -> datetime:
        """The moment itself while it is open, and the next opening otherwise: also at the moment of closing."""
        return next(opens for opens, closes in self._open_from(self._here(moment)) if opens < closes)

    def add(self, moment: datetime, counted: timedelta) -> datetime:
        """When so much working time has passed since the moment: at the moment of closing, rather than at the next
        opening, where it is just enough."""
        for opens, closes in self._open_from(self._here(moment)):
            if counted <= closes - opens:
                return opens + counted
            counted -= closes - opens
        raise AssertionError("there is always another working day")

    def between(self, since: datetime, until: datetime) -> timedelta:
        """The working time from the one to the other; none if they stand the other way round."""
        total, end = NONE, self._here(until)
        for opens, closes in self._open_from(self._here(since)):
            if opens >= end:
                break
            total += min(closes, end) - opens
        return total

    def _open_from(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """When it is open, from this moment on. Hours that end just now come first, with no time left in them."""
        day = since.date() - DAY  # whose last hours may end at the midnight that is now
        while True:
            if self.is_working_day(day):
                for opens, closes in (span.on(day, self.zone) for span in self.hours):
                    if closes >= since:
                        yield max(opens, since), closes
            day += DAY

    def _here(self, moment: datetime) -> datetime:
        if moment.tzinfo is None:
            raise ValueError("a time without a zone is not a moment")
        return moment.astimezone(self.zone)
