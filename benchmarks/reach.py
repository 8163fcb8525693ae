"""How long it takes from a commit in one service to a row that a query in another one sees."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka has no types)

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from statistics import quantiles

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from events.read_model import Connection
from events.runtime import Runtime
from events.testing import running
from local.testing import database

from benchmarks.append import BARE, BARE_TABLE, CONTEXT, commands, row_of
from benchmarks.desk import COLUMNS, REPORT, UPSERT_ONE, Make, Reports, board, by_set, desk
from benchmarks.measuring import Bench, Benchmark
from benchmarks.projection import THERE, prepare_bare

Write = Callable[[Make], Awaitable[object]]


async def seen(db: Connection, report: str) -> None:
    """Returns when the row is there."""
    while not await db.fetchval("select exists (select from report where report = $1)", report):  # noqa: ASYNC110
        await asyncio.sleep(0.0005)


async def seconds(write: Write, reports: Reports, db: Connection, count: int) -> list[float]:
    """How long each of so many took, one after another, from the commit to the row."""
    found: list[float] = []
    for make in reports.several(count):
        await write(make)
        started = time.perf_counter()
        await seen(db, make.report)
        found.append(time.perf_counter() - started)
    return found


def percentile(values: Sequence[float], which: int) -> float:
    """Of a hundred parts, the end of this one."""
    return quantiles(values, n=100, method="inclusive")[which - 1]


@asynccontextmanager
async def two_services(bench: Bench, prefix: str) -> AsyncGenerator[tuple[Runtime, Runtime]]:
    """The desk and the board, at work."""
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(database(bench.servers.postgres, name)) for name in ("desk", "board")]
        kafka = bench.servers.kafka
        one = await stack.enter_async_context(running(desk(), urls[0], kafka, prefix))
        yield one, await stack.enter_async_context(running(board(by_set), urls[1], kafka, prefix))


@asynccontextmanager
async def by_hand(bench: Bench, prefix: str) -> AsyncGenerator[tuple[Write, Connection]]:
    """Insert, produce, consume, insert: what to write with, and where to look."""
    async with (
        bench.runtime(desk(), prefix) as one,
        bench.runtime(board(by_set), prefix) as other,
        AsyncExitStack() as stack,
    ):
        await one.db.execute(BARE_TABLE)
        await prepare_bare(other)
        topic = one.service.topics(prefix)[0]
        source = await asyncpg.connect(one.settings.database_url)
        target, looking = [await asyncpg.connect(other.settings.database_url, server_settings=THERE) for _ in "ab"]
        for db in (source, target, looking):
            stack.push_async_callback(db.close)
        producer = AIOKafkaProducer(bootstrap_servers=one.settings.kafka, enable_idempotence=True, acks="all")
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=one.settings.kafka, auto_offset_reset="earliest")
        for client in (producer, consumer):
            await client.start()
            stack.push_async_callback(client.stop)

        async def project() -> None:
            async for record in consumer:
                row = orjson.loads(record.value or b"")
                await target.execute(UPSERT_ONE, *(row[name] for name in COLUMNS))

        async def write(make: Make) -> None:
            row = row_of(make)
            await source.execute(BARE, *row)
            sending.append(
                asyncio.create_task(producer.send_and_wait(topic, str(row[3]).encode(), str(row[0]).encode()))
            )
            del sending[:-10]

        sending: list[asyncio.Task[object]] = []
        projecting = asyncio.create_task(project())
        try:
            yield write, looking
        finally:
            projecting.cancel()
            with suppress(asyncio.CancelledError):
                await projecting


def idle(which: int) -> Callable[[Bench], Awaitable[Sequence[float]]]:
    """This percentile, against the bare parts; nothing else goes on."""

    async def measure(bench: Bench) -> Sequence[float]:
        count, reports = bench.size(300, 100), Reports()
        async with (
            two_services(bench, f"reach-{which}") as (one, other),
            by_hand(bench, f"bare-reach-{which}") as (insert, looking),
            other.connection(by_set.schema) as db,
        ):
            mine = one.commands.by(CONTEXT)

            async def execute(make: Make) -> None:
                await mine.execute(REPORT, make.report, make, new=True)

            async def ours() -> float:
                return 1000 * percentile(await seconds(execute, reports, db, count), which)

            async def theirs() -> float:
                return 1000 * percentile(await seconds(insert, reports, looking, count), which)

            return await bench.ratios(ours, theirs)

    return measure


async def under_load(bench: Bench) -> Sequence[float]:
    """The 99th percentile at half the top command rate, against that of the idle system."""
    count, reports = bench.size(300, 100), Reports()
    async with two_services(bench, "reach-load") as (one, other), other.connection(by_set.schema) as db:
        mine = one.commands.by(CONTEXT)

        async def execute(make: Make) -> None:
            await mine.execute(REPORT, make.report, make, new=True)

        async def quiet() -> None:
            [last] = reports.several(1)
            await execute(last)
            await seen(db, last.report)

        async def idling() -> float:
            return 1000 * percentile(await seconds(execute, reports, db, count), 99)

        async def loaded() -> float:
            top = await commands(one, reports, bench.size(5000, 2000))()
            await quiet()
            async with at_rate(top / 2, lambda: execute(reports.next())):
                found = await seconds(execute, reports, db, count)
            await quiet()
            return 1000 * percentile(found, 99)

        return await bench.ratios(loaded, idling)


@asynccontextmanager
async def at_rate(rate: float, do: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Does it so often a second, whether or not the earlier ones are done, in bursts of a hundredth of a second."""

    async def go_on() -> None:
        started, begun = time.perf_counter(), 0
        async with asyncio.TaskGroup() as tasks:
            while not ending.is_set():
                due = int((time.perf_counter() - started) * rate)
                for _ in range(due - begun):
                    tasks.create_task(do())  # pyright: ignore[reportArgumentType]
                begun = due
                await asyncio.sleep(0.01)

    ending = asyncio.Event()
    going = asyncio.create_task(go_on())
    try:
        yield
    finally:
        ending.set()
        await going


BENCHMARKS = [
    Benchmark(
        "reach-p50",
        "commit in one service to visible row in another, idle, p50",
        "bare insert → produce → consume → insert",
        1.5,
        idle(50),
        "less",
    ),
    Benchmark(
        "reach-p99",
        "commit in one service to visible row in another, idle, p99",
        "bare insert → produce → consume → insert",
        2,
        idle(99),
        "less",
    ),
    Benchmark("reach-loaded", "the same at half the top command rate, p99", "itself, idle", 4, under_load, "less"),
]
