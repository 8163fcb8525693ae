"""Each event takes effect once in each read model, in its stream's order (promises 3 and 4)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest
from broker import messages, send_again
from events import Connection, Event, Position, ReadModel, Recorded
from events.consumer import Consumer
from events.feeds import TopicFeed
from events.kafka import TopicReader
from events.progress import OWN, Chunk, Mark, Overtaken, advance, marks
from events.runtime import Runtime
from events.service import Service
from events.store import read_after
from events.testing import eventually, running
from front_desk import (
    MATTER,
    Close,
    Hook,
    Note,
    OwnProcess,
    Raise,
    Raised,
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
Open = Callable[[Service], Awaitable[Runtime]]


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


async def test_a_set_of_events_is_taken_in_three_round_trips(opened: Open) -> None:
    """They are what an event waits for when nothing else goes on: begin and advance, write, commit."""
    service = desk(tally())
    runtime = await opened(service)
    async with runtime.consumer(service.read_models[0]) as consumer:
        await marks(consumer.db, consumer.name, OWN, [0])
        mark = await took_next(runtime, consumer, Mark(), "1")
        asked: list[str] = []
        consumer.db.add_query_logger(lambda query: asked.append(query.query))  # pyright: ignore
        await took_next(runtime, consumer, mark, "2")
        assert await tallied(runtime.db) == {"gate": 2}
        assert [query.split()[0] for query in asked] == ["begin;", "insert", "COMMIT;"]


async def took_next(runtime: Runtime, consumer: Consumer, mark: Mark, matter: str) -> Mark:
    """Raises a matter and lets the consumer take it."""
    await runtime.commands.execute(MATTER, matter, Raise())
    await eventually(lambda: readable(runtime, mark, 1))
    [raw] = await read_after(runtime.db, mark.position, 10)
    after = Mark(0, raw.position)
    await consumer.take([Chunk(OWN, 0, mark, after, [raw])])
    return after


async def test_who_was_overtaken_is_not_left_in_a_transaction(opened: Open) -> None:
    service = desk(tally())
    runtime = await opened(service)
    async with runtime.consumer(service.read_models[0]) as consumer:
        await marks(consumer.db, consumer.name, OWN, [0])
        elsewhere = Mark(0, Position(0, 0, 1))
        with pytest.raises(Overtaken, match="tally_v1 was advanced by somebody else"):
            await took_next(runtime, consumer, elsewhere, "1")
        assert not consumer.db.is_in_transaction()


async def test_a_handler_may_undo_a_part_of_its_own_work(opened: Open) -> None:
    """By a transaction within the one that it is called in."""
    model = ReadModel("part", "create table part (matter text)")

    @model.each(Raised)
    async def raised(db: Connection, event: Recorded[Raised]) -> None:  # pyright: ignore[reportUnusedFunction]
        await db.execute("insert into part values ($1)", event.stream)
        with suppress(asyncpg.DivisionByZeroError):
            async with db.transaction():
                await db.execute("insert into part values ('undone')")
                await db.execute("select 1 / 0")

    service = desk(model)
    runtime = await opened(service)
    async with runtime.consumer(model) as consumer:
        await marks(consumer.db, consumer.name, OWN, [0])
        mark = await took_next(runtime, consumer, Mark(), "1")
        await took_next(runtime, consumer, mark, "2")
        assert [row["matter"] for row in await runtime.db.fetch("select matter from part")] == ["matter-1", "matter-2"]
        assert await runtime.db.fetchval("select count(*) from log.parked") == 0


async def test_marks_move_together_or_not_at_all_whatever_their_sources_are_called(opened: Open) -> None:
    runtime = await opened(desk())
    sources = ["it's", 'said "so"', "back\\slash", "{a,b}", OWN]
    async with runtime.connection() as db:
        for source in sources:
            await marks(db, "o'clock", source, [0, 1])
        moved = Mark(2**40, Position(2, 2**63, 2**62))
        await advance(db, "o'clock", [Chunk(source, 1, Mark(), moved, ()) for source in sources])
        for source in sources:
            assert await marks(db, "o'clock", source, [0, 1]) == {0: Mark(), 1: moved}
        with pytest.raises(Overtaken):
            await advance(db, "o'clock", [Chunk("it's", n, Mark(), moved, ()) for n in (0, 1)])
        assert await marks(db, "o'clock", "it's", [0, 1]) == {0: Mark(), 1: moved}


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
