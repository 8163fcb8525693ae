"""Retries, new events and changing owners at once: a stream still takes effect in its order, and once (promise 6)."""

import asyncio

from events import ReadModel, parking, store
from events.consumer import Consumer
from events.feeds import TopicFeed
from events.kafka import TopicReader
from events.partitioning import partition_of
from events.progress import OWN, Chunk, Mark, marks
from events.runtime import Runtime
from events.testing import eventually, running
from front_desk import (
    MATTER,
    Note,
    Raise,
    desk,
    hall,
    journal,
    journalled,
)
from parked import (
    MENDED,
    POISON,
    NewDatabase,
    all_parked,
    are_parked,
    following,
    many_journalled,
    parked,
    somebody_waits_for,
)

BROKEN_AGAIN = "alter table journal add constraint no_poison check (last_note <> 'poison') not valid"


async def test_retries_while_new_events_come_lose_none_and_repeat_none(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with following("hall", new_database, kafka_server, topic_prefix) as (commands, runtime, source):
        model = runtime.service.read_models[0]
        await commands.execute(MATTER, "bad", Raise())
        for _ in range(6):
            await commands.execute(MATTER, "bad", POISON)
            await commands.execute(MATTER, "bad", Note("behind"))
            await eventually(lambda: some_parked(runtime))
            await runtime.db.execute(MENDED)
            retrying = asyncio.create_task(keep_retrying(runtime, model, source))
            for nth in range(15):
                await commands.execute(MATTER, "bad", Note(f"{nth}"))
            expected = list(range(1, (await commands.load(MATTER, "bad"))[1] + 1))
            await eventually(lambda expected=expected: has_all(runtime, expected))
            retrying.cancel()
            await asyncio.wait([retrying])
            assert await parked(runtime) == []
            await runtime.db.execute(BROKEN_AGAIN)


async def some_parked(runtime: Runtime) -> bool:
    return bool(await parked(runtime))


async def keep_retrying(runtime: Runtime, model: ReadModel, source: str) -> None:
    """Two impatient operators."""

    async def operator() -> None:
        async with runtime.consumer(model) as consumer:
            while True:
                await consumer.retry(source, "matter-bad")

    await asyncio.gather(operator(), operator())


async def has_all(runtime: Runtime, expected: list[int]) -> bool:
    assert (await journalled(runtime.db))["matter-bad"] == expected
    return True


async def test_a_new_event_waits_for_a_retry_under_way_and_then_goes_its_usual_way(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    model = journal()
    async with (
        running(desk(model), await new_database(), kafka_server, topic_prefix, work=False) as runtime,
        runtime.consumer(model) as live,
        runtime.connection("journal_v1") as operator,
    ):
        mark = (await marks(live.db, live.name, OWN, [0]))[0]
        for command in (Raise(), POISON, Note("behind")):
            await runtime.commands.execute(MATTER, "bad", command)
        mark = await take_next(runtime, live, mark, 3)
        assert await are_parked(runtime, "matter-bad/2", "matter-bad/3")
        await runtime.commands.execute(MATTER, "bad", Note("new"))
        await eventually(lambda: readable(runtime, mark, 1))
        await runtime.db.execute(MENDED)
        transaction = operator.transaction()  # what a retry does, up to its commit
        await transaction.start()
        waiting = await parking.of_stream(operator, live.name, OWN, "matter-bad")
        new = await store.read_after(operator, mark.position, 10)
        await model.apply(operator, [it.raw for it in waiting], runtime.service.catalogue)
        await parking.remove(operator, [it.id for it in waiting])
        number = await operator.fetchval("select pg_backend_pid()")
        taking = asyncio.create_task(live.take([Chunk(OWN, 0, mark, Mark(0, new[-1].position), new)]))
        await eventually(lambda: somebody_waits_for(runtime, number))
        await transaction.commit()
        await taking
        assert await journalled(runtime.db) == {"matter-bad": [1, 2, 3, 4]}
        assert await parked(runtime) == []


async def take_next(runtime: Runtime, consumer: Consumer, mark: Mark, count: int) -> Mark:
    """Gives a consumer the next events of the store; returns its mark after them."""
    await eventually(lambda: readable(runtime, mark, count))
    raws = await store.read_after(runtime.db, mark.position, count)
    after = Mark(0, raws[-1].position)
    await consumer.take([Chunk(OWN, 0, mark, after, raws)])
    return after


async def readable(runtime: Runtime, mark: Mark, count: int) -> bool:
    return len(await store.read_after(runtime.db, mark.position, 10)) == count


async def test_who_takes_over_a_partition_knows_what_is_parked_of_it(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """Else it would let later events of the stream take effect before the earlier ones."""
    service = hall(journal())
    async with (
        running(desk(), await new_database(), kafka_server, topic_prefix) as here,
        running(service, await new_database(), kafka_server, topic_prefix, work=False) as runtime,
        runtime.consumer(service.read_models[0]) as one,
        runtime.consumer(service.read_models[0]) as other,
    ):
        topic = f"{topic_prefix}.desk.matter"
        first, second = (
            TopicFeed(it, TopicReader(runtime.settings, [topic], topic_prefix), topic_prefix) for it in (one, other)
        )
        await first.start()
        await second.start()
        await eventually(lambda: shared_evenly(first, second))
        seconds = {partition.number for partition in second.marks}
        ids = [f"{nth}" for nth in range(40)]
        mine = [id_ for id_ in ids if partition_of(f"matter-{id_}", 12) not in seconds]
        theirs = [id_ for id_ in ids if id_ not in mine]
        await here.commands.execute_many(MATTER, {id_: Raise() for id_ in ids})
        await eventually(lambda: step_until(runtime, 40, first, second))
        await here.commands.execute_many(MATTER, dict.fromkeys(theirs, POISON))
        await eventually(lambda: parked_after_step(runtime, len(theirs), first, second))
        await second.stop()
        await runtime.db.execute(MENDED)
        await here.commands.execute_many(MATTER, {id_: Note("later") for id_ in ids})
        await eventually(lambda: parked_after_step(runtime, 2 * len(theirs), first), 60)
        await eventually(lambda: step_and_see(runtime, first, {f"matter-{id_}": [1, 2] for id_ in mine}))
        found = await journalled(runtime.db)
        assert all(found[f"matter-{id_}"] == [1] for id_ in theirs)
        await first.stop()


async def shared_evenly(*feeds: TopicFeed) -> bool:
    return {len(feed.marks) for feed in feeds} == {6}


async def step_until(runtime: Runtime, count: int, *feeds: TopicFeed) -> bool:
    for feed in feeds:
        await feed.step(0.05)
    return await many_journalled(runtime, count)


async def parked_after_step(runtime: Runtime, count: int, *feeds: TopicFeed) -> bool:
    for feed in feeds:
        await feed.step(0.05)
    return await all_parked(runtime, count)


async def step_and_see(runtime: Runtime, feed: TopicFeed, expected: dict[str, list[int]]) -> bool:
    await feed.step(0.05)
    found = await journalled(runtime.db)
    return all(found[stream] == versions for stream, versions in expected.items())
