"""The relay brings the store's events to Kafka, in store order, at least once.

It reads below the oldest running transaction, waits for all acknowledgements, and then advances its mark by
compare-and-swap. After a crash it sends again what it had not marked; consumers drop that by position.
"""

import asyncio
from collections.abc import Iterable

from events import store
from events.event import Raw
from events.kafka import Partition, Producer, last_events
from events.partitioning import partition_of
from events.progress import OWN, RELAY, Chunk, Mark, advance, marks
from events.read_model import Connection
from events.service import Service, topic_of
from events.settings import Settings
from events.telemetry import continued_each, relayed
from events.wake import Wake

CHUNK = 2000


class StoreBehindTopic(Exception):
    """The topic holds events that the store does not: it was brought back from a backup. Until the tail has been taken
    back from the topic (`events restore`), sending would hand out positions that consumers have already seen."""


async def check_store(db: Connection, service: Service, settings: Settings) -> None:
    """Raises StoreBehindTopic if the store does not hold what its topics end with."""
    foreign = await db.fetchval(
        """select exists (select from log.events e join log.store s using (incarnation)
                          where e.tx >= pg_snapshot_xmax(pg_current_snapshot()))"""
    )
    lost = [
        raw
        for raw in await last_events(settings, service.topics(settings.topic_prefix))
        if not await db.fetchval(
            "select exists (select from log.events where (incarnation, tx, position) = ($1, $2, $3) and stream = $4)",
            *raw.position,
            raw.stream,
        )
    ]
    if foreign or lost:
        raise StoreBehindTopic(
            f"the store of {service.name} was brought back from a backup"
            + (f" and lacks events that its topics hold, such as {lost[0].id}" if lost else "")
            + f": stop the service, run `python -m {service.name} events restore`, start it again"
        )


async def relay(db: Connection, service: Service, settings: Settings, wake: Wake) -> None:
    """Runs until cancelled, or until Kafka or Postgres fail, or somebody else has taken over (Overtaken)."""
    producer = Producer(service, settings)
    try:
        await producer.start(service.topics(settings.topic_prefix))
        await check_store(db, service, settings)
        mark = (await marks(db, RELAY, OWN, [0]))[0]
        reader = StoreReader(db, wake)
        raws = await reader.next(mark, CHUNK)
        while True:
            after = Mark(0, raws[-1].position)
            # Send, and read on meanwhile: what is read next waits until this is acknowledged and marked.
            reading = asyncio.ensure_future(store.read_after(db, after.position, CHUNK))
            try:
                with continued_each((raw.traceparent for raw in raws), "relay"):
                    await producer.send(_placed(raws, settings))
                following = await reading
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            await advance(db, RELAY, [Chunk(OWN, 0, mark, after, raws)])
            relayed.add(len(raws))
            mark = after
            raws = following or await reader.next(mark, CHUNK)
    finally:
        await producer.stop()


def _placed(raws: Iterable[Raw], settings: Settings) -> Iterable[tuple[Partition, Raw]]:
    for raw in raws:
        topic = topic_of(raw.type, settings.topic_prefix)
        yield Partition(topic, partition_of(raw.stream, settings.partitions)), raw


class StoreReader:
    """Waits for the store's next events: woken when this service appends, and looking by itself now and then."""

    LONGEST_PAUSE = 0.5
    SHORTEST_PAUSE = 0.002

    def __init__(self, db: Connection, wake: Wake) -> None:
        self._db = db
        self._wake = wake

    async def next(self, mark: Mark, most: int) -> list[Raw]:
        """The events after the mark; waits until there are some."""
        pause = self.SHORTEST_PAUSE
        while True:
            seen = self._wake.count
            raws = await store.read_after(self._db, mark.position, most)
            if raws:
                return raws
            await self._wake.wait(seen, pause)
            # An append that woke us may wait for an older transaction to end: look again soon, then less and less.
            pause = self.SHORTEST_PAUSE if self._wake.count != seen else min(pause * 2, self.LONGEST_PAUSE)
