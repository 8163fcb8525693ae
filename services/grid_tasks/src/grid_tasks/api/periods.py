"""A period that is asked for: days in China, the first and the last included."""

from datetime import date, timedelta
from typing import Annotated

from edge.moments import Day
from edge.problems import FieldError, invalid_input
from fastapi import Query

LONGEST = timedelta(days=366)

From = Annotated[Day, Query(alias="from", description="The first day, in China", examples=["2026-11-01"])]
Until = Annotated[Day, Query(description="The last day, included", examples=["2026-11-30"])]


def require_period(first: date, last: date) -> None:
    """Raises the 422 problem for one that ends before it begins, or is longer than a year."""
    if not timedelta() <= last - first < LONGEST or not date(2000, 1, 1) <= first <= last <= date(2100, 1, 1):
        problem = FieldError(
            place="query",
            field="until",
            message="the period ends on or after the day on which it begins, and within a year of it; 2000 to 2100",
            message_zh="结束日期不得早于开始日期，且期间不超过一年（2000 至 2100 年）",
        )
        raise invalid_input([problem])
