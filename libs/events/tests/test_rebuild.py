"""A read model equals its rebuild, which is built beside the live one and takes over when it is as far (promise 5)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import psycopg
import pytest
from events import Batch, Connection
from events.migrate import create_tables, migrate
from events.read_model import ReadModel
from events.rebuild import differences, rebuild, rebuild_schema, replay
from events.runtime import Runtime
from events.testing import eventually, running
from front_desk import (
    MATTER,
    Note,
    Raise,
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

NewDatabase = Callable[..., Awaitable[str]]
JOURNAL, TALLY = journal(), tally()
DESK = desk(JOURNAL, TALLY)


@pytest.fixture
async def at_desk(new_database: NewDatabase, kafka_server: str, topic_prefix: str) -> AsyncGenerator[Runtime]:
    """A desk at work."""
    async with running(DESK, await new_database("desk"), kafka_server, topic_prefix) as runtime:
        yield runtime


async def shows_everything(runtime: Runtime, store: Runtime | None = None) -> bool:
    return await has_journalled(runtime.db, await recorded((store or runtime).db))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_after_any_day_the_live_one_equals_a_rebuild(at_desk: Runtime, seed: int) -> None:
    await busy(at_desk.commands, 150, seed=seed)
    await eventually(lambda: shows_everything(at_desk))
    await eventually(lambda: has_tallied(at_desk, 20))
    assert await differences(at_desk, JOURNAL) == {}
    assert await differences(at_desk, TALLY) == {}


async def has_tallied(runtime: Runtime, matters: int) -> bool:
    return sum((await tallied(runtime.db)).values()) == matters


async def test_the_live_one_serves_and_goes_on_while_another_is_built(at_desk: Runtime) -> None:
    await busy(at_desk.commands, 100)
    await eventually(lambda: shows_everything(at_desk))
    schema = rebuild_schema(JOURNAL)
    await asyncio.to_thread(_create, at_desk, schema)
    async with replay(at_desk, JOURNAL, schema) as beside:
        await beside.step()
        await at_desk.commands.execute(MATTER, "meanwhile", Raise())
        await eventually(lambda: shows_everything(at_desk))
        assert "matter-meanwhile" in await journalled(at_desk.db)


def _create(runtime: Runtime, schema: str) -> None:
    with psycopg.connect(runtime.settings.database_url, autocommit=True) as db:
        create_tables(db, JOURNAL, schema)


async def test_switching_loses_nothing_while_others_write(at_desk: Runtime) -> None:
    await busy(at_desk.commands, 50)
    stop = asyncio.Event()

    async def write() -> None:
        nth = 0
        while not stop.is_set():
            nth += 1
            await at_desk.commands.execute(MATTER, f"w{nth}", Raise())
            await at_desk.commands.execute(MATTER, f"w{nth}", Note("one"))

    writing = asyncio.create_task(write())
    for _ in range(3):
        await rebuild(at_desk, JOURNAL)
        await rebuild(at_desk, TALLY)
    stop.set()
    await writing
    await eventually(lambda: shows_everything(at_desk))
    assert await differences(at_desk, JOURNAL) == {}


async def test_an_interrupted_rebuild_goes_on_where_it_was(at_desk: Runtime) -> None:
    await busy(at_desk.commands, 100)
    schema = rebuild_schema(JOURNAL)
    await asyncio.to_thread(_create, at_desk, schema)
    async with replay(at_desk, JOURNAL, schema) as interrupted:
        first = await interrupted.step()
    assert first > 0
    stored = await at_desk.db.fetchval("select count(*) from log.events")
    assert await rebuild(at_desk, JOURNAL) == stored - first
    await eventually(lambda: shows_everything(at_desk))


async def test_what_was_parked_is_taken_by_a_rebuild_whose_handlers_are_mended(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    url = await new_database("desk")
    async with running(desk(journal()), url, kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(MATTER, "ill", Raise())
        await runtime.commands.execute(MATTER, "ill", Note("poison"))
        await eventually(lambda: parked(runtime, 1))
        mended = ReadModel("journal", "create table journal (matter text primary key, versions int[] not null)")
        for cls in MATTER.events:
            mended.on(cls)(_write)
        await rebuild(runtime, mended)
        assert await parked(runtime, 0)
        assert await journalled(runtime.db) == {"matter-ill": [1, 2]}


async def _write(db: Connection, events: Batch[Any]) -> None:
    for event in events:
        await db.execute(
            """insert into journal as j values ($1, array[$2::int])
               on conflict (matter) do update set versions = j.versions || excluded.versions""",
            event.stream,
            event.version,
        )


async def parked(runtime: Runtime, count: int) -> bool:
    return await runtime.db.fetchval("select count(*) from log.parked") == count


async def test_a_read_model_of_anothers_events_is_rebuilt_from_their_topics(
    at_desk: Runtime, new_database: NewDatabase
) -> None:
    seen = journal("seen")
    await busy(at_desk.commands, 100)
    settings = at_desk.settings
    async with running(hall(seen), await new_database("hall"), settings.kafka, settings.topic_prefix) as other:
        await eventually(lambda: shows_everything(other, at_desk))
        await other.db.execute("update journal set versions = '{}'")
        assert await rebuild(other, seen) == await at_desk.db.fetchval("select count(*) from log.events")
        assert await shows_everything(other, at_desk)
        await at_desk.commands.execute(MATTER, "afterwards", Raise())
        await eventually(lambda: shows_everything(other, at_desk))  # the live feed goes on from the new progress


async def test_a_new_version_is_built_beside_the_old_one_and_readiness_says_so(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    url = await new_database("desk")
    async with running(DESK, url, kafka_server, topic_prefix) as old:
        await busy(old.commands, 50)
        await eventually(lambda: shows_everything(old))
        newer = desk(journal(version=2), TALLY)
        await asyncio.to_thread(migrate, newer, old.settings)
        async with at_work(newer, url, kafka_server, topic_prefix) as new:
            # The old process holds the store's lease, so the new version waits; both go on serving.
            assert await new.ready() == ["read model journal_v2 is still being built"]
            assert await old.ready() == []
            assert await journalled(old.db) == await recorded(old.db)
    async with at_work(newer, url, kafka_server, topic_prefix) as new:
        await eventually(lambda: is_ready(new), 60)
        assert await journalled(new.db) == await recorded(new.db)


async def is_ready(runtime: Runtime) -> bool:
    return await runtime.ready() == []
