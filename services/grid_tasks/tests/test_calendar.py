"""The calendar of a year: what is taken as a notice, what is refused, and what is shown and reckoned by then."""

from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest
from contracts.common import Post, Title
from contracts.grid_tasks import CalendarYearEntered, Holiday
from edge.problems import BASE
from edge.settings import SettingsError
from edge.testing import client, in_post, token, told
from events import Connection, Event, Refused
from events.event import encode
from events.runtime import Runtime
from grid_tasks.domain.calendar_refusals import (
    DayOfAnotherYear,
    DayTwice,
    EndsBeforeItBegins,
    NotOfAWeekend,
    OffAndWorked,
)
from grid_tasks.domain.calendar_year import CALENDAR, EnterYear, YearNotice, calendar_of, notice_of
from grid_tasks.domain.known_years import KNOWN_YEARS
from grid_tasks.office_hours import office_hours
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.service import application

from .calendars import at
from .conftest import Trade
from .roster import follow
from .trade import GRID, LI, NINE

NATIONAL_DAY = Title(zh="国庆节", en="National Day")
NEW_YEAR = Title(zh="元旦", en="New Year's Day")
WEEK = Holiday(name=NATIONAL_DAY, first=date(2027, 10, 1), last=date(2027, 10, 7))
NOTICE = YearNotice(2027, "国办发明电〔2026〕1号", "a test", (WEEK,), (date(2027, 10, 9),))  # no real notice
REGISTRAR = "registrar"


def entered(notice: YearNotice = NOTICE) -> CalendarYearEntered:
    return CalendarYearEntered(
        year=notice.year,
        notice=notice.notice,
        source=notice.source,
        holidays=notice.holidays,
        working_days=notice.working_days,
        by=REGISTRAR,
        at=NINE,
    )


def enter(*history: Event, **changes: Any) -> list[Event]:
    """What becomes of somebody entering the notice, changed so."""
    notice = replace(NOTICE, **changes)
    return list(CALENDAR.decide(CALENDAR.fold(history), EnterYear(notice, REGISTRAR, NINE)))


def off(first: str, last: str) -> Holiday:
    return Holiday(name=NATIONAL_DAY, first=date.fromisoformat(first), last=date.fromisoformat(last))


# What is entered.


def test_a_years_notice_is_entered() -> None:
    assert enter() == [entered()]


def test_the_same_notice_again_is_nothing_new() -> None:
    assert enter(entered()) == []


def test_a_notice_that_was_mended_takes_the_place_of_the_one_before() -> None:
    mended = replace(NOTICE, working_days=(date(2027, 9, 26), date(2027, 10, 9)))
    assert enter(entered(), working_days=mended.working_days) == [entered(mended)]


@pytest.mark.parametrize(
    ("changes", "refusal", "day"),
    [
        ({"holidays": (off("2026-10-01", "2026-10-07"),)}, DayOfAnotherYear, "2026-10-01"),
        ({"holidays": (off("2027-12-31", "2028-01-01"),)}, DayOfAnotherYear, "2028-01-01"),
        ({"holidays": (off("2025-12-31", "2027-01-01"),)}, DayOfAnotherYear, "2025-12-31"),
        ({"working_days": (date(2028, 1, 1),)}, DayOfAnotherYear, "2028-01-01"),
        ({"holidays": (off("2027-10-07", "2027-10-01"),)}, EndsBeforeItBegins, "2027-10-07"),
        ({"holidays": (WEEK, off("2027-10-07", "2027-10-08"))}, DayTwice, "2027-10-07"),
        ({"working_days": (date(2027, 10, 9), date(2027, 10, 9))}, DayTwice, "2027-10-09"),
        ({"working_days": (date(2027, 10, 2),)}, OffAndWorked, "2027-10-02"),
        ({"working_days": (date(2027, 10, 8),)}, NotOfAWeekend, "2027-10-08"),
    ],
)
def test_a_notice_that_contradicts_itself_is_refused_with_the_day(
    changes: dict[str, Any], refusal: type[Refused], day: str
) -> None:
    with pytest.raises(refusal) as refused:
        enter(**changes)
    assert refused.value.details["day"] == day
    assert day in refused.value.details["message_zh"]


def test_a_notice_may_speak_of_the_december_before_as_that_of_2019_did() -> None:
    holidays = (Holiday(name=NEW_YEAR, first=date(2018, 12, 30), last=date(2019, 1, 1)),)
    assert enter(year=2019, holidays=holidays, working_days=(date(2018, 12, 29),))
    of_2018 = YearNotice(2018, "国办发明电〔2017〕12号", "a test", (), ())
    of_2019 = YearNotice(2019, "国办发明电〔2018〕15号", "a test", holidays, (date(2018, 12, 29),))
    made = calendar_of([of_2019, of_2018])
    assert made.is_working_day(date(2018, 12, 29))
    assert not made.is_working_day(date(2018, 12, 31))
    assert made.days_off[date(2018, 12, 31)] == NEW_YEAR


def test_what_a_later_years_notice_says_of_a_day_holds() -> None:
    earlier = YearNotice(2018, "x", "a test", (off("2018-12-29", "2018-12-29"),), (date(2018, 12, 30),))
    later = YearNotice(2019, "y", "a test", (off("2018-12-30", "2018-12-31"),), (date(2018, 12, 29),))
    made = calendar_of([later, earlier])
    assert made.moved == {date(2018, 12, 29)}
    assert set(made.days_off) == {date(2018, 12, 30), date(2018, 12, 31)}


@pytest.mark.parametrize("known", KNOWN_YEARS, ids=lambda it: str(it.year))
def test_the_notices_that_are_known_from_the_start_make_sense(known: YearNotice) -> None:
    [event] = CALENDAR.decide(None, EnterYear(known, REGISTRAR, NINE))
    assert isinstance(event, CalendarYearEntered)
    assert notice_of(event) == known


# What is reckoned by.


async def test_at_the_start_the_calendar_is_that_of_the_known_years(db: Connection) -> None:
    assert await calendar(db) == calendar_of(KNOWN_YEARS)


async def test_a_year_that_is_entered_is_known_then(db: Connection) -> None:
    assert (await calendar(db)).is_working_day(date(2027, 10, 1))
    await follow(db, entered())
    made = await calendar(db)
    assert made.days_off[date(2027, 10, 1)] == NATIONAL_DAY
    assert made.is_working_day(date(2027, 10, 9))
    assert made.known_until == 2027
    assert made == calendar_of([*KNOWN_YEARS, NOTICE])


async def test_a_year_that_is_entered_overrules_the_one_known_from_the_start(db: Connection) -> None:
    one, of_2026 = KNOWN_YEARS
    mended = replace(of_2026, working_days=of_2026.working_days[:-1])
    await follow(db, entered(replace(of_2026, holidays=())), entered(mended), at_a_time=1)
    made = await calendar(db)
    assert made == calendar_of([one, mended])
    assert not made.is_working_day(date(2026, 10, 10))
    assert made.add(at("2026-10-09", "17:00"), timedelta(hours=1)) == at("2026-10-12", "09:00")


# On the wire.

BODY: dict[str, Any] = {
    "notice": NOTICE.notice,
    "source": NOTICE.source,
    "holidays": [{"name": NATIONAL_DAY.model_dump(), "first": "2027-10-01", "last": "2027-10-07"}],
    "working_days": ["2027-10-09"],
}


@pytest.fixture
async def http(runtime: Runtime) -> AsyncGenerator[httpx2.AsyncClient]:
    people = (in_post(REGISTRAR, Post.REGISTRAR), in_post(LI, Post.GRID_WORKER, GRID))
    await told(runtime.settings.database_url, *people)
    async with client(application, runtime) as http:
        yield http


async def put(
    http: httpx2.AsyncClient, year: object = 2027, who: str | None = REGISTRAR, key: str = "1", **changes: Any
) -> httpx2.Response:
    authorization = {"Authorization": f"Bearer {token(who)}"} if who else {}
    headers = {"Idempotency-Key": key, "Accept-Language": "zh"} | authorization
    return await http.put(f"/calendar/{year}", json=BODY | changes, headers=headers)


async def test_anybody_may_read_the_calendar_of_a_year(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/calendar/2026")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["notice"], shown["entered_at"]) == ("国办发明电〔2025〕7号", None)
    week = {"name": {"zh": "国庆节", "en": "National Day"}, "first": "2026-10-01", "last": "2026-10-07"}
    assert shown["holidays"][-1] == week
    assert shown["working_days"][-1] == "2026-10-10"
    assert shown["hours"] == [{"opens": "08:30", "closes": "12:00"}, {"opens": "13:30", "closes": "17:30"}]


@pytest.fixture
def hours_set_to(monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[[str], None]]:
    """Sets when offices are open, for a while."""

    def to(text: str) -> None:
        monkeypatch.setenv("GRID_TASKS_OFFICE_HOURS", text)
        office_hours.cache_clear()

    yield to
    office_hours.cache_clear()


async def test_who_runs_it_says_when_offices_are_open(
    http: httpx2.AsyncClient, runtime: Runtime, hours_set_to: Callable[[str], None]
) -> None:
    hours_set_to("09:00-17:00")
    assert (await http.get("/calendar/2026")).json()["hours"] == [{"opens": "09:00", "closes": "17:00"}]
    days = await calendar(runtime.db)
    assert days.add(at("2026-11-26", "16:00"), timedelta(hours=2)) == at("2026-11-27", "10:00")
    hours_set_to("17:00-09:00")
    with pytest.raises(SettingsError, match="GRID_TASKS_OFFICE_HOURS"):
        office_hours()


async def test_a_year_is_entered_once_and_shown_and_reckoned_by(
    http: httpx2.AsyncClient, runtime: Runtime, trade: Trade
) -> None:
    assert (await http.get("/calendar/2027")).status_code == 404
    answer = await put(http)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/calendar/2027"
    trade.advance(hours=1)
    again = await put(http)
    assert again.headers["idempotency-replayed"] == "true"
    same = await put(http, key="2")  # said anew: nothing new, and entered when it first was
    assert same.json() == again.json() == answer.json()
    shown = await http.get("/calendar/2027", headers={"Consistency-Token": answer.headers["consistency-token"]})
    assert shown.json() == answer.json()
    assert shown.json()["working_days"] == ["2027-10-09"]
    assert (await calendar(runtime.db)).known_until == 2027
    recorded = await runtime.commands.history(CALENDAR, 2027)
    assert [(it.raw.actor, encode(it.data)) for it in recorded] == [(REGISTRAR, encode(entered()))]


@pytest.mark.parametrize(("who", "status"), [(None, 401), (LI, 403)])
async def test_only_who_has_the_power_enters_a_year(http: httpx2.AsyncClient, who: str | None, status: int) -> None:
    assert (await put(http, who=who)).status_code == status
    assert (await http.get("/calendar/2027")).status_code == 404


async def test_a_notice_that_contradicts_itself_is_told_so_in_chinese(http: httpx2.AsyncClient) -> None:
    answer = await put(http, working_days=["2027-10-08"])
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, BASE + "not-of-a-weekend")
    assert (problem["day"], problem["detail"]) == (
        "2027-10-08",
        "2027-10-08 不是周六或周日，本来就是工作日；请核对日期",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"holidays": []},
        {"working_days": [1822953600]},
        {"working_days": ["2027-10-09T00:00:00Z"]},
        {"notice": ""},
        {"colour": "red"},
        {"year": 1999},
    ],
)
async def test_what_is_no_notice_is_not_read(http: httpx2.AsyncClient, changes: dict[str, Any]) -> None:
    answer = await put(http, **changes)
    assert (answer.status_code, answer.json()["type"]) == (422, BASE + "invalid-input")
