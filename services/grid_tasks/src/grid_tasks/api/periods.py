"""Periods that are asked for: days in China, the first and the last included."""

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated

from edge.moments import Day
from edge.problems import FieldError, invalid_input
from fastapi import Query

from grid_tasks.domain.working_time import CHINA

LONGEST = timedelta(days=366)

From = Annotated[Day, Query(alias="from", description="The first day, in China", examples=["2026-11-01"])]
Until = Annotated[Day, Query(description="The last day, included", examples=["2026-11-30"])]
Days = Annotated[
    str | None,
    Query(max_length=50, description="Days in China, the first and the last", examples=["2026-11-01/2026-11-30"]),
]
"""A filter by days; none: whenever it was."""


def require_period(first: date, last: date, field: str = "until") -> None:
    """Raises the 422 problem for one that ends before it begins, or is longer than a year."""
    if not timedelta() <= last - first < LONGEST or not date(2000, 1, 1) <= first <= last <= date(2100, 1, 1):
        problem = FieldError(
            place="query",
            field=field,
            message="the period ends on or after the day on which it begins, and within a year of it; 2000 to 2100",
            message_zh="结束日期不得早于开始日期，且期间不超过一年（2000 至 2100 年）",
        )
        raise invalid_input([problem])


def span_of(field: str, days: str | None) -> tuple[datetime, datetime] | None:
    """From the midnight that begins the first day to the one that ends the last. Raises the 422 problem for what is no
    such period."""
    if days is None:
        return None
    try:
        found = re.fullmatch(r"(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)", days, re.ASCII)
        first, last = (date.fromisoformat(it) for it in found.groups()) if found else (date.max, date.min)
    except ValueError:
        first, last = date.max, date.min
    require_period(first, last, field)
    return midnight(first), midnight(last + timedelta(days=1))


def midnight(day: date) -> datetime:
    """When this day begins in China."""
    return datetime.combine(day, time(), CHINA)
