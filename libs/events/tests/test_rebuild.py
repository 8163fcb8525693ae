"""A read model equals its rebuild, which is built beside the live one and takes over when it is there (promise 5)."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from threading import Thread

import asyncpg
import pytest
from events import Connection, ReadModel, Recorded, store
from events.event import START
from events.lag import Lag, close
from events.measures import Measures
from events.progress import OWN
from events.rebuild import Behind, differences, rebuild
from events.runtime import Runtime
from events.testing import eventually, running
from front_desk import (
    MATTER,
    SCREEN,
    Note,
    OwnProcess,
    Raise,
    Raised,
    Show,
    Shown,
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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local.brokers import drop_topics
from local.testing import database

NewDatabase = Callable[..., Awaitable[str]]
DAYS = f"test-{secrets.token_hex(6)}"


def both(name: str = "journal", version: int = 1) -> ReadModel:
    """A journal of the hall's own screens, too: fed by its store and by the desk's topic."""
    model = journal(name, version)

    @model.each(Shown)
    async def shown(db: Connection, event: Recorded[Shown]) -> None:
        await db.execute("insert into journal values ($1, '{1}')", f"{event.id} shows {event.data.matter}")

    return model


@asynccontextmanager
async def desk_and_hall(new_database: NewDatabase, kafka: str, prefix: str) -> AsyncGenerator[tuple[Runtime, Runtime]]:
    async with (
        running(desk(journal(), tally()), await new_database(), kafka, prefix) as here,
        running(hall(both(), tally()), await new_database(), kafka, prefix) as there,
    ):
        yield here, there


async def rows(runtime: Runtime) -> tuple[dict[str, list[int]], dict[str, int]]:
    return await journalled(runtime.db), await tallied(runtime.db)


async def all_taken(here: Runtime, there: Runtime) -> bool:
    expected = await recorded(here.db)
    assert await journalled(here.db) == expected
    found = await journalled(there.db)
    assert {stream: versions for stream, versions in found.items() if stream in expected} == expected
    for runtime in (here, there):
        assert sum((await tallied(runtime.db)).values()) == len(expected)
    return True


async def identity(runtime: Runtime, schema: str) -> int:
    """Which tables these are, whatever they are called."""
    return await runtime.db.fetchval("select $1::regnamespace::oid::bigint", schema)


async def test_a_rebuild_brings_the_same_rows_in_new_tables(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with desk_and_hall(new_database, kafka_server, topic_prefix) as (here, there):
        await busy(here.commands, 150)
        for nth in range(5):
            await there.commands.execute(SCREEN, "1", Show(f"{nth}"))
        await eventually(lambda: all_taken(here, there))
        await there.commands.caught_up(there.service.read_models[0], 30)
        for runtime in (here, there):
            before = await rows(runtime)
            for model in runtime.service.read_models:
                assert await differences(runtime, model) == {}
                tables = await identity(runtime, model.schema)
                taken = await rebuild(runtime, model)
                assert taken >= 177, "it took its events anew"
                assert await identity(runtime, model.schema) != tables
            assert await rows(runtime) == before
            left = await runtime.db.fetchval("""select count(*) from log.progress where consumer like '%\\_\\_%'""")
            assert left == 0, "nothing is left of the rebuild"


@pytest.fixture(scope="module")
async def random_days(postgres_server: str, kafka_server: str) -> AsyncGenerator[Runtime]:
    """A desk for many random days: each adds to what was before."""
    async with (
        database(postgres_server, "random_days") as url,
        running(desk(journal(), tally()), url, kafka_server, DAYS) as runtime,
    ):
        yield runtime
    await drop_topics(kafka_server, DAYS)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), count=st.integers(1, 8))
async def test_whatever_was_done_the_live_rows_equal_a_rebuild(random_days: Runtime, seed: int, count: int) -> None:
    await busy(random_days.commands, 10 * count, seed)
    for model in random_days.service.read_models:
        await random_days.commands.caught_up(model, 30)
        assert await differences(random_days, model) == {}
    await has_journalled(random_days.db, await recorded(random_days.db))


async def test_the_live_one_goes_on_meanwhile_and_the_switch_loses_nothing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with desk_and_hall(new_database, kafka_server, topic_prefix) as (here, there):
        writing = asyncio.create_task(busy(here.commands, 1500, matters=50))
        asked = asyncio.create_task(keep_asking(here, there))
        while not writing.done():
            for runtime in (here, there):
                for model in runtime.service.read_models:
                    await rebuild(runtime, model)
        await writing
        await eventually(lambda: all_taken(here, there), 60)
        asked.cancel()
        assert (await asyncio.gather(asked, return_exceptions=True))[0].__class__ is asyncio.CancelledError


async def test_it_ends_though_others_never_stop_writing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with desk_and_hall(new_database, kafka_server, topic_prefix) as (here, there):
        async with going_on(here, there), asyncio.timeout(120):
            for runtime in (here, there):
                for model in runtime.service.read_models:
                    await rebuild(runtime, model)
        await eventually(lambda: all_taken(here, there), 60)


async def keep_asking(*runtimes: Runtime) -> None:
    """Queries are answered all the time, and never go back."""
    most = 0
    while True:
        for runtime in runtimes:
            await tallied(runtime.db)
        found = sum(map(len, (await journalled(runtimes[0].db)).values()))
        assert found >= most, "what was shown once is not shown any more"
        most = found
        await asyncio.sleep(0)


async def test_it_takes_over_with_the_last_event_that_the_live_one_had_shown(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """One that the live one, in another process, took after the rebuild had come to its end."""
    service = desk(journal())
    database = await new_database()
    process = OwnProcess("desk", database, kafka_server, topic_prefix)
    async with running(service, database, kafka_server, topic_prefix, work=False) as here:
        await here.commands.execute(MATTER, "1", Raise())
        process.start()
        await eventually(lambda: has_journalled(here.db, {"matter-1": [1]}))
        reports: list[int] = []

        def at_its_end(taken: int) -> None:
            if taken == 1 and not reports:
                note = Thread(target=lambda: asyncio.run(note_and_wait(database)))  # this loop stands still meanwhile
                note.start()
                note.join()
            reports.append(taken)

        await rebuild(here, service.read_models[0], at_its_end)
        assert await journalled(here.db) == {"matter-1": [1, 2]}
        process.kill()


async def note_and_wait(database: str) -> None:
    """Writes a note, and waits until the live journal shows it."""
    db = await asyncpg.connect(database, server_settings={"search_path": "journal_v1"})
    try:
        await db.execute(
            """insert into log.events (incarnation, tx, stream, version, type, data)
               values (1, pg_current_xact_id(), 'matter-1', 2, 'commongrid.desk.matter.noted.v1', '{"note": "late"}')"""
        )
        await eventually(lambda: has_journalled(db, {"matter-1": [1, 2]}), 30)
    finally:
        await db.close()


class Interrupted(Exception):
    pass


async def test_a_rebuild_that_is_interrupted_goes_on_where_it_was(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(desk(journal()), await new_database(), kafka_server, topic_prefix) as here:
        await here.commands.execute_many(MATTER, {f"{nth}": Raise() for nth in range(1500)})
        model = here.service.read_models[0]
        await here.commands.caught_up(model, 30)

        def interrupt(taken: int) -> None:
            raise Interrupted

        with pytest.raises(Interrupted):
            await rebuild(here, model, interrupt)
        await here.commands.execute(MATTER, "0", Note("meanwhile"))
        await here.commands.caught_up(model, 30)  # other transactions on the server may hold it back
        assert await rebuild(here, model) == 501
        expected = await recorded(here.db)
        await eventually(lambda: has_journalled(here.db, expected))


async def test_a_rebuild_waits_for_no_disk_before_it_takes_over_and_the_live_one_does(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    model = ReadModel("waiting", "create table waiting (matter text, disk text)")

    @model.each(Raised)
    async def raised(db: Connection, event: Recorded[Raised]) -> None:
        await db.execute("insert into waiting values ($1, current_setting('synchronous_commit'))", event.stream)

    async def waited(runtime: Runtime, expected: dict[str, str]) -> bool:
        return dict(await runtime.db.fetch("select matter, disk from waiting")) == expected

    async with running(desk(model), await new_database(), kafka_server, topic_prefix) as here:
        await here.commands.execute(MATTER, "1", Raise())
        await eventually(lambda: waited(here, {"matter-1": "on"}))
        await rebuild(here, model)
        await here.commands.execute(MATTER, "2", Raise())
        await eventually(lambda: waited(here, {"matter-1": "off", "matter-2": "on"}))


async def test_a_rebuild_takes_what_the_live_one_had_parked_when_the_handler_is_mended(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    mended = ReadModel(
        "journal", "create table journal (matter text primary key, versions int[], last_note text)", personal=True
    )
    for cls, handler in journal()._handlers.items():  # pyright: ignore[reportPrivateUsage]
        mended.on(cls)(handler)
    async with running(desk(journal()), await new_database(), kafka_server, topic_prefix) as here:
        await here.commands.execute(MATTER, "bad", Raise())
        await here.commands.execute(MATTER, "bad", Note("poison"))
        await here.commands.execute(MATTER, "bad", Note("behind"))
        await eventually(lambda: parked(here, 2))
        await rebuild(here, mended)
        assert await journalled(here.db) == {"matter-bad": [1, 2, 3]}
        await here.commands.execute(MATTER, "bad", Note("goes its usual way"))
        await eventually(lambda: has_journalled(here.db, {"matter-bad": [1, 2, 3, 4]}))
        assert await parked(here, 0)


async def parked(runtime: Runtime, count: int) -> bool:
    return await runtime.db.fetchval("select count(*) from log.parked") == count


async def test_a_row_that_was_tampered_with_differs(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with desk_and_hall(new_database, kafka_server, topic_prefix) as (here, there):
        await busy(here.commands, 20)
        await eventually(lambda: all_taken(here, there))
        for runtime in (here, there):
            by_journal, by_tally = runtime.service.read_models
            await runtime.db.execute("update journal set versions = '{1}' where matter = 'matter-1-3'")
            await runtime.db.execute("delete from closed where matter = 'matter-1-0'")
            await runtime.db.execute("insert into tally values ('nowhere', 1)")
            assert await differences(runtime, by_journal) == {"journal": 2}
            assert await differences(runtime, by_tally) == {"closed": 1, "tally": 1}
            await rebuild(runtime, by_tally)
            assert await differences(runtime, by_tally) == {}


async def test_one_that_is_behind_cannot_be_compared_and_says_so(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    service = desk(journal())
    async with running(service, await new_database(), kafka_server, topic_prefix, work=False) as here:
        await here.commands.execute(MATTER, "1", Raise())
        # Other tests' transactions, in other databases of the server, may hold it back for a moment.
        await eventually(lambda: store.read_after(here.db, START, 1))
        with pytest.raises(Behind, match="journal is behind"):
            await differences(here, service.read_models[0])


# A new version of a read model


async def test_a_new_version_is_built_beside_the_old_one_which_serves_until_it_is_ready(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    database = await new_database()
    place = (database, kafka_server, topic_prefix)
    async with running(desk(journal(version=1)), *place) as old:
        await busy(old.commands, 50)
        await old.commands.caught_up(old.service.read_models[0], 30)
        await eventually(lambda: ready(old))
        async with running(desk(journal(version=2)), *place, work=False) as new:
            assert await new.ready() == ["read model journal_v2 is still being built"]
            assert await old.ready() == []
            await old.commands.execute(MATTER, "meanwhile", Raise())
            expected = await recorded(old.db)
            await eventually(lambda: has_journalled(old.db, expected))
    async with at_work(desk(journal(version=2)), *place) as new:
        await eventually(lambda: ready(new))
        await has_journalled(new.db, expected)
    async with running(desk(journal(version=1)), *place, work=False) as old:
        assert await old.ready() == [], "one can go back"
        await has_journalled(old.db, expected)


@asynccontextmanager
async def going_on(here: Runtime, there: Runtime) -> AsyncGenerator[None]:
    """At the desk and in the hall somebody writes all the time, for the time of the block."""
    stopped = False

    async def keep_writing(nth: int) -> None:
        await here.commands.execute(MATTER, f"busy-{nth}", Raise(), new=True)
        while not stopped:
            await here.commands.execute(MATTER, f"busy-{nth}", Note("more"))

    async def keep_showing() -> None:
        count = 0
        while not stopped:
            await there.commands.execute(SCREEN, "busy", Show(f"{(count := count + 1)}"))

    writing = [asyncio.create_task(keep_showing()), *(asyncio.create_task(keep_writing(nth)) for nth in range(8))]
    try:
        yield
    finally:
        stopped = True
        await asyncio.gather(*writing)


@pytest.mark.parametrize(
    ("events", "seconds", "since", "caught_up"),
    [
        (0, 0.0, 0.0, True),
        (3, 0.5, 60.0, True),  # others write all the time
        (3, 0.5, 0.4, False),  # these were there before anybody began to take them
        (3, 1.5, 60.0, False),
    ],
)
def test_it_has_caught_up_when_it_lacks_the_last_second_at_most_and_nothing_that_was_there_before(
    events: int, seconds: float, since: float, caught_up: bool
) -> None:
    assert close([Lag("journal_v2", OWN, events, seconds)], since) == ({("journal_v2", OWN)} if caught_up else set())


async def ready(runtime: Runtime) -> bool:
    return await runtime.ready() == []


async def test_a_new_version_that_follows_topics_is_not_ready_without_them(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """Its own events are not all: while Kafka is away it must not take over."""
    database = await new_database()
    async with running(desk(), await new_database(), kafka_server, topic_prefix) as here:
        await here.commands.execute(MATTER, "1", Raise())
        async with running(hall(both(version=1)), database, kafka_server, topic_prefix) as old:
            await old.commands.execute(SCREEN, "1", Show("1"))
            await eventually(lambda: both_journalled(old))
        async with running(hall(both(version=2)), database, kafka_server, topic_prefix, work=False):
            pass
        async with at_work(hall(both(version=2)), database, "127.0.0.1:9", topic_prefix) as alone:
            await alone.commands.caught_up(alone.service.read_models[0], 30)
            await eventually(lambda: looked(alone.measures))
            last_look = alone.measures.own
            await eventually(lambda: looked_again(alone.measures, last_look))
            assert await alone.ready() == ["read model journal_v2 is still being built"]
        async with at_work(hall(both(version=2)), database, kafka_server, topic_prefix) as new:
            await eventually(lambda: ready(new))
            await both_journalled(new)


async def both_journalled(runtime: Runtime) -> bool:
    return await has_journalled(runtime.db, {"matter-1": [1], "screen-1/1 shows 1": [1]})


async def looked(measures: Measures) -> bool:
    return any(it.consumer == "journal_v2" and it.events == 0 for it in measures.own)


async def looked_again(measures: Measures, last: list[Lag]) -> bool:
    return measures.own is not last
