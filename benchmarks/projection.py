"""Projections: from a topic into a read model of another service, a set at a time and an event at a time."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeArgument=false
# (aiokafka has no types)

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from events import ReadModel
from events.feeds import CHUNK, TopicFeed
from events.kafka import TopicReader
from events.runtime import Runtime
from faststream.kafka import KafkaBroker, KafkaMessage

from benchmarks.append import fill
from benchmarks.desk import COLUMNS, TABLE, UPSERT, UPSERT_ONE, Reports, board, by_set, desk, one_by_one
from benchmarks.measuring import Bench, Benchmark, per_second
from benchmarks.relay import relayed

BARE = f"""
create schema bare;
set search_path to bare;
{TABLE};
create table bare_offsets (topic text, partition int, next_offset bigint, primary key (topic, partition))"""

THERE = {"search_path": "bare"}

MARK = """insert into bare_offsets values ($1, $2, $3)
on conflict (topic, partition) do update set next_offset = excluded.next_offset"""


async def prepare_bare(runtime: Runtime) -> None:
    """Makes the tables that the others write to, beside ours."""
    async with runtime.connection() as db:
        await db.execute(BARE)


@asynccontextmanager
async def published(bench: Bench, prefix: str, count: int) -> AsyncGenerator[str]:
    """The desk's topic with so many reports; yields its name."""
    async with bench.runtime(desk(), prefix) as runtime:
        await fill(runtime, Reports(), count)
        await relayed(runtime)
        yield runtime.service.topics(prefix)[0]


async def projected(runtime: Runtime, read_model: ReadModel, topic: str, count: int) -> None:
    """Runs the kernel's projection from the topic's beginning until it has had so many."""
    schema = read_model.schema
    await runtime.db.execute(f"delete from log.progress where consumer = '{schema}'")  # noqa: S608
    await runtime.db.execute(f'truncate "{schema}".report')
    async with runtime.consumer(read_model) as consumer:
        feed = TopicFeed(consumer, TopicReader(runtime.settings, [topic], None), None)
        await feed.start()
        try:
            while count > 0:
                count -= await feed.step(1.0)
        finally:
            await feed.stop()


async def by_hand(runtime: Runtime, topic: str, count: int) -> None:
    """The least that does it: fetch, decode, one upsert and the offsets in a transaction."""
    db = await asyncpg.connect(runtime.settings.database_url, server_settings=THERE)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=runtime.settings.kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2_097_152,
    )
    try:
        await db.execute("truncate report")
        await consumer.start()
        while count > 0:
            fetched = await consumer.getmany(timeout_ms=1000, max_records=CHUNK)
            data = [orjson.loads(record.value or b"") for records in fetched.values() for record in records]
            if not data:
                continue
            async with db.transaction():
                await db.execute(UPSERT, *([row[name] for row in data] for name in COLUMNS))
                marks = [(it.topic, it.partition, records[-1].offset + 1) for it, records in fetched.items()]
                await db.executemany(MARK, marks)
            count -= len(data)
    finally:
        await consumer.stop()
        await db.close()


async def by_faststream(runtime: Runtime, topic: str, count: int) -> None:
    """A FastStream handler that takes a message at a time, with its row and its offset in one transaction."""
    done = asyncio.Event()
    broker = KafkaBroker(runtime.settings.kafka, logger=None)
    async with asyncpg.create_pool(
        runtime.settings.database_url, min_size=1, max_size=1, server_settings=THERE
    ) as pool:
        await pool.execute("truncate report")
        left = count

        @broker.subscriber(topic, group_id=None, auto_offset_reset="earliest")
        async def handle(body: dict[str, object], message: KafkaMessage) -> None:
            nonlocal left
            record: ConsumerRecord = message.raw_message  # pyright: ignore
            async with pool.acquire() as db, db.transaction():
                await db.execute(UPSERT_ONE, *(body[name] for name in COLUMNS))
                await db.execute(MARK, record.topic, record.partition, record.offset + 1)
            left -= 1
            if left == 0:
                done.set()

        await broker.start()
        try:
            await done.wait()
        finally:
            await broker.stop()


async def a_set_at_a_time(bench: Bench) -> Sequence[float]:
    """Both from connecting to the last commit."""
    count = bench.size(200_000, 20_000)
    async with published(bench, "set", count) as topic, bench.runtime(board(by_set), "set") as runtime:
        await prepare_bare(runtime)

        async def ours() -> float:
            return await per_second(count, projected(runtime, by_set, topic, count))

        async def theirs() -> float:
            return await per_second(count, by_hand(runtime, topic, count))

        return await bench.ratios(ours, theirs)


async def an_event_at_a_time(bench: Bench) -> Sequence[float]:
    """Both from connecting to the last commit; FastStream does a tenth of the events."""
    count = bench.size(40_000, 5_000)
    few = count // 10
    async with published(bench, "each", count) as topic, bench.runtime(board(one_by_one), "each") as runtime:
        await prepare_bare(runtime)

        async def ours() -> float:
            return await per_second(count, projected(runtime, one_by_one, topic, count))

        async def theirs() -> float:
            return await per_second(few, by_faststream(runtime, topic, few))

        return await bench.ratios(ours, theirs)


BENCHMARKS = [
    Benchmark(
        "projection-set",
        "projection by set",
        "bare getmany + decode + unnest upsert in one transaction",
        0.7,
        a_set_at_a_time,
    ),
    Benchmark(
        "projection-each",
        "projection per event",
        "FastStream handler with the same effect and the same guarantee (one transaction a message)",
        5,
        an_event_at_a_time,
    ),
]
