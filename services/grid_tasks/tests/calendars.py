"""Days and calendars that the tests of working time and deadlines speak of. All times are China's."""

from datetime import date, datetime, time

from grid_tasks.domain.calendar_year import calendar_of
from grid_tasks.domain.known_years import KNOWN_YEARS
from grid_tasks.domain.working_time import CHINA, Calendar, Span
from hypothesis import settings
from hypothesis import strategies as st

UNHURRIED = settings(deadline=None)
"""For machines that others use as well: how long a case takes says nothing there."""

NOTICES = calendar_of(KNOWN_YEARS)
"""2025 and 2026, with the hours of a community office."""
EIGHT_TO_SIX = Calendar(hours=(Span(time(8), time(18)),))


def at(day: str, hour: str) -> datetime:
    """`at("2026-11-28", "21:10")`."""
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(hour), CHINA)


def moments() -> st.SearchStrategy[datetime]:
    """Around all holidays of two years, and beyond what is known; to the second."""
    naive = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 31)).map(lambda it: it.replace(microsecond=0))
    return naive.map(lambda it: it.replace(tzinfo=CHINA))


def posts() -> st.SearchStrategy[Calendar]:
    """Calendars of posts with different hours, also over midnight and round the clock."""
    hours = st.sampled_from(
        [
            NOTICES.hours,
            EIGHT_TO_SIX.hours,
            (Span(time(9), time(10)),),
            (Span(time(), time(6)), Span(time(22), time())),
            (Span(time(), time()),),
        ]
    )
    return hours.map(lambda it: calendar_of(KNOWN_YEARS, it))
