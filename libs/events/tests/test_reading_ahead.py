"""Far behind its topics a consumer reads ahead while the database works, and everything still takes effect once."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from broker import messages, send
from events import Event, Recorded, Service, feeds
from events.consumer import Consumer
from events.feeds import TopicFeed
from events.kafka import Partition, TopicReader
from events.rebuild import rebuild
from events.runtime import Runtime
from events.testing import eventually, running
from front_desk import MATTER, Note, Raise, at_work, busy, desk, hall, has_journalled, journal, recorded

NewDatabase = Callable[..., Awaitable[str]]
CHUNK = 10
PARTITIONS = 12


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few events make a full chunk that everybody is far behind."""
    monkeypatch.setattr(feeds, "CHUNK", CHUNK)


class Seen(TopicReader):
    """A reader that remembers how many events each reading brought."""

    def __init__(self, runtime: Runtime, topic: str, group: str | None = None) -> None:
        super().__init__(runtime.settings, [topic], group)
        self.readings: list[int] = []

    async def read_ahead(self, seconds: float, most: int) -> int:
        self.readings.append(await super().read_ahead(seconds, most))
        return self.readings[-1]


@asynccontextmanager
async def noted(
    new_database: NewDatabase, kafka: str, prefix: str, notes: int, service: Service
) -> AsyncGenerator[tuple[Runtime, Runtime, str]]:
    """A desk where one matter has so many notes, all on its topic by now, and a hall that is not at work yet."""
    topic = f"{prefix}.desk.matter"
    async with (
        running(desk(), await new_database(), kafka, prefix) as here,
        running(service, await new_database(), kafka, prefix, work=False) as there,
    ):
        await here.commands.execute(MATTER, "1", Raise())
        for nth in range(notes):
            await here.commands.execute(MATTER, "1", Note(f"{nth}"))

        async def all_sent() -> bool:
            return len(await messages(kafka, topic)) == 1 + notes

        await eventually(all_sent)
        yield here, there, topic


async def has_read(reader: Seen, *counts: int) -> bool:
    return reader.readings == [*counts]


class Hold:
    """Holds a handler at its first event until it may go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, event: Recorded[Event]) -> None:
        self.reached.set()
        await self.go_on.wait()


@asynccontextmanager
async def feeding(there: Runtime, reader: TopicReader) -> AsyncGenerator[TopicFeed]:
    async with there.consumer(there.service.read_models[0]) as consumer:
        feed = TopicFeed(consumer, reader, None)
        try:
            await feed.start()
            yield feed
        finally:
            await feed.stop()


async def until(feed: TopicFeed, count: int) -> None:
    while count > 0:
        count -= await feed.step(1.0)


async def test_the_next_chunk_and_no_more_is_read_while_the_database_has_one(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    hold = Hold()
    async with noted(new_database, kafka_server, topic_prefix, 39, hall(journal(hook=hold))) as (here, there, topic):
        reader = Seen(there, topic)
        async with feeding(there, reader) as feed:
            taking = asyncio.create_task(until(feed, 40))
            await hold.reached.wait()
            await eventually(lambda: has_read(reader, CHUNK, CHUNK))
            hold.go_on.set()
            await asyncio.wait_for(taking, 60)
            assert reader.readings[:4] == [CHUNK] * 4
        await has_journalled(there.db, await recorded(here.db))


async def test_who_has_caught_up_reads_nothing_ahead(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """It would cut what comes meanwhile into smaller chunks, and each is a commit."""
    async with noted(new_database, kafka_server, topic_prefix, CHUNK - 2, hall(journal())) as (here, there, topic):
        reader = Seen(there, topic)
        async with feeding(there, reader) as feed:
            await until(feed, CHUNK - 1)
            assert not [task for task in asyncio.all_tasks() if "Seen.read_ahead" in repr(task)]
        await has_journalled(there.db, await recorded(here.db))


class Failing(TopicReader):
    """A reader that gets nothing more after its first chunk."""

    first = True

    async def read_ahead(self, seconds: float, most: int) -> int:
        if not self.first:
            raise ConnectionResetError("Kafka went away")
        self.first = False
        return await super().read_ahead(30.0, most)


async def test_who_ends_before_it_hears_that_reading_ahead_has_failed_leaves_nothing_behind(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    left: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: left.append(context))
    async with noted(new_database, kafka_server, topic_prefix, CHUNK - 1, hall(journal())) as (here, there, topic):
        async with feeding(there, Failing(there.settings, [topic], None)) as feed:
            assert await feed.step(1.0) == CHUNK
        del feed
        gc.collect()
        assert left == []
        await has_journalled(there.db, await recorded(here.db))


async def test_what_was_read_before_a_partition_came_back_is_forgotten(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """Another process had it meanwhile and came further; what none can read must not be parked by both."""
    async with noted(new_database, kafka_server, topic_prefix, CHUNK - 1, hall(journal())) as (here, there, topic):
        partitions = [Partition(topic, it.partition) for it in (await messages(kafka_server, topic))[:1]]
        await send(kafka_server, topic, b"matter-1", b"?")
        reader = Seen(there, topic)
        async with feeding(there, reader) as first:
            assert await first.step(30.0) == CHUNK
            await eventually(lambda: has_read(reader, CHUNK, 1))
            await send(kafka_server, topic, b"matter-1", b"??")
            async with feeding(there, TopicReader(there.settings, [topic], None)) as other:
                await until(other, 2)
            await first._begin(partitions)  # pyright: ignore[reportPrivateUsage]
            await send(kafka_server, topic, b"matter-1", b"???")
            await until(first, 1)
        next_offset = "select max(next_offset) from log.progress where source = $1"
        assert await there.db.fetchval(next_offset, topic) == CHUNK + 3
        assert await there.db.fetchval("select count(*) from log.parked") == 3
        await has_journalled(there.db, await recorded(here.db))


async def test_nothing_is_skipped_of_a_partition_that_was_read_before_its_progress_was_known(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """aiokafka reads what it is given at once, while we still ask the database how far it was taken."""
    async with noted(new_database, kafka_server, topic_prefix, 3 * CHUNK - 1, hall(journal())) as (here, there, topic):
        partitions = [Partition(topic, it.partition) for it in (await messages(kafka_server, topic))[:1]]
        reader = Seen(there, topic)
        async with feeding(there, reader) as feed:
            feed.marks.clear()
            assert await feed.step(30.0) == 0
            await eventually(lambda: has_read(reader, CHUNK, CHUNK))
            await feed._begin(partitions)  # pyright: ignore[reportPrivateUsage]
            await asyncio.wait_for(until(feed, 3 * CHUNK), 60)
        await has_journalled(there.db, await recorded(here.db))


async def test_nothing_is_skipped_when_partitions_are_shared_out_anew_while_kafka_believes_that_we_are_further(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """The database was brought back from a backup. What aiokafka reads, while we ask the database once more how far we
    have come, follows what Kafka was told before."""
    async with noted(new_database, kafka_server, topic_prefix, CHUNK - 3, hall(journal())) as (here, there, topic):
        reader = Seen(there, topic, f"{topic_prefix}-hall")
        async with there.consumer(there.service.read_models[0]) as consumer:
            feed = TopicFeed(consumer, reader, None)
            await feed.start()
            try:
                await eventually(lambda: known(feed))
                ends = await feed.ends()
                await reader.commit(ends)
                async with consumer.between_takes():  # so nobody hears how far we have come
                    shared_out_anew(reader)
                    await eventually(lambda: waits_for(consumer, 1))
                    await here.commands.execute(MATTER, "1", Note("newer than what Kafka was told"))
                    stepping = asyncio.create_task(feed.step(30.0))
                    await eventually(lambda: has_read(reader, 1))
                await stepping
                await asyncio.wait_for(until(feed, CHUNK - 1), 60)
            finally:
                await feed.stop()
        await has_journalled(there.db, await recorded(here.db))


def shared_out_anew(reader: TopicReader) -> None:
    """As when somebody comes or goes."""
    coordinator: Any = reader._kafka._coordinator  # pyright: ignore[reportPrivateUsage]
    coordinator.request_rejoin()


async def known(feed: TopicFeed) -> bool:
    """Whether the progress of all partitions is known."""
    return len(feed.marks) == PARTITIONS


async def waits_for(consumer: Consumer, count: int) -> bool:
    """Whether so many wait for the consumer's connection."""
    lock: Any = consumer._one_at_a_time  # pyright: ignore[reportPrivateUsage]
    return len(lock._waiters or ()) == count


async def test_processes_that_read_ahead_may_come_and_go(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with (
        running(desk(), await new_database(), kafka_server, topic_prefix) as here,
        running(hall(journal()), await new_database(), kafka_server, topic_prefix) as there,
    ):
        place = (there.settings.database_url, kafka_server, topic_prefix)
        writing = asyncio.create_task(busy(here.commands, 800))
        async with at_work(hall(journal()), *place):
            await asyncio.wait({writing}, timeout=1)
            async with at_work(hall(journal()), *place):
                await writing
        await busy(here.commands, 100, seed=2)
        expected = await recorded(here.db)
        await eventually(lambda: has_journalled(there.db, expected), 60)


class Interrupted(Exception):
    pass


async def test_an_interrupted_rebuild_takes_again_what_it_had_only_read(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with noted(new_database, kafka_server, topic_prefix, 39, hall(journal())) as (here, there, _):
        model = there.service.read_models[0]
        reports: list[int] = []

        def interrupt(taken: int) -> None:
            reports.append(taken)
            if taken == 2 * CHUNK:
                raise Interrupted

        with pytest.raises(Interrupted):
            await rebuild(there, model, interrupt)
        assert await rebuild(there, model) == 40 - 2 * CHUNK
        await has_journalled(there.db, await recorded(here.db))
