"""Hours of a week (时段) as the registry writes them: `1-3,5 09:00-18:00; 6 22:00-06:00`, Monday being 1.

Hours that close no later than they open go over midnight, until the next day: what comes after midnight belongs to the
day on which they began. All times are China's. What is no hours is passed over, as if nothing were written there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from grid_tasks.domain.working_time import CHINA

_SHIFT = re.compile(r"([1-7](?:[-,][1-7])*) ([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """From when until when of a day, in minutes after midnight."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Shift:
    """Days of the week, and from when until when, in minutes after the midnight at which such a day begins."""

    days: frozenset[int]
    opens: int
    closes: int


def at(hours: int, minutes: int = 0) -> int:
    """Minutes after midnight."""
    return hours * 60 + minutes


A_DAY = at(24)


def shifts(written: str) -> list[Shift]:
    """What is written, one after the other; nothing, where it is no hours."""
    return [_shift(*it.groups()) for part in written.split(";") if (it := _SHIFT.fullmatch(part.strip()))]


def of_day(found: Sequence[Shift], weekday: int, day_before: int) -> list[Window]:
    """What falls on a day, given which day of the week it is, and which the day before it was."""
    today = [Window(it.opens, min(it.closes, A_DAY)) for it in found if weekday in it.days]
    last_night = [Window(0, it.closes - A_DAY) for it in found if day_before in it.days and it.closes > A_DAY]
    return last_night + today


def within(found: Sequence[Shift], moment: datetime) -> bool:
    """Whether this moment falls into them."""
    here = moment.astimezone(CHINA)
    weekday, minutes = here.isoweekday(), at(here.hour, here.minute)
    return any(it.opens <= minutes < it.closes for it in of_day(found, weekday, _before(weekday)))


def _shift(days: str, *clock: str | None) -> Shift:
    hours, minutes, until_hours, until_minutes = (int(it or 0) for it in clock)
    opens, closes = at(hours, minutes), at(until_hours, until_minutes) if clock[2] else A_DAY
    return Shift(_days(days), opens, closes if opens < closes else closes + A_DAY)


def _days(written: str) -> frozenset[int]:
    """Of `1-3,5`; and of `6-1`, over the end of the week."""
    days: set[int] = set()
    for part in written.split(","):
        ends = [int(it) for it in part.split("-")]
        days.add(ends[0])
        for first, last in pairwise(ends):
            days |= {(first - 1 + nth) % 7 + 1 for nth in range((last - first) % 7 + 1)}
    return frozenset(days)


def _before(weekday: int) -> int:
    return 7 if weekday == 1 else weekday - 1
