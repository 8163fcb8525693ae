"""Each event takes effect once in each read model, in its stream's order (promises 3 and 4)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from broker import messages, send_again
from events import Event, Recorded
from events.feeds import TopicFeed
from events.kafka import TopicReader
from events.progress import OWN, Chunk, Mark, Overtaken
from events.runtime import Runtime
from events.store import read_after
from events.testing import eventually, running
from front_desk import (
    MATTER,
    Close,
    Hook,
    Note,
    OwnProcess,
    Raise,
    at_work,
    busy,
    desk,
    hall,
    has_journalled,
    journal,
    recorded,
    tallied,
    tally,
)

NewDatabase = Callable[..., Awaitable[str]]


@asynccontextmanager
async def desk_and_hall(new_database: NewDatabase, kafka: str, prefix: str) -> AsyncGenerator[tuple[Runtime, Runtime]]:
    """The desk and the hall at work, each with a journal and a tally."""
    async with (
        running(desk(journal(), tally()), await new_database("desk"), kafka, prefix) as here,
        running(hall(journal(), tally()), await new_database("hall"), kafka, prefix) as there,
    ):
        yield here, there


async def test_own_events_and_those_of_others_take_effect_by_one_and_by_set(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with desk_and_hall(new_database, kafka_server, topic_prefix) as (here, there):
        await busy(here.commands, 200)
        expected = await recorded(here.db)
        for runtime in (here, there):
            await eventually(lambda runtime=runtime: has_journalled(runtime.db, expected))
            await eventually(lambda runtime=runtime: has_tallied(runtime, 20, 7))


async def has_tallied(runtime: Runtime, raised: int, closed: int) -> bool:
    assert sum((await tallied(runtime.db)).values()) == raised
    assert await runtime.db.fetchval("select count(*) from closed") == closed
    return True


class Stop:
    """Holds a handler after it wrote, before anything is committed."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.reached = asyncio.Event()

    async def __call__(self, event: Recorded[Event]) -> None:
        if event.version == self.at:
            self.reached.set()
            await asyncio.Event().wait()


@pytest.mark.parametrize("who", ["desk", "hall"])
async def test_a_process_that_ends_between_handler_and_commit_has_done_nothing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str, who: str
) -> None:
    def service(hook: Hook | None):
        return (desk if who == "desk" else hall)(journal(hook=hook))

    async with running(desk(), await new_database(), kafka_server, topic_prefix, work=who == "hall") as here:
        database = here.settings.database_url if who == "desk" else await new_database()
        stop = Stop(at=3)
        async with running(service(stop), database, kafka_server, topic_prefix) as stopped:
            await here.commands.execute(MATTER, "1", Raise())
            await eventually(lambda: has_journalled(stopped.db, {"matter-1": [1]}))
            await here.commands.execute(MATTER, "1", Note("a"))
            await here.commands.execute(MATTER, "1", Note("b"))
            await asyncio.wait_for(stop.reached.wait(), 30)
        async with at_work(service(None), database, kafka_server, topic_prefix) as again:
            await here.commands.execute(MATTER, "1", Close())
            await eventually(lambda: has_journalled(again.db, {"matter-1": [1, 2, 3, 4]}))


async def test_a_hall_killed_again_and_again_misses_nothing_and_counts_nothing_twice(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with desk_and_hall(new_database, kafka_server, topic_prefix) as (here, there):
        process = OwnProcess("hall", there.settings.database_url, kafka_server, topic_prefix)
        try:
            for seed in range(1, 4):
                process.start()
                await busy(here.commands, 100, seed)
                process.kill()
            expected = await recorded(here.db)
            await eventually(lambda: has_journalled(there.db, expected), 60)
            await eventually(lambda: has_tallied(there, 60, 21))
        finally:
            process.kill()


async def test_what_a_relay_sends_twice_is_dropped(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with desk_and_hall(new_database, kafka_server, topic_prefix) as (here, there):
        await busy(here.commands, 60)
        expected = await recorded(here.db)
        await eventually(lambda: has_journalled(there.db, expected))
        topic = f"{topic_prefix}.desk.matter"
        once = await messages(kafka_server, topic)
        await send_again(kafka_server, topic, once)
        await send_again(kafka_server, topic, once[len(once) // 2 :])
        await busy(here.commands, 20, seed=2)
        expected = await recorded(here.db)
        await eventually(lambda: has_journalled(there.db, expected))
        await eventually(lambda: has_taken(there, topic))
        await has_journalled(there.db, expected)
        assert await has_tallied(there, 40, 14)


async def has_taken(runtime: Runtime, topic: str) -> bool:
    """Whether the journal has come to the end of the topic."""
    done = await runtime.db.fetchval(
        "select sum(next_offset) from log.progress where consumer = 'journal_v1' and source = $1", topic
    )
    return done == len(await messages(runtime.settings.kafka, topic))


async def test_processes_of_one_service_share_the_work_and_may_come_and_go(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with desk_and_hall(new_database, kafka_server, topic_prefix) as (here, first):
        place = (first.settings.database_url, kafka_server, topic_prefix)
        writing = asyncio.create_task(busy(here.commands, 800))
        async with at_work(hall(journal(), tally()), *place):
            await asyncio.wait({writing}, timeout=1)
            async with at_work(hall(journal(), tally()), *place):
                await writing
                await busy(here.commands, 100, seed=2)
        await busy(here.commands, 100, seed=3)
        expected = await recorded(here.db)
        await eventually(lambda: has_journalled(first.db, expected), 60)
        await eventually(lambda: has_tallied(first, 60, 21))


async def test_of_two_owners_of_one_source_one_is_overtaken_and_its_work_rolled_back(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    service = desk(journal())
    async with (
        running(service, await new_database(), kafka_server, topic_prefix, work=False) as runtime,
        runtime.consumer(service.read_models[0]) as one,
        runtime.consumer(service.read_models[0]) as other,
    ):
        await one.db.execute("insert into log.progress (consumer, source, partition) values ('journal_v1', '', 0)")
        mark = Mark()
        for nth in range(5):
            await busy(runtime.commands, 20, seed=nth)
            await eventually(lambda mark=mark: readable(runtime, mark, 7 + 20 + 20))
            raws = await read_after(runtime.db, mark.position, 1000)
            after = Mark(0, raws[-1].position)
            chunk = Chunk(OWN, 0, mark, after, raws)
            outcomes = await asyncio.gather(one.take([chunk]), other.take([chunk]), return_exceptions=True)
            assert sorted(map(repr, outcomes)) == sorted(
                ["None", repr(Overtaken("journal_v1 was advanced by somebody else"))]
            )
            await has_journalled(runtime.db, await recorded(runtime.db))
            mark = after


async def readable(runtime: Runtime, mark: Mark, count: int) -> bool:
    return len(await read_after(runtime.db, mark.position, 1000)) == count


async def test_a_consumer_that_cannot_learn_its_progress_says_so_and_skips_nothing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """It was given partitions while its database did not answer: it must not go on as if they were empty."""
    service = hall(journal())
    async with (
        running(desk(), await new_database(), kafka_server, topic_prefix, work=False),
        running(service, await new_database(), kafka_server, topic_prefix, work=False) as runtime,
        runtime.consumer(service.read_models[0]) as one,
        runtime.consumer(service.read_models[0]) as other,
    ):
        topics = [f"{topic_prefix}.desk.matter"]
        first, second = (
            TopicFeed(it, TopicReader(runtime.settings, topics, topic_prefix), topic_prefix) for it in (one, other)
        )
        await first.start()
        await second.start()
        await eventually(lambda: shared_evenly(first, second))
        one.db.terminate()
        await second.stop()
        with pytest.raises(asyncpg.InterfaceError):
            await asyncio.wait_for(steps(first), 30)
        await first.stop()


async def steps(feed: TopicFeed) -> None:
    while True:
        await feed.step(0.1)


async def shared_evenly(*feeds: TopicFeed) -> bool:
    return {len(feed.marks) for feed in feeds} == {6}


async def test_a_process_that_lost_its_database_for_a_moment_goes_on(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with desk_and_hall(new_database, kafka_server, topic_prefix) as (here, there):
        for seed in range(1, 4):
            await busy(here.commands, 50, seed)
            for runtime in (here, there):
                await runtime.db.execute(
                    """select pg_terminate_backend(pid) from pg_stat_activity
                       where datname = current_database() and pid <> pg_backend_pid()
                         and application_name = 'commongrid worker'"""
                )
        expected = await recorded(here.db)
        for runtime in (here, there):
            await eventually(lambda runtime=runtime: has_journalled(runtime.db, expected), 60)
            await eventually(lambda runtime=runtime: has_tallied(runtime, 60, 21))
