"""A worker's phone: the list of the morning when a city's year of cases is there, and fifty commands made without a
network in one batch, against the same fifty asked for one by one.

A year is made of rows that stand in the tables as if the events had been taken.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx2
from contracts.common import Place, Post, Title
from contracts.grid_tasks import ReporterKind
from contracts.registry import DutyFacts
from edge.testing import client, founding, in_post, token, told
from events.runtime import Runtime
from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Accept, Assign, Report
from grid_tasks.domain.working_time import Calendar
from grid_tasks.read_models.case_board import case_board
from grid_tasks.read_models.field_work import field_work
from grid_tasks.service import application, grid_tasks

from benchmarks.city import quiet
from benchmarks.measuring import Bench, Benchmark, p99, per_second

# ruff: noqa: S608 - the tables have names of their own

WORKER, GRID = "worker", "G1"
A_MORNING = 20
"""Cases that a worker has."""
FIFTY = 50
DUTY = DutyFacts(
    category="noise",
    title=Title(zh="噪声", en="Noise"),
    department=Title(zh="派出所", en="Police"),
    grid_duty=True,
    deadline_minutes=600,
    legal_basis="a trial",
)


@asynccontextmanager
async def a_grid(bench: Bench, prefix: str) -> AsyncGenerator[tuple[Runtime, httpx2.AsyncClient]]:
    """The service at work in this process, and its worker's client."""
    quiet()
    async with bench.runtime(grid_tasks, prefix) as runtime:
        await told(runtime.settings.database_url, *founding(), in_post(WORKER, Post.GRID_WORKER, GRID))
        working = asyncio.create_task(runtime.work())
        async with client(application, runtime, token(WORKER)) as http:
            yield runtime, http
        working.cancel()
        await asyncio.wait([working])


async def dispatched(runtime: Runtime, cases: Sequence[str]) -> None:
    """These cases, in the worker's hands, and shown."""
    at, days = datetime.now(UTC), Calendar()
    for case in cases:
        report = Report(
            case=case,
            category=DUTY.category,
            duty=DUTY,
            description="楼上深夜装修",
            place=Place(longitude=120.0945, latitude=30.8723),
            grid=GRID,
            reporter_kind=ReporterKind.RESIDENT,
            reporter=None,
            contact=None,
            receipt_hash="0" * 64,
            at=at,
        )
        for command in (report, Accept(DUTY, 1, days, at), Assign(WORKER, None, "a trial", days, at)):
            await runtime.commands.execute(CASE, case, command)
    for read_model in (field_work, case_board):
        await runtime.commands.caught_up(read_model, 60)


async def a_year(runtime: Runtime, cases: int) -> None:
    """So many ended cases more, of a thousand workers and grids; a hundredth of the worker's own grid's."""
    columns = "incarnation, tx, number"
    async with runtime.connection() as db:
        await db.execute(
            f"""insert into {field_work.schema}.field_case (case_id, grid, open, {columns})
                select 'old-' || n, case n % 100 when 0 then $1 else 'H' || n % 1000 end, false, 1, '1'::xid8, n
                from generate_series(1, $2) n""",
            GRID,
            cases,
        )
        await db.execute(
            f"""insert into {field_work.schema}.field_part (member, case_id, part, {columns})
                select case n % 1000 when 0 then $1 else 'w' || n % 1000 end, 'old-' || n, 'ended', 1, '1'::xid8, n
                from generate_series(1, $2) n""",
            WORKER,
            cases,
        )
        await db.execute(
            f"""insert into {case_board.schema}.board_case
                    (case_id, category, grid, step, reporter_kind, worker, urgent, reported_at, closed_at, ended)
                select 'old-' || n, 'noise', 'H' || n % 1000, 'closed', 'resident', 'w' || n % 1000, false,
                       now(), now(), true
                from generate_series(1, $1) n""",
            cases,
        )
        for table in (f"{field_work.schema}.field_case", f"{field_work.schema}.field_part"):
            await db.execute(f"analyze {table}")
        await db.execute(f"analyze {case_board.schema}.board_case")


async def the_morning(bench: Bench) -> Sequence[float]:
    """The p99 of the morning list, with a year of a city's cases there, as a multiple of that without."""
    async with a_grid(bench, "empty") as (small, village), a_grid(bench, "year") as (large, city):
        for runtime in (small, large):
            await dispatched(runtime, [f"case-{nth}" for nth in range(A_MORNING)])
        await a_year(large, bench.size(700_000, 20_000))

        async def empty() -> float:
            return await p99(lambda _: village.get("/my/work"))

        async def full() -> float:
            return await p99(lambda _: city.get("/my/work"))

        found = await bench.ratios(full, empty)
        bench.seen.append("p99 in seconds")
        return found


async def in_one_batch(bench: Bench) -> Sequence[float]:
    """Commands a second in a batch of fifty, to those of fifty requests."""
    async with a_grid(bench, "batch") as (runtime, http):
        numbers = count()

        async def fifty() -> list[str]:
            cases = [f"case-{next(numbers)}" for _ in range(FIFTY)]
            await dispatched(runtime, cases)
            return cases

        since: list[str | None] = [None]

        async def sync(commands: list[dict[str, Any]], **headers: str) -> None:
            now = datetime.now(UTC).isoformat()
            body = {"since": since[0], "sent_at": now, "commands": commands}
            answer = await http.post("/sync", json=body, headers=headers)
            told = answer.json()
            if any(it["became"] != "done" for it in told["commands"]):
                raise RuntimeError(f"not done: {told['commands']}")
            since[0] = told["next"]

        async def batch() -> float:
            cases = await fifty()
            await sync([])  # so that both sides take along the same
            commands = [{"id": f"start-{it}", "do": "start", "thing": it} for it in cases]
            return await per_second(FIFTY, sync(commands))

        async def one_by_one() -> float:
            cases = await fifty()
            await sync([])

            async def ask() -> None:
                seen = ""
                for case in cases:
                    headers = {"Idempotency-Key": f"start-{case}", "If-Match": "*"}
                    answer = await http.post(f"/cases/{case}/start", headers=headers)
                    if answer.status_code != 200:
                        raise RuntimeError(answer.text)
                    seen = answer.headers["Consistency-Token"]
                await sync([], **{"Consistency-Token": seen})

            return await per_second(FIFTY, ask())

        return await bench.ratios(batch, one_by_one)


BENCHMARKS = [
    Benchmark(
        "morning-p99",
        "a worker's morning list (`GET /my/work`, 20 cases) with 700,000 ended cases there, p99",
        "the same in an empty system",
        3,
        the_morning,
        better="less",
    ),
    Benchmark(
        "sync",
        "fifty commands made without a network in one `POST /sync`, and what is new",
        "the same fifty by requests of their own, and what is new; in process, no network between",
        1,
        in_one_batch,
    ),
]
