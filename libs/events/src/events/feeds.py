"""Feeds bring events to consumers: from the service's own store, and from other services' topics.

Both run until something fails; whoever runs them starts them again, and they go on from the progress in Postgres.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from events.consumer import Consumer
from events.event import Raw
from events.kafka import KafkaError, Partition, TopicReader
from events.progress import OWN, Chunk, Mark, marks
from events.relay import StoreReader, StoreReads
from events.settings import Settings
from events.wake import Wake

CHUNK = 1000
COMMIT_EVERY = 1.0
"""Seconds between telling Kafka how far we are, for its lag monitors."""


async def feed_from_store(consumer: Consumer, wake: Wake, reads: StoreReads) -> None:
    """Gives the consumer its own service's events. Raises Overtaken when somebody else does."""
    reader = StoreReader(consumer.db, wake, reads)
    mark = (await marks(consumer.db, consumer.name, OWN, [0]))[0]
    while True:
        raws = await reader.next(mark, CHUNK)
        after = Mark(0, raws[-1].position)
        await consumer.take([Chunk(OWN, 0, mark, after, raws)])
        mark = after


async def feed_from_topics(consumer: Consumer, settings: Settings, topics: Sequence[str], group: str | None) -> None:
    """Gives the consumer other services' events: those of the partitions that its group shares out, or of all."""
    feed = TopicFeed(consumer, TopicReader(settings, topics, group), group)
    try:
        await feed.start()
        while True:
            await feed.step(1.0)
    finally:
        await feed.stop()


class TopicFeed:
    """One consumer's reading of its topics, chunk by chunk. Far behind, it reads a chunk ahead while the database has
    the one before it. Once something has failed it is of no use any more."""

    def __init__(self, consumer: Consumer, reader: TopicReader, group: str | None) -> None:
        self._consumer = consumer
        self._reader = reader
        self._group = group
        self._committed_at = 0.0
        self._failed: Exception | None = None
        self._ahead: asyncio.Task[int] | None = None
        self.marks: dict[Partition, Mark] = {}

    async def start(self) -> None:
        """Connects, and reads on from the progress in Postgres, whatever Kafka thinks that it is."""
        await self._reader.start(self._assigned, self._revoked)

    async def stop(self) -> None:
        if self._ahead:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)
        await self._reader.stop()

    async def ends(self) -> dict[Partition, int]:
        """Where each assigned partition ends now."""
        return await self._reader.ends(self.marks)

    def _revoked(self) -> None:
        """Until the progress is known anew, what is read is not what follows it: nothing of it may be taken."""
        self.marks = {}

    async def _assigned(self, partitions: list[Partition]) -> None:
        try:
            await self._begin(partitions)
        except Exception as error:  # aiokafka would go on from where Kafka thinks that we are
            self._failed = error

    async def _begin(self, partitions: list[Partition]) -> None:
        found: dict[Partition, Mark] = {}
        for topic in {partition.topic for partition in partitions}:
            numbers = [partition.number for partition in partitions if partition.topic == topic]
            async with self._consumer.between_takes() as db:
                for number, mark in (await marks(db, self._consumer.name, topic, numbers)).items():
                    found[Partition(topic, number)] = mark
        for partition, mark in found.items():
            self._reader.seek(partition, mark.next_offset)
        self.marks = found

    async def step(self, seconds: float) -> int:
        """Takes the next events, waiting at most so long for the first; returns how many came."""
        chunks: list[Chunk] = []
        read = await self._next(seconds)
        if self._failed:
            raise self._failed
        for partition, next_offset, raws in read:
            before = self.marks.get(partition)
            if before is None:  # it was taken from us while we read, or its progress is not known yet
                continue
            position = max(before.position, *(raw.position for raw in raws))
            chunks.append(Chunk(partition.topic, partition.number, before, Mark(next_offset, position), raws))
        if not chunks:
            return 0
        await self._consumer.take(chunks)
        for chunk in chunks:
            partition = Partition(chunk.source, chunk.partition)
            if self.marks.get(partition) == chunk.before:  # else it was shared out anew meanwhile
                self.marks[partition] = chunk.after
        await self._tell_kafka()
        return sum(len(chunk.raws) for chunk in chunks)

    async def _next(self, seconds: float) -> list[tuple[Partition, int, list[Raw]]]:
        """The next events. A full chunk promises more: that is read ahead. What comes now and then is not, which would
        only cut it into smaller chunks."""
        reading, self._ahead = self._ahead, None
        if reading:
            await reading
        read = await self._reader.read(0 if reading else seconds, CHUNK)
        if sum(len(raws) for _, _, raws in read) >= CHUNK:
            self._ahead = asyncio.create_task(self._reader.read_ahead(seconds, CHUNK))
        return read

    async def _tell_kafka(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._group and now - self._committed_at >= COMMIT_EVERY:
            self._committed_at = now
            with suppress(KafkaError):
                await self._reader.commit({partition: mark.next_offset for partition, mark in self.marks.items()})
