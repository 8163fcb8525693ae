"""Other systems' topics, whose messages are no events: read lot by lot, and answered.

Kafka is told that a lot was taken when the next one is asked for. So who takes messages in such a way that a second
time changes nothing loses none, whenever it is ended.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka has no types)

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import CommitFailedError

from events.kafka import connect, stopped

AT_ONCE = 500
"""Messages in a lot, at most."""


class Message(NamedTuple):
    """What somebody wrote, and its place: `topic[partition]@offset`."""

    place: str
    value: bytes


class NoSuchTopic(RuntimeError):
    """There is no such topic, or none that we may see."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"there is no topic {topic}, or none that this system may see")


async def lots(kafka: str, topic: str, group: str, most: int = AT_ONCE) -> AsyncGenerator[Sequence[Message]]:
    """What comes on the topic, for ever, in its partitions' order; goes on where the consumer group was. A message
    without a value is empty. Raises NoSuchTopic, KafkaError."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        metadata_max_age_ms=30_000,
    )
    try:
        await connect(consumer.start())
        if topic not in await consumer.topics():
            raise NoSuchTopic(topic)
        consumer.subscribe([topic])
        while True:
            found = await consumer.getmany(timeout_ms=1000, max_records=most)
            lot = [
                Message(f"{it.topic}[{it.partition}]@{it.offset}", it.value or b"")
                for several in found.values()
                for it in several
            ]
            if lot:
                yield lot
                with suppress(CommitFailedError):  # the partition is another process's now, which reads it once more
                    await consumer.commit()
    finally:
        await stopped(consumer)


Tell = Callable[[Sequence[tuple[str | None, bytes]]], Awaitable[None]]
"""Sends messages (key, value), in their order; returns when Kafka has them."""


@asynccontextmanager
async def telling(kafka: str, topic: str) -> AsyncGenerator[Tell]:
    """A way to write on a topic. Raises NoSuchTopic, KafkaError."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True, acks="all")

    async def tell(messages: Sequence[tuple[str | None, bytes]]) -> None:
        sent = [await producer.send(topic, value, key=key.encode() if key else None) for key, value in messages]
        for future in sent:
            await future

    try:
        await connect(producer.start())
        if topic not in (await producer.client.fetch_all_metadata()).topics():
            raise NoSuchTopic(topic)
        yield tell
    finally:
        await stopped(producer)
