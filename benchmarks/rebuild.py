"""Rebuilding a read model of another service from its topic, in a process of its own, against a COPY of the rows."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka has no types)

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer
from events.feeds import CHUNK
from events.rebuild import rebuild
from events.runtime import open_runtime
from events.settings import Settings

from benchmarks.desk import COLUMNS, board, by_set
from benchmarks.measuring import Bench, Benchmark
from benchmarks.projection import THERE, prepare_bare, published


async def ours(settings: Settings, _topic: str, _count: int) -> None:
    """What `events rebuild` does."""
    async with open_runtime(board(by_set), settings) as runtime:
        await rebuild(runtime, by_set)


async def copied(settings: Settings, topic: str, count: int) -> None:
    """Fetch, decode, COPY."""
    db = await asyncpg.connect(settings.database_url, server_settings=THERE)
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=settings.kafka, auto_offset_reset="earliest", max_partition_fetch_bytes=2_097_152
    )
    await db.execute("truncate report")
    await consumer.start()
    try:
        while count > 0:
            fetched = await consumer.getmany(timeout_ms=1000, max_records=CHUNK)
            rows = [orjson.loads(record.value or b"") for records in fetched.values() for record in records]
            records = [tuple(row[name] for name in COLUMNS) for row in rows]
            await db.copy_records_to_table("report", columns=COLUMNS, records=records)
            count -= len(rows)
    finally:
        await consumer.stop()
        await db.close()


async def told(settings: Settings, way: str, topic: str, count: int) -> tuple[float, float]:
    """Seconds and MiB that a process took."""
    place = json.dumps([settings.database_url, settings.kafka, settings.topic_prefix])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.rebuild", place, way, topic, str(count)), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the process that rebuilds ended with {process.returncode}")
    seconds, mebibytes = json.loads(output)
    return seconds, mebibytes


async def against_copy(bench: Bench) -> Sequence[float]:
    """One million events (twenty thousand in a quick run), from connecting to the switch."""
    count = bench.size(1_000_000, 20_000)
    async with published(bench, "rebuild", count) as topic, bench.runtime(board(by_set), "rebuild") as runtime:
        await prepare_bare(runtime)

        async def rate(way: str) -> float:
            return count / (await told(runtime.settings, way, topic, count))[0]

        return await bench.ratios(lambda: rate("ours"), lambda: rate("copied"))


async def memory(bench: Bench) -> Sequence[float]:
    """The highest resident memory of the process that rebuilds."""
    count = bench.size(300_000, 20_000)
    async with published(bench, "rebuild-memory", count) as topic, bench.runtime(board(by_set), "rebuild-memory") as it:
        return [(await told(it.settings, "ours", topic, count))[1] for _ in range(bench.rounds)]


def highest_memory() -> float:
    """MiB that this process has held at once. `getrusage` would count what its parent held when it was forked."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


BENCHMARKS = [
    Benchmark(
        "rebuild",
        "rebuild of one million events into a read model",
        "bare COPY of the same rows out of Kafka",
        0.5,
        against_copy,
    ),
    Benchmark("rebuild-memory", "memory of the process that rebuilds", "", 256, memory, "less", "MiB"),
]

if __name__ == "__main__":
    place, way, topic, count = sys.argv[1:]
    started = time.perf_counter()
    asyncio.run({"ours": ours, "copied": copied}[way](Settings(*json.loads(place)), topic, int(count)))
    seconds = time.perf_counter() - started
    json.dump([seconds, highest_memory()], sys.stdout)
