"""Every question that is asked of millions of cases goes by an index, and finds what it should."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contracts.grid_tasks import ReporterKind
from events import Connection
from grid_tasks.domain.case import CASE, Step
from grid_tasks.read_models import boards
from grid_tasks.read_models.case_board import merged_into
from grid_tasks.read_models.case_search import Sought, find
from grid_tasks.read_models.field_work import came_back, open_parts

from .roster import follow
from .test_boards import LATE_IN_HAND, town
from .trade import NINE

MONTH = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
SOUGHT = {
    "all": Sought(),
    "a step": Sought(step=Step.HANDED_IN),
    "a grid": Sought(grid="G1"),
    "a step in a grid": Sought(step=Step.DISPATCHED, grid="G1"),
    "a worker": Sought(worker="li"),
    "what was escalated": Sought(escalated=True),
    "a category": Sought(category="neighbour_noise"),
    "a department": Sought(body="市场监督管理局"),
    "who reported": Sought(reporter_kind=ReporterKind.HOTLINE),
    "how the id begins": Sought(id_begins="c1"),
    "when it was reported": Sought(reported=MONTH),
    "when it ended": Sought(closed=MONTH),
    "when it ended, in a grid": Sought(closed=MONTH, grid="G1"),
    "what is late": Sought(late_at=NINE + timedelta(days=30)),
    "what is late in a grid": Sought(late_at=NINE + timedelta(days=30), grid="G2"),
}


class Explaining:
    """A connection that says how it would answer, and answers."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.plans: list[str] = []

    async def fetch(self, query: str, *arguments: object) -> Any:
        rows = await self._db.fetch(f"explain {query}", *arguments)
        self.plans.append("\n".join(row[0] for row in rows))
        return await self._db.fetch(query, *arguments)


@pytest.mark.parametrize("what", SOUGHT)
async def test_no_search_reads_or_sorts_all_cases(db: Connection, what: str) -> None:
    await db.execute("set enable_seqscan = off")  # the table is empty: what could be read through would be
    explaining: Any = Explaining(db)
    await find(explaining, SOUGHT[what], limit=50)
    await find(explaining, SOUGHT[what], before=(NINE, "c1"), limit=50)
    for plan in explaining.plans:
        assert "Seq Scan" not in plan, plan
        assert "Index Scan" in plan, plan


async def test_a_morning_list_finds_each_of_its_cases_on_the_board_by_the_cases_id(db: Connection) -> None:
    """Ids of another collation would not be found by the index, and the whole board be read for twenty cases."""
    await db.execute("set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off")
    explaining: Any = Explaining(db)
    await open_parts(explaining, "li")
    await came_back(explaining, "li", NINE, 50)
    for plan in explaining.plans:
        assert "board_case_pkey on board_case b" in plan, plan
        assert "Index Cond: (case_id = p.case_id)" in plan, plan


async def test_what_was_merged_into_a_case_is_found_without_reading_all(db: Connection) -> None:
    await db.execute("set enable_seqscan = off")
    explaining: Any = Explaining(db)
    lives = town(3, cases=120)
    await follow(db, *(event for log in lives for event in log))
    expected = sorted(case.id for log in lives if (case := CASE.fold(log)).into == "another")
    assert await merged_into(explaining, "another") == expected
    assert expected
    assert "board_case_merged_into" in explaining.plans[0]


async def test_no_figure_of_a_period_reads_all_counts(db: Connection) -> None:
    await db.execute("set enable_seqscan = off")
    explaining: Any = Explaining(db)
    first, last = MONTH[0].date(), MONTH[1].date()
    await boards.stays(explaining, first, last)
    await boards.weeks(explaining, first, last, grid="G1")
    await boards.counts_of(explaining, first, last, NINE)
    by_days = [plan for plan in explaining.plans if "open_now" not in plan]
    assert len(by_days) == 3
    for plan in by_days:
        assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("what", SOUGHT)
async def test_a_search_finds_those_of_whom_all_that_is_asked_is_so(db: Connection, what: str) -> None:
    lives = town(3, cases=120)
    await follow(db, *(event for log in lives for event in log))
    sought = SOUGHT[what]
    expected = [log for log in lives if _is_so(log, sought)]
    found = [it.case for it in await find(db, sought, limit=1000)]
    assert sorted(found) == sorted(CASE.fold(log).id for log in expected)
    pages: list[str] = []
    before: tuple[datetime, str] | None = None
    while page := await find(db, sought, before=before, limit=7):
        pages += [it.case for it in page]
        moment = page[-1].closed_at if sought.closed else page[-1].reported_at
        assert moment is not None
        before = moment, page[-1].case
    assert pages == found
    assert found or what in ("what was escalated",)


def _is_so(log: Any, sought: Sought) -> bool:
    case, kind = CASE.fold(log), log[0].reporter_kind
    asked = {
        "step": case.step,
        "grid": case.grid,
        "worker": case.worker,
        "escalated": case.escalated,
        "category": case.category,
        "body": case.body,
        "reporter_kind": kind,
    }
    return (
        all(getattr(sought, name) in (None, value) for name, value in asked.items())
        and case.id.startswith(sought.id_begins or "")
        and _within(case.reported_at, sought.reported)
        and _within(case.closed_at, sought.closed)
        and (sought.late_at is None or bool(case.step in LATE_IN_HAND and case.due and case.due < sought.late_at))
    )


def _within(moment: datetime | None, span: tuple[datetime, datetime] | None) -> bool:
    return span is None or (moment is not None and span[0] <= moment < span[1])
