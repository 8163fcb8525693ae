"""When somebody can be met (走访时段): at home in the evening and at weekends, at a unit while it is open.

The registry's home hours count where they are known (`1-5 18:00-21:00; 6-7 09:00-21:00`, Monday being 1), and what is
usual where not. A holiday is like a Sunday, a day of a weekend that is worked like a Monday. All times are China's.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta

from contracts.visits import PartOfWeek

from grid_tasks.domain.hours import Window, at, of_day, shifts
from grid_tasks.domain.working_time import CHINA, Calendar

NOON, SIX = time(12), time(18)
LATEST_TOLD = timedelta(days=7)
"""So long a phone may have been without a network; what it says of earlier times is not believed."""

WALKING = (Window(at(8, 30), at(12)), Window(at(14), at(18)), Window(at(18), at(21)))
"""When rounds go: nobody knocks earlier, at noon or later."""
WORKDAY_AT_HOME = (Window(at(18), at(21)),)
FREE_DAY_AT_HOME = (Window(at(9), at(12)), Window(at(14), at(21)))
OPEN = (Window(at(9), at(12)), Window(at(14), at(18)))
"""When units are met, where nothing else is known."""


def weekday_of(day: date, calendar: Calendar) -> int:
    """1 to 7, Monday being 1, as people live it: a holiday is a Sunday, a worked Saturday a Monday."""
    worked = calendar.is_working_day(day)
    if worked == (day.isoweekday() <= 5):
        return day.isoweekday()
    return 1 if worked else 7


def windows(of: str, hours: str, day: date, calendar: Calendar) -> tuple[Window, ...]:
    """When who or what stands in this register can be met on this day, first to last, within the hours of rounds."""
    weekday = weekday_of(day, calendar)
    if found := shifts(hours):
        known = of_day(found, weekday, weekday_of(day - timedelta(days=1), calendar))
    elif of == "units":
        known = list(OPEN) if weekday <= 5 else []
    else:
        known = list(WORKDAY_AT_HOME if weekday <= 5 else FREE_DAY_AT_HOME)
    return tuple(sorted(filter(None, (_both(one, walked) for one in known for walked in WALKING))))


def at_another_time(
    found: Sequence[Window], tried: Collection[PartOfWeek], day: date, calendar: Calendar
) -> tuple[Window, ...]:
    """What is left of a day's windows without the parts of the week at which nobody was there."""
    return tuple(it for it in found if part_of_week(day, it.opens, calendar) not in tried)


def part_of_week(day: date, minutes: int, calendar: Calendar) -> PartOfWeek:
    """Of a moment: a day, and minutes after its midnight."""
    kind = "workday" if weekday_of(day, calendar) <= 5 else "free"
    part = "morning" if minutes < at(12) else "afternoon" if minutes < at(18) else "evening"
    return PartOfWeek(f"{kind}_{part}")


def part_at(moment: datetime, calendar: Calendar) -> PartOfWeek:
    """The part of the week of a moment."""
    here = moment.astimezone(CHINA)
    return part_of_week(here.date(), at(here.hour, here.minute), calendar)


def believed(told: datetime | None, now: datetime) -> datetime:
    """When it was by a worker's phone, if that can be: not to come, and not longer ago than a phone goes without a
    network. Else now."""
    return told if told and now - LATEST_TOLD <= told <= now else now


def said(found: Iterable[Window]) -> str:
    """As people write them: 09:00–12:00、18:00–21:00."""
    joined: list[Window] = []
    for it in found:  # rounds pause at noon, not at six
        if joined and joined[-1].closes == it.opens:
            joined[-1] = Window(joined[-1].opens, it.closes)
        else:
            joined.append(it)
    return "、".join(f"{clock(it.opens)}–{clock(it.closes)}" for it in joined)


def clock(minutes: int) -> str:
    """18:05."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _both(one: Window, other: Window) -> Window | None:
    opens, closes = max(one.opens, other.opens), min(one.closes, other.closes)
    return Window(opens, closes) if opens < closes else None
