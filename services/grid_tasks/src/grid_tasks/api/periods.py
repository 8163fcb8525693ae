"""Periods that are asked for: days in China, the first and the last included."""

from datetime import date, datetime, timedelta
from typing import Annotated

from edge.moments import Day
from events import Refused
from fastapi import Query

from grid_tasks.domain.working_time import DAY, midnight

LONGEST = timedelta(days=366)

From = Annotated[Day, Query(alias="from", description="The first day, in China", examples=["2026-11-01"])]
Until = Annotated[Day, Query(description="The last day, included", examples=["2026-11-30"])]
Days = Annotated[
    str | None,
    Query(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="Days in China, the first and the last",
        examples=["2026-11-01/2026-11-30"],
    ),
]
"""A filter by days; none: whenever it was."""


class NotAPeriod(Refused):
    """It ends before it begins, is longer than a year, or there are no such days."""

    reason = "not-a-period"

    def __init__(self) -> None:
        super().__init__(
            "期间的结束日期不得早于开始日期，且不超过一年（2000 至 2100 年）。 "
            "A period ends on or after the day on which it begins, and within a year of it; from 2000 to 2100."
        )


def require_period(first: date, last: date) -> None:
    """Raises NotAPeriod."""
    if not timedelta() <= last - first < LONGEST or not date(2000, 1, 1) <= first <= last <= date(2100, 1, 1):
        raise NotAPeriod


def span_of(days: str | None) -> tuple[datetime, datetime] | None:
    """From the midnight that begins the first day to the one that ends the last. Raises NotAPeriod."""
    if days is None:
        return None
    try:
        first, last = map(date.fromisoformat, days.split("/"))
    except ValueError:
        raise NotAPeriod from None
    require_period(first, last)
    return midnight(first), midnight(last + DAY)
