"""How far each consumer is behind: for operators, metrics and readiness."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from events.kafka import Partition, TopicReader
from events.policy import Policy
from events.progress import OWN, RELAY
from events.read_model import Database, ReadModel
from events.service import Service
from events.settings import Settings

COUNT_AT_MOST = 100_000
CLOSE = 1.0
"""Seconds by which a consumer may be behind and counts as caught up."""


@dataclass(frozen=True, slots=True)
class Lag:
    """What a consumer has yet to take from a source: how many events (counted up to 100,000 of its own store), and the
    age of the oldest of them in seconds, where it is known."""

    consumer: str
    source: str
    events: int
    seconds: float


def close(lags: Iterable[Lag], since: float) -> set[tuple[str, str]]:
    """Who has caught up with which source: they have taken all that was there `since` seconds ago, and lack the last
    second at most. There may be no moment at which nothing waits while others write all the time."""
    return {(it.consumer, it.source) for it in lags if it.events == 0 or it.seconds < min(since, CLOSE)}


def consumer_name(part: ReadModel | Policy) -> str:
    """The name that a read model's or policy's progress stands under."""
    return part.schema if isinstance(part, ReadModel) else part.name


def group_name(prefix: str, service: Service, part: ReadModel | Policy) -> str:
    """The Kafka consumer group of a read model or policy that follows other services."""
    return f"{prefix}.{service.name}.{consumer_name(part)}"


async def own_lag(db: Database, consumers: Iterable[str]) -> list[Lag]:
    """What consumers have yet to take from the service's own store; the relay is one of them."""
    rows = await db.fetch(
        """
        select c.name, waiting.count, waiting.oldest
        from unnest($1::text[]) as c(name)
        left join log.progress p on p.consumer = c.name and p.source = $2
        cross join lateral (
            select count(*), min(recorded_at) as oldest from (
                select recorded_at from log.events e
                where (e.incarnation, e.tx, e.position)
                    > (coalesce(p.incarnation, 0), coalesce(p.tx, '0'), coalesce(p.position, 0))
                order by e.incarnation, e.tx, e.position limit $3
            ) as ahead
        ) as waiting""",
        list(consumers),
        OWN,
        COUNT_AT_MOST,
    )
    now = datetime.now(UTC)
    return [Lag(name, OWN, count, (now - oldest).total_seconds() if oldest else 0.0) for name, count, oldest in rows]


Foreign = Sequence[tuple[str, Sequence[str]]]
"""Whoever follows other services' events, with their topics."""


@asynccontextmanager
async def watching(settings: Settings, foreign: Foreign) -> AsyncGenerator[TopicReader]:
    """Looks at the ends of these topics."""
    reader = TopicReader(settings, sorted({topic for _, topics in foreign for topic in topics}), None)
    try:
        await reader.start(None)
        yield reader
    finally:
        await reader.stop()


async def topic_lag(db: Database, reader: TopicReader, foreign: Foreign) -> list[Lag]:
    """What consumers have yet to take from other services' topics."""
    ends = await reader.ends(await reader.partitions())
    rows = await db.fetch("select consumer, source, partition, next_offset from log.progress where source <> ''")
    done = {(row[0], Partition(row[1], row[2])): row[3] for row in rows}
    found: list[Lag] = []
    for consumer, topics in foreign:
        for topic in topics:
            next_offsets = {it: done.get((consumer, it), 0) for it in ends if it.topic == topic}
            waiting = {it: offset for it, offset in next_offsets.items() if offset < ends[it]}
            times = await reader.times(waiting) if waiting else []
            age = (datetime.now(UTC) - min(times)).total_seconds() if times else 0.0
            found.append(Lag(consumer, topic, sum(ends[it] - offset for it, offset in waiting.items()), max(age, 0.0)))
    return found


async def everyones_lag(db: Database, service: Service, settings: Settings) -> list[Lag]:
    """What every consumer of a service has yet to take, from its own store and from topics."""
    lags = await own_lag(db, own_consumers(service))
    if foreign := foreign_consumers(service, settings.topic_prefix):
        async with watching(settings, foreign) as reader:
            lags += await topic_lag(db, reader, foreign)
    return lags


def own_consumers(service: Service) -> list[str]:
    """The relay, and whoever follows the service's own events."""
    return [
        RELAY,
        *(consumer_name(part) for part in (*service.read_models, *service.policies) if service.follows_own(part)),
    ]


def foreign_consumers(service: Service, prefix: str) -> list[tuple[str, list[str]]]:
    """Whoever follows other services' events, with their topics."""
    return [
        (consumer_name(part), topics)
        for part in (*service.read_models, *service.policies)
        if (topics := service.foreign_topics(part, prefix))
    ]
