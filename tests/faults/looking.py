"""Looking from outside, with our own SQL and our own Kafka consumer: what stands where, and who is behind."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka has no types)

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from town import PREFIX, Town

Position = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Fact:
    """An event, as a store or a topic has it."""

    stream: str
    version: int
    type: str
    data: bytes
    position: Position
    actor: str | None = None

    @property
    def id(self) -> str:
        return f"{self.stream}/{self.version}"

    def json(self) -> Any:
        """What it says."""
        return orjson.loads(self.data)


class Remembered(NamedTuple):
    """What is kept under an idempotency key."""

    stream: str
    position: Position


@dataclass
class Store:
    """What stands in a service's database. Tables go by `read_model.table`."""

    facts: list[Fact] = field(default_factory=list[Fact])
    keys: dict[str, Remembered] = field(default_factory=dict[str, Remembered])
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict[str, list[Mapping[str, Any]]])
    parked: list[str] = field(default_factory=list[str])


Messages = dict[tuple[str, int], list[Fact]]
"""By topic and partition, in the order of their offsets."""


async def store_at(url: str) -> Store:
    """All that stands there at one moment."""
    db = await asyncpg.connect(url)
    try:
        async with db.transaction(isolation="repeatable_read", readonly=True):
            facts = [
                Fact(row[0], row[1], row[2], row[3].encode(), (row[4], row[5], row[6]), row[7])
                for row in await db.fetch(
                    """select stream, version, type, data::text, incarnation, tx, position, actor
                       from log.events order by incarnation, tx, position"""
                )
            ]
            keys = {
                row[0]: Remembered(row[1], (row[2], row[3], row[4]))
                for row in await db.fetch("select key, stream, incarnation, tx, position from log.commands")
            }
            tables = await db.fetch(
                r"""select r.schema, r.name || '.' || t.tablename from log.read_models r
                    join pg_tables t on t.schemaname = r.schema where r.schema !~ '__'"""
            )
            shown = {
                row[1]: [dict(it) for it in await db.fetch(f'select * from "{row[0]}"."{row[1].partition(".")[2]}"')]
                for row in tables
            }
            parked = await db.fetch(
                """select consumer || ': ' || stream || '/' || version || ' ' || error from log.parked
                   union all
                   select policy || ': timer of ' || stream || ' ' || error from log.timers
                   where claimed_until = 'infinity'"""
            )
        return Store(facts, keys, shown, [row[0] for row in parked])
    finally:
        await db.close()


async def messages_on(kafka: str) -> Messages:
    """Everything on the topics, from their beginnings to where they end now."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="none", max_partition_fetch_bytes=4_194_304
    )
    await consumer.start()
    found: Messages = {}
    try:
        partitions = await _partitions(consumer)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        waited = {it: end for it, end in ends.items() if end}
        consumer.assign(list(waited))
        for it in waited:
            consumer.seek(it, 0)
        while waited:
            for it, messages in (await consumer.getmany(timeout_ms=1000, max_records=5000)).items():
                found.setdefault((it.topic, it.partition), []).extend(map(_fact, messages))
                if messages and messages[-1].offset + 1 >= waited.get(it, 0):
                    waited.pop(it, None)
                    consumer.pause(it)
    finally:
        await consumer.stop()
    return found


async def ends_of(kafka: str) -> dict[tuple[str, int], int]:
    """Where each partition ends."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(await _partitions(consumer))
        return {(it.topic, it.partition): end for it, end in ends.items()}
    finally:
        await consumer.stop()


async def _partitions(consumer: Any) -> list[TopicPartition]:
    cluster = await consumer._client.fetch_all_metadata()  # pyright: ignore[reportPrivateUsage]
    events = (it for it in cluster.topics() if it.startswith(f"{PREFIX}.") and not it.endswith(".seals"))
    topics = sorted(events)
    return [TopicPartition(topic, nth) for topic in topics for nth in sorted(cluster.partitions_for_topic(topic))]


def _fact(message: Any) -> Fact:
    headers = dict(message.headers)
    incarnation, tx, number = map(int, headers["ce_position"].split(b"."))
    return Fact(
        headers["ce_subject"].decode(),
        int(headers["ce_sequence"]),
        headers["ce_type"].decode(),
        message.value,
        (incarnation, tx, number),
        headers["ce_actor"].decode() if "ce_actor" in headers else None,
    )


BEHIND = """
select p.consumer || ' is behind in its own store' from log.progress p,
    (select incarnation, tx, position from log.events order by incarnation desc, tx desc, position desc limit 1) e
where p.source = '' and p.consumer !~ '__'
  and (p.incarnation, p.tx, p.position) < (e.incarnation, e.tx, e.position)
union all
select 'timer ' || policy || ' of ' || stream || ' is to come' from log.timers where claimed_until <> 'infinity'"""


async def unrest(town: Town) -> list[str]:
    """Who has yet to do what; empty when all is quiet."""
    ends = await ends_of(town.kafka.direct)
    found = await asyncio.gather(*(_unrest_at(it.service, it.url, ends) for it in town.databases.values()))
    return [what for each in found for what in each]


async def _unrest_at(service: str, url: str, ends: Mapping[tuple[str, int], int]) -> Sequence[str]:
    db = await asyncpg.connect(url)
    try:
        behind = [row[0] for row in await db.fetch(BEHIND)]
        for consumer, topic, partition, offset in await db.fetch(
            "select consumer, source, partition, next_offset from log.progress where source <> '' and consumer !~ '__'"
        ):
            if offset < ends.get((topic, partition), 0):
                behind.append(f"{consumer} is behind on {topic} {partition}")
    finally:
        await db.close()
    return [f"{service}: {what}" for what in behind]
