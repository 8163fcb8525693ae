"""Kafka: the real one, with its data kept, however it ends."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka has no types)

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError
from local.errors import PortTaken
from local.kafka import Kafka

TOPIC = "commongrid.grid_tasks.case"


@pytest.fixture(scope="module")
async def kafka(shared_folder: Path) -> AsyncGenerator[Kafka]:
    broker = Kafka(shared_folder / "kafka", shared_folder / "kafka.log")
    await broker.start()
    yield broker
    await broker.end()


async def send(broker: Kafka, *messages: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True, compression_type="lz4")
    await producer.start()
    try:
        for message in messages:
            await producer.send_and_wait(TOPIC, message)
    finally:
        await producer.stop()


async def received(broker: Kafka, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(
        TOPIC, bootstrap_servers=broker.bootstrap, group_id="board", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_what_was_sent_is_there_after_an_orderly_end_and_after_a_kill(kafka: Kafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    await send(kafka, b"reported", b"accepted")
    assert await received(kafka, 2) == [b"reported", b"accepted"]

    await kafka.end()
    await kafka.start()
    await send(kafka, b"dispatched")
    assert kafka.child
    kafka.child.kill()
    await kafka.child.wait()

    await kafka.start()
    await send(kafka, b"closed")
    assert await received(kafka, 2) == [b"dispatched", b"closed"], "the group goes on where it was"


async def test_a_topic_is_not_made_by_mistake(kafka: Kafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, request_timeout_ms=1000)
    await producer.start()
    with pytest.raises((UnknownTopicOrPartitionError, TimeoutError)):
        await producer.partitions_for("commongrid.misspelt")
    await producer.stop()


async def test_a_port_in_use_is_told_in_one_sentence(closed_folder: Path, kafka: Kafka) -> None:
    with pytest.raises(PortTaken, match=rf"^kafka cannot listen on 127\.0\.0\.1:{kafka.port}: .*--kafka-port"):
        await Kafka(closed_folder / "second", closed_folder / "second.log", kafka.port).start()
