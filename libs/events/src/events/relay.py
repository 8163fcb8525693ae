"""The relay brings the store's events to Kafka, in store order, at least once.

It reads below the oldest running transaction, waits for all acknowledgements, and a moment later advances its mark by
compare-and-swap. After a crash it sends again what it had not marked; consumers drop that by position.
"""

import asyncio
from collections.abc import Iterable
from math import inf

from events import store
from events.event import Position, Raw
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
        marking = Marking(db, (await marks(db, RELAY, OWN, [0]))[0])
        reader = StoreReader(db, wake)
        following: list[Raw] = []
        while True:
            raws = following or await reader.next(marking.sent, CHUNK, marking.patience())
            following = []
            if raws:
                after = Mark(0, raws[-1].position)
                # What is read meanwhile waits until this is acknowledged.
                reading = asyncio.ensure_future(reader.look(after, CHUNK)) if reader.knows_of_more else None
                try:
                    with continued_each((raw.traceparent for raw in raws), "relay"):
                        await producer.send(_placed(raws, settings))
                    following = await reading if reading else []
                finally:
                    if reading:
                        reading.cancel()
                        await asyncio.gather(reading, return_exceptions=True)
                marking.sent = after
                relayed.add(len(raws))
            await marking.when_due()
    finally:
        await producer.stop()


class Marking:
    """The relay's mark in Postgres, a moment behind what is acknowledged: so marking does not get in the way of the
    event that is being projected just then, and one commit marks all of a moment. What was not marked when the relay
    ends is sent again."""

    MOMENT = 0.02

    def __init__(self, db: Connection, mark: Mark) -> None:
        self._db = db
        self._marked = self._sent = mark
        self._due = 0.0

    @property
    def sent(self) -> Mark:
        """How far the relay's events are acknowledged."""
        return self._sent

    @sent.setter
    def sent(self, mark: Mark) -> None:
        if self._sent == self._marked:
            self._due = asyncio.get_running_loop().time() + self.MOMENT
        self._sent = mark

    def patience(self) -> float | None:
        """For how many seconds marking can wait; None: there is nothing to mark."""
        return None if self._sent == self._marked else max(0.0, self._due - asyncio.get_running_loop().time())

    async def when_due(self) -> None:
        """Marks if the moment is over; raises Overtaken."""
        if self.patience() == 0:
            await advance(self._db, RELAY, [Chunk(OWN, 0, self._marked, self._sent, ())], durable=False)
            self._marked = self._sent


def _placed(raws: Iterable[Raw], settings: Settings) -> Iterable[tuple[Partition, Raw]]:
    for raw in raws:
        topic = topic_of(raw.type, settings.topic_prefix)
        yield Partition(topic, partition_of(raw.stream, settings.partitions)), raw


class StoreReads:
    """What is read of the store, once for all in this process who have come to the same place: so a service may have
    many read models, and each event is fetched once."""

    KEPT = 4
    """Reads, each of at most a chunk, for those who come a little later."""

    def __init__(self) -> None:
        self._reads: dict[tuple[Position, int], tuple[asyncio.Task[list[Raw]], int]] = {}

    async def after(self, db: Connection, position: Position, most: int, count: int) -> tuple[list[Raw], int]:
        """The events after a position, over this connection if nobody has read them, and what the count of appends
        (`Wake.count`, now `count`) was when that was begun: what was appended since may not be among them."""
        key = position, most
        while True:
            known = self._reads.get(key)
            mine = known is None
            if known is None:
                known = self._reads[key] = asyncio.create_task(store.read_after(db, position, most)), count
                for old in [*self._reads][: -self.KEPT]:
                    del self._reads[old]
            read, begun_at = known
            try:
                await asyncio.wait({read})
            except asyncio.CancelledError:
                if mine:  # the connection is ours, and must be at rest before it is closed
                    read.cancel()
                    await asyncio.wait({read})
                raise
            if mine or not read.cancelled():  # else who had begun it was stopped
                if read.cancelled() or read.exception() or not read.result():
                    self._forget(key, read)
                return read.result(), begun_at
            self._forget(key, read)

    def _forget(self, key: tuple[Position, int], read: "asyncio.Task[list[Raw]]") -> None:
        known = self._reads.get(key)
        if known and known[0] is read:
            del self._reads[key]


class StoreReader:
    """Reads the store's next events: woken when this service appends, and looking by itself now and then."""

    SHORTEST_PAUSE = 0.002
    USUAL_PAUSE = 0.01
    LONGEST_PAUSE = 0.5

    def __init__(self, db: Connection, wake: Wake, reads: StoreReads | None = None) -> None:
        self._db = db
        self._reads = reads or StoreReads()
        self._wake = wake
        self._seen: int | None = None
        self._pause = self.SHORTEST_PAUSE

    @property
    def knows_of_more(self) -> bool:
        """Whether it did not read to the end, or somebody has appended since."""
        return self._seen != self._wake.count

    async def look(self, mark: Mark, most: int) -> list[Raw]:
        """The events after the mark, as many as can be read now."""
        woken = self.knows_of_more
        raws, seen = await self._reads.after(self._db, mark.position, most, self._wake.count)
        self._seen = seen if len(raws) < most else None
        if raws:
            self._pause = self.USUAL_PAUSE
        elif woken:  # what was appended waits for an older transaction to end: look again soon, then less and less
            self._pause = self.SHORTEST_PAUSE
        else:
            self._pause = min(self._pause * 2, self.LONGEST_PAUSE)
        return raws

    async def next(self, mark: Mark, most: int, seconds: float | None = None) -> list[Raw]:
        """The events after the mark; waits until there are some, or for so many seconds."""
        loop = asyncio.get_running_loop()
        deadline = inf if seconds is None else loop.time() + seconds
        while True:
            if not self.knows_of_more:
                await self._wake.wait(self._wake.count, min(self._pause, deadline - loop.time()))
            over = loop.time() >= deadline
            if over and not self.knows_of_more:
                return []
            raws = await self.look(mark, most)
            if raws or over:
                return raws
