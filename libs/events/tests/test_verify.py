"""Verify compares store, topics and read models from outside, and says what is wrong, if anything is."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from events.lag import own_lag
from events.progress import RELAY
from events.runtime import Runtime
from events.testing import eventually, running
from events.verify import verify
from front_desk import busy, desk, has_journalled, journal, recorded, tally

NewDatabase = Callable[..., Awaitable[str]]
JOURNAL = journal()
DESK = desk(JOURNAL, tally())


@pytest.fixture
async def quiet(new_database: NewDatabase, kafka_server: str, topic_prefix: str) -> AsyncGenerator[Runtime]:
    """A desk after a busy day, when everything has arrived."""
    async with running(DESK, await new_database("desk"), kafka_server, topic_prefix) as runtime:
        await busy(runtime.commands, 200)
        await eventually(lambda: arrived(runtime))
        yield runtime


async def arrived(runtime: Runtime) -> bool:
    """Whether everything has reached Kafka and the read models."""
    behind = await own_lag(runtime.db, [RELAY, "journal_v1", "tally_v1"])
    return all(it.events == 0 for it in behind)


async def test_where_all_is_well_nothing_is_wrong(quiet: Runtime) -> None:
    found = await verify(quiet, deep=True)
    assert found.wrong == []
    assert found.parked == {}
    assert found.stored == found.relayed == found.on_topics
    assert found.stored > 200
    assert set(found.behind.values()) == {0}


async def test_a_row_that_was_tampered_with_is_found(quiet: Runtime) -> None:
    await quiet.db.execute("update tally set raised = raised + 1 where place = 'gate'")
    await quiet.db.execute("delete from journal where matter = (select min(matter) from journal)")
    found = await verify(quiet, deep=True)
    assert len(found.wrong) == 2
    assert found.wrong[0].startswith("1 rows of journal.journal differ")
    assert found.wrong[1].startswith("2 rows of tally.tally differ")  # the wrong one, and the right one


async def test_comparing_leaves_nothing_behind(quiet: Runtime) -> None:
    await verify(quiet, deep=True)
    left = await quiet.db.fetch(
        "select nspname from pg_namespace where nspname like '%check' or nspname like '%rebuild'"
    )
    assert left == []
    assert await has_journalled(quiet.db, await recorded(quiet.db))


async def test_an_event_that_is_marked_as_sent_but_is_on_no_topic_is_found(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(DESK, await new_database("desk"), kafka_server, topic_prefix, work=False) as runtime:
        await busy(runtime.commands, 10, matters=10)
        await runtime.db.execute(
            """insert into log.progress (consumer, source, partition, incarnation, tx, position)
               select 'relay', '', 0, incarnation, tx, position from log.events
               order by incarnation desc, tx desc, position desc limit 1"""
        )
        found = await verify(runtime)
        stored = {
            f"{stream}/{version}" for stream, versions in (await recorded(runtime.db)).items() for version in versions
        }
    [complaint] = found.wrong
    what, _, which = complaint.partition(": ")
    assert what == "24 events that the relay has marked as sent are on no topic"
    named = which.removesuffix(" and 4 more").split(", ")
    assert which.endswith(" and 4 more")
    assert len({*named} & stored) == len(named) == 20


async def test_an_event_on_the_topic_that_the_store_never_had_is_found(quiet: Runtime) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=quiet.settings.kafka)
    await producer.start()
    try:
        await producer.send_and_wait(  # pyright: ignore[reportUnknownMemberType]
            f"{quiet.settings.topic_prefix}.desk.matter",
            key=b"matter-ghost",
            value=b"{}",
            headers=[
                ("ce_type", b"commongrid.desk.matter.closed.v1"),
                ("ce_subject", b"matter-ghost"),
                ("ce_sequence", b"1"),
                ("ce_position", b"1.5.5"),
            ],
        )
    finally:
        await producer.stop()
    found = await verify(quiet)
    assert any("matter-ghost" in complaint for complaint in found.wrong), found.wrong


async def test_a_stream_with_a_hole_is_found(quiet: Runtime) -> None:
    db = await asyncpg.connect(quiet.settings.database_url)
    try:
        await db.execute("alter table log.events disable trigger append_only")
        await db.execute("delete from log.events where stream = 'matter-1-0' and version = 2")
    finally:
        await db.close()
    found = await verify(quiet)
    assert "1 streams with a gap in their versions: matter-1-0" in found.wrong
