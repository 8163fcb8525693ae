"""The working calendar (工作日历), public: which days of a year are off and which are worked, by which notice."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from contracts.common import Title
from contracts.grid_tasks import Holiday
from edge import Call, Router
from edge.moments import Day
from events import NotFound
from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from grid_tasks.api.powers import Powers
from grid_tasks.domain.calendar_year import CALENDAR, EnterYear, YearNotice
from grid_tasks.office_hours import office_hours
from grid_tasks.read_models.calendar_days import calendar_days, year_notice

router = Router(prefix="/calendar", tags=["calendar"])

Year = Annotated[int, Path(ge=2000, le=2100)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Body(BaseModel):
    """What is sent: nothing that is not asked for."""

    model_config = ConfigDict(extra="forbid")


class NameBody(Body):
    """A holiday's name."""

    zh: Word = Field(examples=["国庆节"])
    en: Word = Field(examples=["National Day"])


class HolidayBody(Body):
    """放假: days off, the first and the last included. Holidays that fall together are one."""

    name: NameBody
    first: Day = Field(examples=["2026-10-01"])
    last: Day = Field(examples=["2026-10-07"])


class YearBody(Body):
    """A year's notice, whole."""

    notice: Word = Field(description="Its number (文号)", examples=["国办发明电〔2025〕7号"])
    source: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        description="Where it is to be read",
        examples=["https://www.gov.cn/zhengce/zhengceku/202511/content_7047091.htm"],
    )
    holidays: list[HolidayBody] = Field(min_length=1, max_length=50)
    working_days: list[Day] = Field(
        description="调休上班: Saturdays and Sundays that are worked", max_length=50, examples=[["2026-10-10"]]
    )


class Hours(BaseModel):
    """Opening hours, in China."""

    opens: str = Field(examples=["08:30"])
    closes: str = Field(examples=["12:00"])


class HolidayView(BaseModel):
    """放假: days off, the first and the last included."""

    name: Title
    first: date
    last: date


class YearView(BaseModel):
    """The calendar of a year. Other days are worked from Monday to Friday."""

    year: int
    notice: str = Field(description="The notice's number (文号)")
    source: str = Field(description="Where it is to be read")
    entered_at: datetime | None = Field(description="When it was entered; null for one that was known from the start")
    holidays: list[HolidayView]
    working_days: list[date] = Field(description="调休上班: days of a weekend that are worked")
    hours: list[Hours] = Field(description="When the community's offices are open on a day that is worked")


@router.get("/{year}", power=Powers.READ_CALENDAR)
async def year_of(year: Year, call: Call) -> YearView:
    """The calendar of a year; 404 as long as its notice has not been entered."""
    await call.fresh(calendar_days)
    found = await year_notice(call.db, year)
    if found is None:
        raise NotFound(f"the notice of {year} has not been entered")
    return _view(found)


@router.put("/{year}", power=Powers.KEEP_CALENDAR, status_code=201, response_model=YearView)
async def enter(year: Year, body: YearBody, call: Call) -> Response:
    """Enters a year's notice in place of what is known of the year: these days, and no others. Deadlines that are
    reckoned from now on go by it."""
    notice = YearNotice(year, body.notice, body.source, _holidays(body.holidays), tuple(body.working_days))
    command = EnterYear(notice, call.require_caller(), call.now)
    return await call.create(CALENDAR, year, command, view=_entered, location="/calendar/{id}")


def _entered(notice: YearNotice | None, _version: int) -> YearView:
    if notice is None:
        raise AssertionError("what was just entered is known")
    return _view(notice)


def _holidays(holidays: Sequence[HolidayBody]) -> tuple[Holiday, ...]:
    return tuple(Holiday(name=Title(zh=it.name.zh, en=it.name.en), first=it.first, last=it.last) for it in holidays)


def _view(notice: YearNotice) -> YearView:
    return YearView(
        year=notice.year,
        notice=notice.notice,
        source=notice.source,
        entered_at=notice.entered_at,
        holidays=[HolidayView(name=it.name, first=it.first, last=it.last) for it in notice.holidays],
        working_days=list(notice.working_days),
        hours=[Hours(opens=f"{it.opens:%H:%M}", closes=f"{it.closes:%H:%M}") for it in office_hours()],
    )
