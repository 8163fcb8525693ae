"""A worker's open work as a list for the morning (晨间清单): what presses, how much time is left, what is near what."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.common import DeadlineClock, Place

from grid_tasks.domain.walking import metres
from grid_tasks.domain.working_time import Calendar, RoundTheClock

MINUTE = timedelta(minutes=1)
NEAR = 150
"""Metres: two minutes on foot, so that one way does for both."""


class Pressing(StrEnum):
    """How a case presses, the worst first."""

    LATE = "late"
    WARNED = "warned"
    TODAY = "today"
    LATER = "later"
    STANDING = "standing"  # its clock stands


def pressing(due: datetime | None, warn_at: datetime | None, now: datetime, calendar: Calendar) -> Pressing:
    """How a case with this deadline presses now."""
    if due is None:
        return Pressing.STANDING
    if now > due:
        return Pressing.LATE
    if warn_at and now >= warn_at:
        return Pressing.WARNED
    same_day = due.astimezone(calendar.zone).date() == now.astimezone(calendar.zone).date()
    return Pressing.TODAY if same_day else Pressing.LATER


def left_minutes(clock: DeadlineClock, due: datetime | None, now: datetime, calendar: Calendar) -> int | None:
    """What is left until the deadline in the case's own hours, in whole minutes; less than nothing where it is late."""
    if due is None:
        return None
    time = calendar if clock is DeadlineClock.WORKING_HOURS else RoundTheClock()
    return time.between(now, due) // MINUTE if now <= due else -(time.between(due, now) // MINUTE)


def near(places: Sequence[Place | None], within: float = NEAR) -> list[list[int]]:
    """For each place the numbers of those that are so near, nearest first; as the crow flies."""
    found: list[list[int]] = []
    for nth, one in enumerate(places):
        away = [(metres(one, other), number) for number, other in enumerate(places) if one and other and number != nth]
        found.append([number for distance, number in sorted(away) if distance <= within])
    return found
