"""One bad event stops nothing else: it is parked, what follows it in its stream waits behind it, in order, and the rest
goes on. An operator inspects, retries or drops (promise 6)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from broker import messages, send
from events import Commands, Connection, Event, Policy, ReadModel, Recorded, Service, parking, store
from events.consumer import Consumer
from events.feeds import TopicFeed
from events.kafka import TopicReader
from events.partitioning import partition_of
from events.progress import OWN, Chunk, Mark, marks
from events.runtime import Runtime
from events.testing import eventually, running
from front_desk import (
    MATTER,
    SCREEN,
    Close,
    Note,
    Noted,
    Raise,
    Raised,
    Show,
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
from structlog.testing import capture_logs

NewDatabase = Callable[..., Awaitable[str]]
POISON = Note("poison")
MENDED = "alter table journal drop constraint no_poison"
BROKEN_AGAIN = "alter table journal add constraint no_poison check (last_note <> 'poison') not valid"


@asynccontextmanager
async def following(
    who: str, new_database: NewDatabase, kafka: str, prefix: str, *parts: ReadModel
) -> AsyncGenerator[tuple[Commands, Runtime, str]]:
    """The desk's commands, and a service that follows the desk: itself, or the hall. And what the source is called."""
    parts = parts or (journal(),)
    if who == "desk":
        async with running(desk(*parts), await new_database(), kafka, prefix) as runtime:
            yield runtime.commands, runtime, OWN
    else:
        async with (
            running(desk(), await new_database(), kafka, prefix) as here,
            running(hall(*parts), await new_database(), kafka, prefix) as there,
        ):
            yield here.commands, there, f"{prefix}.desk.matter"


async def parked(runtime: Runtime) -> list[tuple[str, str]]:
    """What is parked and why, oldest first."""
    return [(it.raw.id, it.error) for it in await parking.listed(runtime.db)]


async def are_parked(runtime: Runtime, *ids: str) -> bool:
    assert [id_ for id_, _ in await parked(runtime)] == list(ids)
    return True


async def retry(runtime: Runtime, part: ReadModel | Policy, source: str, stream: str) -> int:
    """What an operator does, on a connection of their own."""
    async with runtime.consumer(part) as consumer:
        return await consumer.retry(source, stream)


@pytest.fixture
async def poisoned(
    request: pytest.FixtureRequest, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> AsyncGenerator[tuple[Commands, Runtime, str]]:
    """A follower with a poison event parked, and two more of its stream behind it."""
    async with following(request.param, new_database, kafka_server, topic_prefix) as (commands, runtime, source):
        await commands.execute(MATTER, "bad", Raise())
        await commands.execute(MATTER, "good", Raise())
        await commands.execute(MATTER, "bad", POISON)
        await commands.execute(MATTER, "bad", Note("behind"))
        await eventually(lambda: are_parked(runtime, "matter-bad/2", "matter-bad/3"))
        await commands.execute(MATTER, "good", Note("goes on"))
        await commands.execute(MATTER, "bad", Close())
        await eventually(lambda: are_parked(runtime, "matter-bad/2", "matter-bad/3", "matter-bad/4"))
        yield commands, runtime, source


EACH = pytest.mark.parametrize("poisoned", ["desk", "hall"], indirect=True)
ONE = pytest.mark.parametrize("poisoned", ["desk"], indirect=True)


@EACH
async def test_a_bad_event_waits_with_all_that_follows_it_and_other_streams_go_on(
    poisoned: tuple[Commands, Runtime, str],
) -> None:
    _, runtime, _ = poisoned
    await eventually(lambda: has_journalled(runtime.db, {"matter-bad": [1], "matter-good": [1, 2]}))
    assert await parked(runtime) == [
        ("matter-bad/2", "CheckViolationError: 23514 no_poison"),
        ("matter-bad/3", parking.BEHIND),
        ("matter-bad/4", parking.BEHIND),
    ]


@EACH
async def test_when_the_handler_is_mended_a_retry_takes_all_of_the_stream_in_order(
    poisoned: tuple[Commands, Runtime, str],
) -> None:
    _, runtime, source = poisoned
    await runtime.db.execute(MENDED)
    assert await retry(runtime, runtime.service.read_models[0], source, "matter-bad") == 3
    assert await parked(runtime) == []
    assert (await journalled(runtime.db))["matter-bad"] == [1, 2, 3, 4]


@ONE
async def test_after_a_retry_the_stream_goes_its_usual_way(poisoned: tuple[Commands, Runtime, str]) -> None:
    commands, runtime, source = poisoned
    await commands.execute(MATTER, "bad2", Raise())
    await runtime.db.execute(MENDED)
    await retry(runtime, runtime.service.read_models[0], source, "matter-bad")
    await commands.execute(MATTER, "good", Close())
    await commands.execute(MATTER, "bad2", Close())
    expected = await recorded(runtime.db)
    await eventually(lambda: has_journalled(runtime.db, expected))
    assert await parked(runtime) == []


@ONE
async def test_a_retry_that_fails_changes_nothing(poisoned: tuple[Commands, Runtime, str]) -> None:
    _, runtime, source = poisoned
    before = await parking.listed(runtime.db)
    with pytest.raises(asyncpg.CheckViolationError):
        await retry(runtime, runtime.service.read_models[0], source, "matter-bad")
    assert await parking.listed(runtime.db) == before
    assert (await journalled(runtime.db))["matter-bad"] == [1]


@ONE
async def test_a_retry_that_fails_in_the_middle_changes_nothing(poisoned: tuple[Commands, Runtime, str]) -> None:
    commands, runtime, source = poisoned
    await commands.execute(MATTER, "worse", Raise())
    for note in ("poison", "fine", "worse than poison"):
        await commands.execute(MATTER, "worse", Note(note))
    await eventually(lambda: all_parked(runtime, 6))
    await runtime.db.execute(f"{MENDED}; alter table journal add check (last_note <> 'worse than poison')")
    before = await parking.listed(runtime.db)
    with pytest.raises(asyncpg.CheckViolationError):
        await retry(runtime, runtime.service.read_models[0], source, "matter-worse")
    assert await parking.listed(runtime.db) == before
    assert (await journalled(runtime.db))["matter-worse"] == [1]


@ONE
async def test_when_the_bad_event_is_dropped_what_waits_behind_it_can_be_retried(
    poisoned: tuple[Commands, Runtime, str],
) -> None:
    _, runtime, source = poisoned
    first = (await parking.listed(runtime.db))[0]
    async with runtime.connection() as db:
        await parking.remove(db, [first.id])
    assert await retry(runtime, runtime.service.read_models[0], source, "matter-bad") == 2
    assert (await journalled(runtime.db))["matter-bad"] == [1, 3, 4]


@ONE
async def test_what_is_parked_stays_parked_over_a_restart(poisoned: tuple[Commands, Runtime, str]) -> None:
    commands, runtime, _ = poisoned
    settings = runtime.settings
    await runtime.db.execute("delete from log.leases")  # another process takes over
    async with at_work(runtime.service, settings.database_url, settings.kafka, settings.topic_prefix) as again:
        await eventually(lambda: is_reading(again))
        await runtime.db.execute(MENDED)
        await commands.execute(MATTER, "later", Raise())
        await eventually(lambda: shows(again.db, "matter-later"))
        await are_parked(again, "matter-bad/2", "matter-bad/3", "matter-bad/4")


async def is_reading(runtime: Runtime) -> bool:
    return runtime.reading_store


async def shows(db: Any, stream: str) -> bool:
    return stream in await journalled(db)


async def test_in_a_large_set_just_the_bad_ones_are_parked(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    service = desk(tally(), journal())
    async with running(service, await new_database(), kafka_server, topic_prefix, work=False) as runtime:
        places = ["gate", "hall", "poison", *["yard"] * 7] * 30
        await runtime.commands.execute_many(MATTER, {f"{nth}": Raise(place) for nth, place in enumerate(places)})
        await runtime.commands.execute_many(MATTER, {f"{nth}": Close() for nth in range(len(places))})
        settings = runtime.settings
        async with at_work(service, settings.database_url, settings.kafka, settings.topic_prefix):
            await eventually(lambda: has_tally(runtime, {"gate": 30, "hall": 30, "yard": 210}))
        bad = {f"matter-{nth}" for nth, place in enumerate(places) if place == "poison"}
        assert {id_ for id_, _ in await parked(runtime)} == {f"{it}/1" for it in bad} | {f"{it}/2" for it in bad}
        closed = {row[0] for row in await runtime.db.fetch("select matter from closed")}
        assert len(closed) == 270
        assert not closed & bad


async def has_tally(runtime: Runtime, expected: dict[str, int]) -> bool:
    assert await tallied(runtime.db) == expected
    return True


# Errors


SECRET = "张三 13800138000"


async def as_a_number(db: Connection, event: Recorded[Noted]) -> None:
    int(event.data.note)


async def as_a_key(db: Connection, event: Recorded[Noted]) -> None:
    {}[event.data.note]  # pyright: ignore[reportUnknownVariableType]


async def as_a_parameter_of_another_type(db: Connection, event: Recorded[Noted]) -> None:
    await db.execute("insert into nothing values ($1)", event.data.note)


async def as_a_word_that_is_no_number_to_postgres(db: Connection, event: Recorded[Noted]) -> None:
    await db.execute("insert into nothing values ($1::text::int)", event.data.note)


async def as_a_row_that_is_there_already(db: Connection, event: Recorded[Noted]) -> None:
    await db.execute("insert into once values ($1)", event.data.note)
    await db.execute("insert into once values ($1)", event.data.note)


async def as_an_own_exception(db: Connection, event: Recorded[Noted]) -> None:
    raise RuntimeError(f"cannot do {event.data.note}")


HANDLERS = [
    as_a_number,
    as_a_key,
    as_a_parameter_of_another_type,
    as_a_word_that_is_no_number_to_postgres,
    as_a_row_that_is_there_already,
    as_an_own_exception,
]


async def test_what_is_said_of_an_error_holds_nothing_of_the_event(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """Whatever the handler does with it; and whatever it does, the event is parked, not tried for ever."""
    models: list[ReadModel] = []
    for handler in HANDLERS:
        model = ReadModel(handler.__name__, "create table nothing (n int); create table once (word text primary key)")
        model.each(Noted)(handler)
        models.append(model)
    with capture_logs() as logs:
        async with running(desk(*models), await new_database(), kafka_server, topic_prefix) as runtime:
            await runtime.commands.execute(MATTER, "1", Raise())
            await runtime.commands.execute(MATTER, "1", Note(SECRET))
            await eventually(lambda: all_parked(runtime, len(HANDLERS)))
            errors = {it.consumer.removesuffix("_v1"): it.error for it in await parking.listed(runtime.db)}
    for name, error in errors.items():
        assert "test_parking.py" in error or "Error: 2" in error, f"{name}: {error} does not say where"
        assert "张三" not in error
        assert "138" not in error
    assert "张三" not in repr(logs)


async def all_parked(runtime: Runtime, count: int) -> bool:
    return len(await parking.listed(runtime.db)) == count


async def test_an_event_that_lacks_a_field_is_parked_and_the_field_named(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(desk(journal()), await new_database(), kafka_server, topic_prefix) as runtime:
        await runtime.db.execute(
            """select log.append('{matter-1}', '{1}', '{commongrid.desk.matter.raised.v1}',
                                 array['{"at": "张三"}'::json], '{matter-1}', '{0}',
                                 null, null, null, null, null, null, null, null, null, null)"""
        )
        await eventually(lambda: are_parked(runtime, "matter-1/1"))
        ((_, error),) = await parked(runtime)
        assert error.startswith("ValidationError: place: Field required; at: Input should be a valid datetime")
        assert "张三" not in error


async def test_an_error_of_the_moment_parks_nothing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """Here the connection is lost in the middle of a handler, for a few times."""
    trouble = [1, 2, 3]
    model = journal()

    async def lose_the_connection(event: Recorded[Event]) -> None:
        if trouble:
            trouble.pop()
            await runtime.db.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and state = 'idle in transaction'"""
            )

    model = journal(hook=lose_the_connection)
    async with running(desk(model), await new_database(), kafka_server, topic_prefix) as runtime:
        await busy(runtime.commands, 10)
        expected = await recorded(runtime.db)
        await eventually(lambda: has_journalled(runtime.db, expected))
        assert not trouble
        assert await parked(runtime) == []


async def test_a_lock_that_somebody_holds_is_an_error_of_the_moment(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    model = ReadModel("log", "create table log (matter text)")
    tries: list[str] = []

    @model.each(Raised)
    async def raised(db: Connection, event: Recorded[Raised]) -> None:
        tries.append(event.stream)
        await db.execute("lock table log in exclusive mode nowait")
        await db.execute("insert into log values ($1)", event.stream)

    async with running(desk(model), await new_database(), kafka_server, topic_prefix) as runtime:
        async with runtime.connection() as holding, holding.transaction():
            await holding.execute("lock table log_v1.log in share mode")
            await runtime.commands.execute(MATTER, "1", Raise())
            await eventually(lambda: tried(tries, 3))
            assert await parked(runtime) == []
        await runtime.commands.caught_up(model, 30)
        assert await runtime.db.fetchval("select count(*) from log") == 1


async def tried(tries: list[str], times: int) -> bool:
    return len(tries) >= times


# Messages that are no events of ours


FOREIGN = [
    (b"k", b"hello", ()),
    (b"k", b"hello again", ()),
    (b"", None, ()),
    (None, b"", ()),
    (b"\x00\x01\x02\xff", b"\x00", ()),
    (b"k", b"{}", [("ce_position", b"1.1"), ("ce_subject", b"matter-9"), ("ce_sequence", b"1")]),
]
FORGED = {
    "ce_position": b"1.1.1",
    "ce_subject": b"matter-9",
    "ce_sequence": b"1",
    "ce_type": Raised.type_name.encode(),
    "ce_time": b"2026-03-02T12:00:00Z",
}
FORGED_WRONGLY = [
    {"ce_position": b"2147483648.1.1"},
    {"ce_position": b"1.18446744073709551616.1"},
    {"ce_sequence": b"0"},
    {"ce_sequence": b"2147483648"},
    {"ce_subject": b"matter-\x00"},
    {"ce_subject": None},
    {"ce_time": b"yesterday"},
    {"ce_actor": b"\xff"},
]


async def test_messages_that_are_no_events_are_parked_and_stop_nothing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with following("hall", new_database, kafka_server, topic_prefix) as (commands, runtime, topic):
        await busy(commands, 20)
        for key, value, headers in FOREIGN:
            await send(kafka_server, topic, key, value, headers)
        for wrong in FORGED_WRONGLY:
            headers = [*(FORGED | wrong).items()]
            await send(kafka_server, topic, b"matter-9", b'{"place": "gate"}', headers)  # pyright: ignore[reportArgumentType]
        await busy(commands, 20, seed=2)
        await eventually(lambda: all_parked(runtime, len(FOREIGN) + len(FORGED_WRONGLY)))
        await eventually(lambda: many_journalled(runtime, 40))
        listed = await parking.listed(runtime.db)
        assert {it.raw.type for it in listed} == {"unreadable"}
        assert all(it.error == parking.BEHIND or "not an event of ours" in it.error for it in listed)
        journal_there = runtime.service.read_models[0]
        with pytest.raises(ValueError, match="can only be dropped"):
            await retry(runtime, journal_there, topic, listed[0].raw.stream)
        async with runtime.connection() as db:
            await parking.remove(db, [it.id for it in listed])
        assert await parked(runtime) == []


async def many_journalled(runtime: Runtime, count: int) -> bool:
    return len(await journalled(runtime.db)) == count


# Races


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


async def somebody_waits_for(runtime: Runtime, backend: int) -> bool:
    return await runtime.db.fetchval(
        "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))", backend
    )


@ONE
async def test_a_retry_takes_what_is_parked_behind_while_it_waits(poisoned: tuple[Commands, Runtime, str]) -> None:
    _, runtime, source = poisoned
    await runtime.db.execute(MENDED)
    async with runtime.connection() as consumer:
        transaction = consumer.transaction()  # of the consumer, that parks one more
        await transaction.start()
        assert await parking.still_parked(consumer, "journal_v1", OWN, "matter-bad")
        last = (await parking.of_stream(consumer, "journal_v1", OWN, "matter-bad"))[-1].raw
        one_more = replace(last, version=5, position=last.position._replace(number=last.position.number + 1))
        await parking.park(consumer, "journal_v1", OWN, 0, one_more, parking.BEHIND)
        number = await consumer.fetchval("select pg_backend_pid()")
        retrying = asyncio.create_task(retry(runtime, runtime.service.read_models[0], source, "matter-bad"))
        await eventually(lambda: somebody_waits_for(runtime, number))
        await transaction.commit()
    assert await retrying == 4
    assert await parked(runtime) == []
    assert (await journalled(runtime.db))["matter-bad"] == [1, 2, 3, 4, 5]


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


# Policies


def showing(refuse: set[str]) -> Policy:
    """Shows each note on the screen; not those that are refused."""
    policy = Policy("showing")

    @policy.on(Noted)
    async def show(commands: Commands, event: Recorded[Noted]) -> None:
        if event.data.note in refuse:
            raise RuntimeError("the screen is broken")
        await commands.execute(SCREEN, "1", Show(event.id))

    return policy


async def shown(runtime: Runtime) -> list[str]:
    history = await runtime.commands.history(SCREEN, "1")
    return [getattr(it.data, "matter", "") for it in history]


async def test_a_policy_parks_what_it_cannot_react_to_and_a_retry_goes_on_in_order(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    refuse = {"poison"}
    policy = showing(refuse)
    service: Service = hall(policies=[policy])
    async with (
        running(desk(), await new_database(), kafka_server, topic_prefix) as here,
        running(service, await new_database(), kafka_server, topic_prefix) as runtime,
    ):
        for id_ in ("bad", "good"):
            await here.commands.execute(MATTER, id_, Raise())
        await here.commands.execute(MATTER, "bad", POISON)
        await here.commands.execute(MATTER, "bad", Note("behind"))
        await here.commands.execute(MATTER, "good", Note("goes on"))
        await eventually(lambda: are_parked(runtime, "matter-bad/2", "matter-bad/3"))
        await eventually(lambda: has_shown(runtime, ["matter-good/2"]))
        with pytest.raises(RuntimeError):
            await retry(runtime, policy, f"{topic_prefix}.desk.matter", "matter-bad")
        await are_parked(runtime, "matter-bad/2", "matter-bad/3")
        refuse.clear()
        assert await retry(runtime, policy, f"{topic_prefix}.desk.matter", "matter-bad") == 2
        await here.commands.execute(MATTER, "bad", Note("after"))
        await eventually(lambda: has_shown(runtime, ["matter-good/2", "matter-bad/2", "matter-bad/3", "matter-bad/4"]))


async def has_shown(runtime: Runtime, expected: list[str]) -> bool:
    assert await shown(runtime) == expected
    return True


async def test_a_policy_that_ends_before_it_noted_its_progress_reacts_and_parks_once(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    service = hall(policies=[showing({"poison"})])
    async with running(desk(), await new_database(), kafka_server, topic_prefix) as here:
        database = await new_database()
        async with running(service, database, kafka_server, topic_prefix, work=False) as runtime:
            for id_ in ("bad", "good"):
                await here.commands.execute(MATTER, id_, Raise())
            await here.commands.execute(MATTER, "bad", POISON)
            await here.commands.execute(MATTER, "good", Note("a"))
            topic = f"{topic_prefix}.desk.matter"
            await eventually(lambda: on_topic(kafka_server, topic, 4))
            async with runtime.connection() as holding:
                await holding.execute(
                    """insert into log.progress (consumer, source, partition)
                       select 'showing', $1, n from generate_series(0, 11) n""",
                    topic,
                )
                transaction = holding.transaction()
                await transaction.start()
                await holding.execute("select from log.progress for update")
                async with at_work(service, database, kafka_server, topic_prefix):
                    await eventually(lambda: are_parked(runtime, "matter-bad/2"))
                    await eventually(lambda: has_shown(runtime, ["matter-good/2"]))
                number = await holding.fetchval("select pg_backend_pid()")
                await eventually(lambda: nobody_waits_for(runtime, number))
                await transaction.rollback()
            assert await runtime.db.fetchval("select max(next_offset) from log.progress") == 0, "all of it comes again"
            await here.commands.execute(MATTER, "good", Note("b"))
            await here.commands.execute(MATTER, "bad", Note("behind"))
            async with at_work(service, database, kafka_server, topic_prefix):
                await eventually(lambda: has_shown(runtime, ["matter-good/2", "matter-good/3"]))
                await eventually(lambda: are_parked(runtime, "matter-bad/2", "matter-bad/3"))


async def nobody_waits_for(runtime: Runtime, backend: int) -> bool:
    """Ends whoever still waits: the process died."""
    ended = await runtime.db.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))", backend
    )
    return not ended


async def on_topic(kafka: str, topic: str, count: int) -> bool:
    return len(await messages(kafka, topic)) == count
