"""When the community's offices are open, and by when a case is due: written from the notices' own words and on another
way than the service's, which it is to judge.

The time in which a clock runs is a list of spans; a deadline is where so much of them has been used up.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
Span = tuple[datetime, datetime]
FIRST, LAST = date(2025, 12, 29), date(2027, 2, 28)

OFF_2026 = (
    "2026-01-01 2026-01-02 2026-01-03 "
    "2026-02-15 2026-02-16 2026-02-17 2026-02-18 2026-02-19 2026-02-20 2026-02-21 2026-02-22 2026-02-23 "
    "2026-04-04 2026-04-05 2026-04-06 "
    "2026-05-01 2026-05-02 2026-05-03 2026-05-04 2026-05-05 "
    "2026-06-19 2026-06-20 2026-06-21 "
    "2026-09-25 2026-09-26 2026-09-27 "
    "2026-10-01 2026-10-02 2026-10-03 2026-10-04 2026-10-05 2026-10-06 2026-10-07"
)
WORKED_2026 = "2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10"
NOTICE_2027 = {
    "notice": "演示通知〔2026〕1号",
    "source": "https://example.org/notices/2027",
    "holidays": [
        {"name": {"zh": "元旦", "en": "New Year's Day"}, "first": "2027-01-01", "last": "2027-01-03"},
        {"name": {"zh": "春节", "en": "Spring Festival"}, "first": "2027-02-05", "last": "2027-02-11"},
    ],
    "working_days": ["2027-01-30"],
}
"""Invented: there is none yet. It is entered in the November before, as each year."""
OFF_2027 = "2027-01-01 2027-01-02 2027-01-03 " + " ".join(f"2027-02-{day:02}" for day in range(5, 12))
OFF = {date.fromisoformat(it) for it in f"{OFF_2026} {OFF_2027}".split()}
WORKED = {date.fromisoformat(it) for it in f"{WORKED_2026} 2027-01-30".split()}
HOURS = ((time(8, 30), time(12)), (time(13, 30), time(17, 30)))


def _open() -> Iterator[Span]:
    day = FIRST
    while day <= LAST:
        if day in WORKED or (day.weekday() < 5 and day not in OFF):
            yield from ((datetime.combine(day, a, BEIJING), datetime.combine(day, b, BEIJING)) for a, b in HOURS)
        day += timedelta(days=1)


WORKING: Sequence[Span] = tuple(_open())
ALWAYS: Sequence[Span] = ((WORKING[0][0], WORKING[-1][1]),)


def runs(clock: str, begun: datetime, stops: Sequence[tuple[datetime, datetime | None]]) -> list[Span]:
    """When the clock of a case runs: while it is open (or always), from its beginning, but for its stops."""
    spans = [(max(a, begun), b) for a, b in (WORKING if clock == "working_hours" else ALWAYS) if b > begun]
    for since, until in stops:
        until = until or ALWAYS[0][1]
        spans = [it for a, b in spans for it in ((a, min(b, since)), (max(a, until), b)) if it[0] < it[1]]
    return spans


def shows(spans: Sequence[Span], amount: timedelta, *, last: bool = False) -> datetime | None:
    """The moment at which so much is used up: the first, or the last such (when it goes on); None if it is never."""
    for since, until in spans:
        if amount < until - since or (amount == until - since and not last):
            return since + amount
        amount -= until - since
    return None
