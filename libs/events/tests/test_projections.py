"""Each event takes effect once in each read model, in its stream's order (promises 3 and 4); and who just wrote can
read it, in any service (promise 10)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import groupby

import asyncpg
import pytest
from broker import messages, send_again
from events import Event, NotYet, Position, ReadModel, Recorded, Token
from events.event import START, Catalogue, Raw
from events.feeds import TopicFeed
from events.kafka import TopicReader
from events.progress import OWN, Chunk, Mark, Overtaken
from events.read_model import batches
from events.runtime import Runtime
from events.store import read_after
from events.testing import eventually, running
from front_desk import (
    MATTER,
    NOON,
    Close,
    Closed,
    Hook,
    Note,
    Noted,
    OwnProcess,
    Raise,
    Raised,
    at_work,
    busy,
    desk,
    hall,
    has_journalled,
    journal,
    journalled,
    recorded,
    tallied,
    tally,
)
from hypothesis import given
from hypothesis import strategies as st

NewDatabase = Callable[..., Awaitable[str]]


# Batches: events by sets


CLASSES = (Raised, Noted, Closed)
HISTORIES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(CLASSES)), max_size=60)


def as_raws(history: list[tuple[str, type[Event]]]) -> list[Raw]:
    """Events of some streams, in the order of their positions."""
    versions: dict[str, int] = {}
    raws: list[Raw] = []
    for number, (stream, cls) in enumerate(history):
        versions[stream] = versions.get(stream, 0) + 1
        raws.append(Raw(Position(1, 1, number), stream, versions[stream], cls.type_name, b"{}", NOON))
    return raws


@given(HISTORIES)
def test_batches_hold_every_event_once_with_its_class_and_keep_each_streams_order(
    history: list[tuple[str, type[Event]]],
) -> None:
    raws = as_raws(history)
    grouped = batches(raws, Catalogue(CLASSES))
    assert all(raw.type == cls.type_name for cls, batch in grouped for raw in batch)
    flat = [raw for _, batch in grouped for raw in batch]
    for stream in "abcd":
        assert [raw for raw in flat if raw.stream == stream] == [raw for raw in raws if raw.stream == stream]
    assert len(flat) == len(raws)


@given(HISTORIES)
def test_batches_are_never_more_than_the_runs_of_one_class(history: list[tuple[str, type[Event]]]) -> None:
    runs = len(list(groupby(cls for _, cls in history)))
    assert len(batches(as_raws(history), Catalogue(CLASSES))) <= runs


@given(st.permutations([(stream, nth) for stream in "abcdef" for nth in range(3)]))
def test_streams_that_go_the_same_way_share_as_many_batches_as_it_has_steps(order: list[tuple[str, int]]) -> None:
    going = {stream: iter(CLASSES) for stream in "abcdef"}
    assert len(batches(as_raws([(stream, next(going[stream])) for stream, _ in order]), Catalogue(CLASSES))) == 3


def test_events_that_nobody_follows_are_left_out() -> None:
    assert batches(as_raws([("a", Raised), ("b", Closed)]), Catalogue([Noted])) == []


# Repeats


@given(
    numbers=st.permutations(range(12)),
    restored=st.integers(0, 12),
    sendings=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6), st.booleans()), max_size=8),
    size=st.integers(1, 9),
)
def test_of_what_a_relay_repeats_each_event_is_fresh_once_and_in_order(
    numbers: list[int], restored: int, sendings: list[tuple[int, int, bool]], size: int
) -> None:
    """The bare numbers of the events go up and down, and in their midst the store was restored. A relay begins again
    some way back now and then; messages of somebody else stand between; a consumer gets it all in chunks."""
    events = [
        Raw(Position(1 if nth < restored else 2, nth, number), "a", nth + 1, Raised.type_name, b"", NOON)
        for nth, number in enumerate(numbers)
    ]
    sent: list[Raw] = []
    done = 0
    for back, forth, foreign in sendings:
        sent += events[max(0, done - back) : done + forth]
        done = min(done + forth, len(events))
        if foreign:
            sent.append(Raw(Position(0, 0, len(sent)), "k", 0, "unreadable", b"", NOON))
    fresh: list[Raw] = []
    mark = Mark()
    for start in range(0, len(sent), size):
        raws = sent[start : start + size]
        after = Mark(start + len(raws), max(mark.position, *(raw.position for raw in raws)))
        fresh += Chunk("topic", 0, mark, after, raws).fresh()
        assert list(Chunk("topic", 0, after, after, raws).fresh()) == [], "a redelivery brings nothing"
        mark = after
    assert fresh == [raw for nth, raw in enumerate(sent) if raw not in sent[:nth]]


# Both kinds of handler, on both kinds of feed


@asynccontextmanager
async def desk_and_hall(
    new_database: NewDatabase, kafka: str, prefix: str, *in_hall: ReadModel
) -> AsyncGenerator[tuple[Runtime, Runtime]]:
    """The desk and the hall at work, each with a journal and a tally."""
    async with (
        running(desk(journal(), tally()), await new_database("desk"), kafka, prefix) as here,
        running(hall(*(in_hall or (journal(), tally()))), await new_database("hall"), kafka, prefix) as there,
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


# Once, whatever happens


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


# Read what you wrote


async def test_who_just_wrote_reads_it_in_the_own_service_and_in_another(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with desk_and_hall(new_database, kafka_server, topic_prefix) as (here, there):
        for nth in range(20):
            done = await here.commands.execute(MATTER, f"{nth}", Raise())
            passed_on = Token.parse(str(done.token))
            assert passed_on == done.token
            for runtime in (here, there):
                await runtime.commands.wait_for(passed_on, runtime.service.read_models[0], 30)
                assert f"matter-{nth}" in await journalled(runtime.db)


async def test_a_read_model_that_has_not_come_so_far_says_not_yet(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with (
        running(desk(journal()), await new_database(), kafka_server, topic_prefix, work=False) as here,
        running(hall(journal()), await new_database(), kafka_server, topic_prefix) as there,
    ):
        done = await here.commands.execute(MATTER, "1", Raise())
        assert done.token
        for runtime in (here, there):
            with pytest.raises(NotYet, match="journal"):
                await runtime.commands.wait_for(done.token, runtime.service.read_models[0], 0.1)
        with pytest.raises(NotYet):
            await here.commands.caught_up(here.service.read_models[0], 0.1)


async def test_a_read_model_that_does_not_follow_the_writer_need_not_wait(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(hall(journal()), await new_database(), kafka_server, topic_prefix, work=False) as there:
        journal_there = there.service.read_models[0]
        for token in (
            Token("hall", "screen-1", Position(1, 1, 1)),
            Token("desk", "visitor-1", Position(1, 1, 1)),
            Token("else", "where-1", Position(1, 1, 1)),
        ):
            await there.commands.wait_for(token, journal_there, 0.1)


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "x",
        "not a token",
        "令牌",
        "%00",
        str(Token("desk", "matter-1", START))[:-3],
        str(Token("desk", "matter 1", START)),
        str(Token("desk", "matter-1", Position(-1, 0, 0))),
        str(Token("desk", "matter-1", Position(2**31, 0, 0))),
        str(Token("desk", "matter-1", Position(1, 2**64, 0))),
        str(Token("desk", "matter-1", Position(1, 1, 2**63))),
    ],
    ids=range(11),
)
def test_what_is_no_token_is_refused(garbage: str) -> None:
    with pytest.raises(ValueError, match="not a consistency token"):
        Token.parse(garbage)


async def test_caught_up_waits_for_all_that_the_store_holds(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(desk(journal()), await new_database(), kafka_server, topic_prefix) as here:
        await here.commands.caught_up(here.service.read_models[0], 0.1)  # nothing there yet
        await busy(here.commands, 100)
        await here.commands.caught_up(here.service.read_models[0], 30)
        assert await journalled(here.db) == await recorded(here.db)
