"""The relay: from the store to Kafka, against a producer that is handed the same messages."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka has no types)

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from events import relay as kernel
from events import store
from events.event import START, Raw
from events.partitioning import partition_of
from events.runtime import Runtime
from events.service import topic_of
from events.wake import Wake
from events.wire import headers_of, source_of

from benchmarks.append import fill
from benchmarks.desk import Reports, desk
from benchmarks.measuring import Bench, Benchmark, per_second


async def relayed(runtime: Runtime) -> None:
    """Runs the relay from the beginning of the store until its mark is at the end."""
    await runtime.db.execute("update log.progress set incarnation = 0, tx = '0', position = 0 where consumer = 'relay'")
    last = await runtime.db.fetchval("select max(position) from log.events")
    async with runtime.connection() as db:
        relaying = asyncio.create_task(kernel.relay(db, runtime.service, runtime.settings, Wake()))
        try:
            while await runtime.db.fetchval("select position from log.progress where consumer = 'relay'") != last:
                await asyncio.sleep(0.005)
                if relaying.done():
                    await relaying
        finally:
            relaying.cancel()
            with suppress(asyncio.CancelledError):
                await relaying


async def produced(runtime: Runtime, raws: Sequence[Raw]) -> None:
    """Sends the same messages by aiokafka's own batching, and waits for the acknowledgements."""
    prefix, partitions, source = runtime.settings.topic_prefix, runtime.settings.partitions, source_of("desk")
    producer = AIOKafkaProducer(
        bootstrap_servers=runtime.settings.kafka,
        enable_idempotence=True,
        acks="all",
        compression_type="lz4",
        linger_ms=5,
        max_batch_size=900_000,
    )
    await producer.start()
    try:
        for first in range(0, len(raws), 5000):
            sent = [
                await producer.send(
                    topic_of(raw.type, prefix),
                    raw.data,
                    raw.stream.encode(),
                    partition_of(raw.stream, partitions),
                    int(raw.recorded_at.timestamp() * 1000),
                    headers_of(raw, source),
                )
                for raw in raws[first : first + 5000]
            ]
            await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def against_producer(bench: Bench) -> Sequence[float]:
    """Both from their start to their last acknowledgement; ours reads the store and marks its progress besides."""
    count = bench.size(200_000, 20_000)
    async with bench.runtime(desk(), "relay") as runtime:
        await fill(runtime, Reports(), count)
        raws = await store.read_after(runtime.db, START, count)

        async def ours() -> float:
            return await per_second(count, relayed(runtime))

        async def theirs() -> float:
            return await per_second(count, produced(runtime, raws))

        return await bench.ratios(ours, theirs)


BENCHMARKS = [Benchmark("relay", "relay", "bare aiokafka idempotent producer, same messages", 0.8, against_producer)]
