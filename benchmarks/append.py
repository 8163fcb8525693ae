"""Appending: one event a command and many at once, to a store that is young or full."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
from events import Aggregate, store
from events.event import Raw, encode
from events.privacy.data import PersonalData
from events.privacy.keys import PersonKeys
from events.read_model import Connection
from events.runtime import Runtime
from events.store import Appending, Context

from benchmarks.desk import CONFIDENTIAL, REPORT, Make, Reports, confidential_desk, desk, event_of
from benchmarks.measuring import Bench, Benchmark, Rate, per_second, shared_out

AT_ONCE = 16
A_CHUNK = 500
CONTEXT = Context(
    actor="grid-worker-3",
    correlation="0199f3a2c7d57c5e",
    causation="0199f3a2c7d57c5e",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)

BARE_TABLE = "create table bare (like log.events including all)"
"""The same columns, defaults, identity and indexes."""

COLUMNS = "stream", "version", "type", "data", "actor", "correlation", "causation", "traceparent"

BARE = f"""
insert into bare (incarnation, tx, {", ".join(COLUMNS)})
values (1, pg_current_xact_id(), $1, $2, $3, $4, $5, $6, $7, $8)"""  # noqa: S608

BARE_MANY = f"""
insert into bare (incarnation, tx, {", ".join(COLUMNS)})
select 1, pg_current_xact_id(), * from unnest($1::text[], $2::int[], $3::text[], $4::json[], $5::text[], $6::text[],
                                              $7::text[], $8::text[])"""  # noqa: S608


def row_of(make: Make) -> tuple[str | int | None, ...]:
    """The row that a report's event becomes."""
    event = event_of(make)
    return (
        REPORT.stream(make.report),
        1,
        event.type_name,
        encode(event),
        CONTEXT.actor,
        CONTEXT.correlation,
        CONTEXT.causation,
        CONTEXT.traceparent,
    )


def commands(runtime: Runtime, reports: Reports, count: int, aggregate: Aggregate[bool, Make] = REPORT) -> Rate:
    """Commands through the kernel, 16 at a time: decide, append, one event each."""
    mine = runtime.commands.by(CONTEXT)

    async def run() -> float:
        makes = reports.several(count)
        return await per_second(
            count, shared_out(makes, AT_ONCE, lambda make: mine.execute(aggregate, make.report, make, new=True))
        )

    return run


@asynccontextmanager
async def connections(url: str, count: int) -> AsyncGenerator[list[Connection]]:
    """So many connections of one's own."""
    async with AsyncExitStack() as stack:
        made: list[Connection] = []
        for _ in range(count):
            db = await asyncpg.connect(url)
            stack.push_async_callback(db.close)
            made.append(db)
        yield made


async def one_a_command(bench: Bench) -> Sequence[float]:
    """Against 16 connections that do nothing but INSERT."""
    count, reports = bench.size(20_000, 3_000), Reports()
    async with (
        bench.runtime(desk(), "append") as runtime,
        connections(runtime.settings.database_url, AT_ONCE) as made,
    ):
        await runtime.db.execute(BARE_TABLE)

        async def inserts() -> float:
            makes = iter(reports.several(count))

            async def insert(db: Connection) -> None:
                for make in makes:
                    await db.execute(BARE, *row_of(make))

            return await per_second(count, asyncio.gather(*map(insert, made)))

        return await bench.ratios(commands(runtime, reports, count), inserts)


Many = Callable[[Runtime, Sequence[Make]], Awaitable[object]]


async def insert_many(runtime: Runtime, makes: Sequence[Make]) -> None:
    """A bare INSERT … unnest."""
    await runtime.db.execute(BARE_MANY, *zip(*map(row_of, makes), strict=True))


async def copy_many(runtime: Runtime, makes: Sequence[Make]) -> None:
    """A bare COPY. The table is told before where its rows get their transaction id from."""
    await runtime.db.copy_records_to_table("bare", columns=COLUMNS, records=map(row_of, makes))


async def append_many(runtime: Runtime, makes: Sequence[Make]) -> None:
    """The kernel's append."""
    appending = Appending(CONTEXT)
    for make in makes:
        appending.add(REPORT.stream(make.report), 0, [event_of(make)])
    await runtime.commands.append_together(appending)


def against(theirs: Many) -> Callable[[Bench], Awaitable[Sequence[float]]]:
    """Appending of 500 events at a time, two at once, against this way to write the same rows."""

    async def many_at_once(bench: Bench) -> Sequence[float]:
        chunks, reports = bench.size(60, 12), Reports()
        async with bench.runtime(desk(), "append-many") as runtime:
            await runtime.db.execute(BARE_TABLE)
            await runtime.db.execute("alter table bare alter incarnation set default 1")
            await runtime.db.execute("alter table bare alter tx set default pg_current_xact_id()")

            def by(write: Many) -> Rate:
                async def run() -> float:
                    makes = [reports.several(A_CHUNK) for _ in range(chunks)]
                    return await per_second(chunks * A_CHUNK, shared_out(makes, 2, lambda chunk: write(runtime, chunk)))

                return run

            return await bench.ratios(by(append_many), by(theirs))

    return many_at_once


FILL = """
insert into log.events (incarnation, tx, stream, version, type, data, actor, correlation, causation, traceparent)
select 1, pg_current_xact_id(), $1 || lpad(nth::text, 12, '0'), 1, e.type,
       replace(e.data::text, $4, lpad(nth::text, 24, '0'))::json, e.actor, e.correlation,
       e.causation, e.traceparent
from generate_series($2::int, $3::int) as nth cross join (select * from log.events limit 1) as e"""


async def fill(runtime: Runtime, reports: Reports, count: int) -> None:
    """Fills the store with so many events, in transactions of a hundred thousand."""
    async with runtime.connection() as db:
        [first_of_all] = reports.several(1)
        await append_many(runtime, [first_of_all])
        for first in range(1, count, 100_000):
            await db.execute(FILL, "report-filled-", first, min(first + 99_999, count - 1), first_of_all.report)
        await db.execute("vacuum analyze log.events")


async def full_store(bench: Bench) -> Sequence[float]:
    """Commands on a store with five million events (a hundred thousand in a quick run), against ten thousand."""
    count, reports = bench.size(5_000, 1_000), Reports()
    async with bench.runtime(desk(), "full") as full, bench.runtime(desk(), "young") as young:
        await fill(young, reports, 10_000)
        await fill(full, reports, bench.size(5_000_000, 100_000))
        return await bench.ratios(commands(full, reports, count), commands(young, reports, count))


async def sealed(bench: Bench) -> Sequence[float]:
    """The same report with two fields sealed for a person whose key is made with it, against it in the open."""
    count, reports = bench.size(20_000, 3_000), Reports()
    async with bench.runtime(confidential_desk(), "sealed") as runtime:
        return await bench.ratios(commands(runtime, reports, count, CONFIDENTIAL), commands(runtime, reports, count))


async def opened(bench: Bench) -> Sequence[float]:
    """Events read again in batches of a thousand, each of another person, their keys in no memory, against in the open.

    From bytes to events: Postgres is asked for the keys alone.
    """
    count, reports = bench.size(20_000, 3_000), Reports()
    async with bench.runtime(confidential_desk(), "opened") as runtime:
        await commands(runtime, reports, count, CONFIDENTIAL)()
        await commands(runtime, reports, count)()
        sealed_ones, plain_ones = [
            [store.raw_of(row) for row in await runtime.db.fetch(f"{LIKE} like '{kind}-%'")]
            for kind in ("confidential", "report")
        ]

        def reading(raws: Sequence[Raw]) -> Rate:
            async def run() -> float:
                async def read() -> None:
                    keys = PersonKeys(runtime.db, runtime.settings.vault())
                    personal = PersonalData("desk", runtime.service.catalogue, keys)
                    for first in range(0, len(raws), 1000):
                        for raw in await personal.open(raws[first : first + 1000]):
                            runtime.service.catalogue.decode(raw)

                return await per_second(len(raws), read())

            return run

        return await bench.ratios(reading(sealed_ones), reading(plain_ones))


LIKE = f"select {store.COLUMNS} from log.events where stream"  # noqa: S608

BENCHMARKS = [
    Benchmark(
        "append",
        "append of one event a command, 16 at a time",
        "bare asyncpg INSERT of the same row",
        0.85,
        one_a_command,
    ),
    Benchmark(
        "append-many",
        "append of many (bulk import)",
        "bare INSERT … unnest of the same rows",
        0.7,
        against(insert_many),
    ),
    Benchmark(
        "append-many-copy", "append of many (bulk import)", "bare COPY of the same rows", 0.7, against(copy_many)
    ),
    Benchmark(
        "append-sealed",
        "append of one event a command, two fields of it sealed for a new person",
        "append of the same event in the open",
        0.5,
        sealed,
    ),
    Benchmark(
        "decode-sealed",
        "decoding of events with two sealed fields, keys fetched from the table",
        "decoding of the same events in the open",
        0.05,
        opened,
    ),
    Benchmark("append-full", "append at 5 million stored events", "append at 10 thousand", 0.95, full_store),
]
