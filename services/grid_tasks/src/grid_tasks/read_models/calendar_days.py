"""Which days are worked (工作日历): the notices that were entered, before those that are known from the start."""

import json

import asyncpg
from contracts.grid_tasks import CalendarYearEntered, Holiday
from events import Connection, Database, ReadModel, Recorded

from grid_tasks.domain.calendar_year import YearNotice, calendar_of
from grid_tasks.domain.known_years import KNOWN_YEARS
from grid_tasks.domain.working_time import Calendar
from grid_tasks.office_hours import office_hours

calendar_days = ReadModel(
    "calendar_days",
    tables="""
    create table calendar_year (
        year integer primary key,
        notice text not null,
        source text not null,
        holidays jsonb not null, -- [{name: {zh, en}, first, last}]
        working_days date[] not null,
        entered_at timestamptz not null
    );
    """,
)

SET = """
insert into calendar_year (year, notice, source, holidays, working_days, entered_at) values ($1, $2, $3, $4, $5, $6)
on conflict (year) do update set notice = excluded.notice, source = excluded.source, holidays = excluded.holidays,
    working_days = excluded.working_days, entered_at = excluded.entered_at
"""


@calendar_days.each(CalendarYearEntered)
async def entered(db: Connection, event: Recorded[CalendarYearEntered]) -> None:
    it = event.data
    holidays = json.dumps([holiday.model_dump(mode="json") for holiday in it.holidays], ensure_ascii=False)
    await db.execute(SET, it.year, it.notice, it.source, holidays, list(it.working_days), it.at)


async def year_notice(db: Database, year: int) -> YearNotice | None:
    """The notice of a year; None if there is none here."""
    if row := await db.fetchrow("select * from calendar_year where year = $1", year):
        return _notice(row)
    return next((known for known in KNOWN_YEARS if known.year == year), None)


async def calendar(db: Database) -> Calendar:
    """The calendar of all years that are known, with the opening hours of the environment."""
    rows = await db.fetch("select * from calendar_year")
    by_year = {known.year: known for known in KNOWN_YEARS} | {row["year"]: _notice(row) for row in rows}
    return calendar_of(by_year.values(), office_hours())


def _notice(row: asyncpg.Record) -> YearNotice:
    holidays = tuple(Holiday.model_validate(it) for it in json.loads(row["holidays"]))
    return YearNotice(
        row["year"], row["notice"], row["source"], holidays, tuple(row["working_days"]), row["entered_at"]
    )
