"""Kafka as the tests see it: with a client of their own, and over a wire that can be cut."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false
# (aiokafka has no types)

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType


@dataclass(frozen=True)
class Message:
    """What stands on a topic."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]

    @property
    def id(self) -> str:
        return self.headers["ce_id"]

    @property
    def stream(self) -> str:
        return self.headers["ce_subject"]


async def messages(kafka: str, topic: str, partitions_of_a_topic: int = 12) -> list[Message]:
    """All messages of a topic, each partition's in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(partitions_of_a_topic)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Message] = []
        while any([await consumer.position(it) < ends[it] for it in partitions]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [
                    Message(
                        it.partition,
                        it.offset,
                        it.timestamp,
                        it.key,
                        it.value,
                        {name: value.decode(errors="replace") for name, value in it.headers},
                    )
                    for it in records
                ]
        return found
    finally:
        await consumer.stop()


async def send(
    kafka: str, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
) -> None:
    """Puts a message on a topic, as anybody could."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, key, headers=list(headers))
    finally:
        await producer.stop()


async def send_again(kafka: str, topic: str, again: Sequence[Message]) -> None:
    """Sends messages as they are once more, to the partitions they came from: as a second relay would."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for it in again:
            headers = [(name, value.encode()) for name, value in it.headers.items()]
            await producer.send_and_wait(topic, it.value, it.key, it.partition, it.timestamp, headers)
    finally:
        await producer.stop()


async def create_topic(kafka: str, topic: str, partitions: int) -> None:
    """Creates a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()


async def topic_configs(kafka: str, topic: str) -> dict[str, str]:
    """What a topic was set up with, and what it has from its broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        (told,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return {name: value for name, value, *_ in told.resources[0][4]}
    finally:
        await admin.close()


class Wire:
    """The way to Kafka, which can be cut and mended. It writes its own address into what the broker says of itself."""

    def __init__(self, kafka: str) -> None:
        self._host, port = kafka.split(":")
        self._port = int(port)
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server:
            self._server.close()
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    async def _carry(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        broker_reader, broker = await asyncio.open_connection(self._host, self._port)
        self._ends |= {client, broker}
        await asyncio.gather(self._ask(client_reader, broker), self._answer(broker_reader, client))

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65_536):
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = (self._host.encode() + port.to_bytes(4) for port in (self._port, self.port))
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                size = await reader.readexactly(4)
                answer = await reader.readexactly(int.from_bytes(size))
                writer.write(size + answer.replace(there, here))
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def wire_to(kafka: str) -> AsyncGenerator[Wire]:
    """A way to Kafka, whole at first."""
    wire = Wire(kafka)
    await wire.mend()
    try:
        yield wire
    finally:
        await wire.cut()
