"""The only place that speaks aiokafka: producers, consumers and topics, with the options that the promises need."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false, reportAttributeAccessIssue=false
# pyright: reportIncompatibleMethodOverride=false, reportPrivateUsage=false
# (aiokafka has no types)

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from events.event import Raw
from events.service import Service
from events.settings import Settings
from events.wire import UNREADABLE, headers_of, raw_of, source_of, unreadable

__all__ = ["KafkaError", "Partition", "Producer", "TopicReader", "ensure_topics", "last_events"]

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it logs what it also raises, and every retry while away

MAX_BATCH_BYTES = 900_000
FLUSHING = 5.0
"""Seconds for Kafka to acknowledge what is under way when a producer stops."""
LOOK_BACK = 100
AT_A_TIME = 50
"""Messages that are read without a pause: less than a millisecond's work, and so few that what aiokafka makes of them
is gone before Python's garbage collector goes through it, which took a sixth of a rebuild."""

FOREVER: Mapping[str, str] = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


def kept(replication: int) -> dict[str, str]:
    """How a topic is kept: for ever, and where there are several replicas no event counts as sent before two have it.
    A broker's own default is one, and what the relay has marked as sent is not sent again."""
    return {**FOREVER, "min.insync.replicas": str(min(2, replication))}


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


class WrongTopics(Exception):
    """A topic is missing or has another number of partitions than this system was set up with."""


async def ensure_topics(service: Service, settings: Settings) -> None:
    """Creates the topics that the service publishes, kept for ever: its events, and the seals of its log in one
    partition, as they are one row. What exists is left as it is."""
    wanted = dict.fromkeys(service.topics(settings.topic_prefix), settings.partitions)
    wanted[service.seals(settings.topic_prefix)] = 1
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, request_timeout_ms=30_000)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        missing = [
            NewTopic(topic, partitions, settings.replication, topic_configs=kept(settings.replication))
            for topic, partitions in wanted.items()
            if topic not in present
        ]
        if missing:
            response = await admin.create_topics(missing)
            for topic, code, *rest in response.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise WrongTopics(f"topic {topic} could not be created: error {code} {rest}")
    finally:
        await admin.close()


async def connect(connecting: Awaitable[None]) -> None:
    """Connects. Who is cancelled meanwhile lets it come to its end first, for a moment: aiokafka would leave
    connections open behind it."""
    task = asyncio.ensure_future(connecting)
    try:
        await asyncio.shield(task)
    finally:
        if not task.done():
            await asyncio.wait({task}, timeout=1)
            task.cancel()


async def stopped(client: Any) -> None:
    """Stops an aiokafka client in a task of its own: while it stops, aiokafka swallows a cancellation that is meant for
    us, and lets out those of its own tasks as if they were meant for us."""

    async def stop() -> None:
        with suppress(KafkaError, OSError, asyncio.CancelledError):
            await client.stop()

    await asyncio.wait([asyncio.create_task(stop())])


class Producer:
    """Sends events in order. One record batch at a time is under way for each partition, and nothing later is sent
    before it is acknowledged: so no failure can leave a gap before what has been sent."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._source = source_of(service.name)
        self._partitions = settings.partitions
        self._kafka = AIOKafkaProducer(
            bootstrap_servers=settings.kafka,
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            linger_ms=0,
            max_batch_size=MAX_BATCH_BYTES,
            request_timeout_ms=15_000,
        )

    async def start(self, topics: Iterable[str], partitions: int | None = None) -> None:
        """Connects; raises WrongTopics if a topic is not as it was set up, with so many partitions (else as many as
        topics of events have)."""
        expected = partitions or self._partitions
        await connect(self._kafka.start())
        cluster = await self._kafka.client.fetch_all_metadata()
        for topic in topics:
            found = cluster.partitions_for_topic(topic)
            if len(found or ()) != expected:
                raise WrongTopics(
                    f"topic {topic} has {len(found or ())} partitions, {expected} are expected: run migrate; "
                    "to change their number, see docs/operators.md"
                )

    async def stop(self) -> None:
        """Stops. What Kafka has not acknowledged is let go, for the store has it: aiokafka would wait for as long as
        Kafka is away."""
        stopping = asyncio.create_task(stopped(self._kafka))
        await asyncio.wait([stopping], timeout=FLUSHING)
        sender = self._kafka._sender
        if not stopping.done() and sender and sender.sender_task:
            sender.sender_task.cancel()
        await asyncio.wait([stopping])

    async def send(self, events: Iterable[tuple[Partition, Raw]]) -> None:
        """Sends the events; when it returns, all are acknowledged by all in-sync replicas."""
        batches: dict[Partition, list[Any]] = {}
        for partition, raw in events:
            builders = batches.setdefault(partition, [])
            key, headers = raw.stream.encode(), headers_of(raw, self._source)
            timestamp = int(raw.recorded_at.timestamp() * 1000)
            if not builders or not self._append(builders[-1], timestamp, key, raw.data, headers):
                builders.append(self._kafka.create_batch())
                if not self._append(builders[-1], timestamp, key, raw.data, headers):
                    raise ValueError(f"event {raw.id} is too large for a record batch")
        while batches:
            sent = [
                await self._kafka.send_batch(builders.pop(0), partition.topic, partition=partition.number)
                for partition, builders in batches.items()
            ]
            for future in sent:
                await future
            batches = {partition: builders for partition, builders in batches.items() if builders}

    @staticmethod
    def _append(builder: Any, timestamp: int, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> bool:
        return builder.append(timestamp=timestamp, key=key, value=value, headers=headers) is not None


class _OnAssignment(ConsumerRebalanceListener):
    def __init__(self, assigned: Callable[[list[Partition]], Awaitable[None]], revoked: Callable[[], None]) -> None:
        self._assigned = assigned
        self._revoked = revoked

    async def on_partitions_revoked(self, revoked) -> None:
        self._revoked()

    async def on_partitions_assigned(self, assigned) -> None:
        await self._assigned([Partition(it.topic, it.partition) for it in assigned])


class TopicReader:
    """Reads events from topics, either sharing the partitions with others of its group or all of them alone."""

    def __init__(self, settings: Settings, topics: Sequence[str], group: str | None) -> None:
        self._topics = topics
        self._group = group
        self._ahead: dict[Partition, tuple[int, list[Raw]]] = {}
        self._kafka = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka,
            group_id=group,
            group_instance_id=f"{group}.{settings.instance}" if group and settings.instance else None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=300_000,
            metadata_max_age_ms=30_000,
            max_partition_fetch_bytes=2_097_152,
        )

    async def start(
        self, assigned: Callable[[list[Partition]], Awaitable[None]] | None, revoked: Callable[[], None] = lambda: None
    ) -> None:
        """Connects. `assigned` is called with the partitions whenever they have changed; it must `seek` in each. None:
        only `ends` and `times` will be asked for. `revoked` is called before they change: what is read from then on,
        until it was sought, comes from wherever Kafka thinks that we are."""
        if self._group and assigned:
            self._kafka.subscribe(list(self._topics), listener=_OnAssignment(assigned, revoked))
            await connect(self._kafka.start())
            return
        await connect(self._kafka.start())
        if assigned:
            partitions = await self.partitions()
            self._kafka.assign([TopicPartition(*it) for it in partitions])
            await assigned(partitions)

    async def stop(self) -> None:
        await stopped(self._kafka)

    async def partitions(self) -> list[Partition]:
        """All partitions of the topics that are there."""
        # The cluster is asked: a consumer without a group has heard of no topic by itself.
        cluster = await self._kafka._client.fetch_all_metadata()
        return [
            Partition(topic, number)
            for topic in self._topics
            for number in sorted(cluster.partitions_for_topic(topic) or ())
        ]

    def seek(self, partition: Partition, offset: int) -> None:
        """Reads on from this offset. What was read ahead is forgotten: it may lie behind the offset, or beyond it, as
        aiokafka reads what it is given at once."""
        self._kafka.seek(TopicPartition(*partition), offset)
        self._ahead.pop(partition, None)

    async def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The offset after the last message of each partition."""
        ends = await self._kafka.end_offsets([TopicPartition(*it) for it in partitions])
        return {Partition(it.topic, it.partition): end for it, end in ends.items()}

    async def times(self, offsets: Mapping[Partition, int]) -> list[datetime]:
        """When the events at these offsets were recorded."""
        self._kafka.assign([TopicPartition(*it) for it in offsets])
        for partition, offset in offsets.items():
            self.seek(partition, offset)
        found: list[datetime] = []
        waited = self._kafka.assignment()
        while waited:
            for partition, messages in (await self._kafka.getmany(*waited, timeout_ms=1000, max_records=1)).items():
                if messages:
                    found.append(datetime.fromtimestamp(messages[0].timestamp / 1000, UTC))
                    waited -= {partition}
        self._kafka.unsubscribe()
        return found

    async def read(self, seconds: float, most: int) -> list[tuple[Partition, int, list[Raw]]]:
        """The next events: (partition, offset to read next, events), waiting at most so long for the first."""
        if not self._ahead:
            await self.read_ahead(seconds, most)
        found, self._ahead = self._ahead, {}
        return [(partition, next_offset, raws) for partition, (next_offset, raws) in found.items()]

    async def read_ahead(self, seconds: float, most: int) -> int:
        """Gets the next events for `read` to return; returns how many are there. Messages are read a few at a time, and
        others have their turn in between: the database is not kept waiting for its next statement."""
        while (count := sum(len(raws) for _, raws in self._ahead.values())) < most:
            wait = 0 if count else int(seconds * 1000)
            records = await self._kafka.getmany(timeout_ms=wait, max_records=min(most - count, AT_A_TIME))
            if not records:
                break
            for it, messages in records.items():
                partition = Partition(it.topic, it.partition)
                _, raws = self._ahead.get(partition, (0, []))
                raws.extend(map(_raw, messages))
                self._ahead[partition] = messages[-1].offset + 1, raws
            await asyncio.sleep(0)
        return count

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tells Kafka how far the group has come: for lag monitors only, progress stands in Postgres."""
        await self._kafka.commit({TopicPartition(*it): offset for it, offset in offsets.items()})


def _raw(message: Any) -> Raw:
    try:
        return raw_of(message.value, message.headers)
    except ValueError as error:
        return unreadable(message.key, message.value, message.offset, error)


async def last_events(settings: Settings, topics: Sequence[str]) -> list[Raw]:
    """The event of the highest position among the last messages of each partition: the very last one may be a repeat,
    or none of ours."""
    reader = TopicReader(settings, topics, None)
    waited: dict[Partition, int] = {}
    highest: dict[Partition, Raw] = {}

    async def assigned(partitions: list[Partition]) -> None:
        ends = await reader.ends(partitions)
        waited.update({it: end for it, end in ends.items() if end > 0})
        for it, end in waited.items():
            reader.seek(it, max(0, end - LOOK_BACK))

    try:
        await reader.start(assigned)
        while waited:
            for partition, next_offset, raws in await reader.read(1.0, 500):
                ours = (raw for raw in (*raws, highest.get(partition)) if raw and raw.type != UNREADABLE)
                if raw := max(ours, key=lambda raw: raw.position, default=None):
                    highest[partition] = raw
                if next_offset >= waited.get(partition, 0):
                    waited.pop(partition, None)
    finally:
        await reader.stop()
    return list(highest.values())
