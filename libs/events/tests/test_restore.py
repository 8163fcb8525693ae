"""A store brought back from an old backup loses nothing that had reached its topic (promise 12)."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from events import Context, Policy, Timer
from events.relay import StoreBehindTopic, check_store
from events.restore import Restored, StillRunning, TwoHistories, restore
from events.runtime import Runtime, open_runtime
from events.settings import Settings
from events.testing import RING, eventually, running
from front_desk import MATTER, Note, Noted, Raise, at_work, desk, hall, has_journalled, journal, recorded
from noticeboard import NOTICE, Post, noticeboard, titles

NewDatabase = Callable[..., Awaitable[str]]
DESK = desk(journal())
HALL = hall(journal("seen"))
TOMORROW = datetime.now(UTC) + timedelta(days=1)


@asynccontextmanager
async def stopped(service: object, database_url: str, kafka: str, prefix: str) -> AsyncGenerator[Runtime]:
    """The service, not at work."""
    async with open_runtime(service, Settings(database_url, kafka, prefix, keys=RING)) as runtime:  # type: ignore[arg-type]
        yield runtime


async def forget_after(database_url: str, position: int) -> None:
    """What a restore to an earlier point leaves: everything that came after is gone, numbers begin there anew."""
    db = await asyncpg.connect(database_url)
    try:
        await db.execute("alter table log.events disable trigger append_only")
        await db.execute("delete from log.events where position > $1", position)
        await db.execute("alter table log.events enable trigger append_only")
        await db.execute("select setval(pg_get_serial_sequence('log.events', 'position'), $1, false)", max(position, 1))
        await db.execute("truncate log.progress, log.timers, log.leases")
        await db.execute("drop schema if exists journal_v1, hanging_v1 cascade; delete from log.read_models")
    finally:
        await db.close()


async def relayed(runtime: Runtime) -> bool | None:
    """Whether everything has reached Kafka."""
    return await runtime.db.fetchval(
        """select not exists (select from log.events e where (e.incarnation, e.tx, e.position)
                                  > (p.incarnation, p.tx, p.position))
           from log.progress p where p.consumer = 'relay'"""
    )


@pytest.fixture
async def brought_back(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> tuple[str, str, str, dict[str, list[int]]]:
    """A desk whose database is back at its third event, while the topic and the hall know all nine."""
    url = await new_database("desk")
    async with running(DESK, url, kafka_server, topic_prefix) as runtime:
        for matter in ("a", "b", "c"):
            await runtime.commands.execute(MATTER, matter, Raise())
        last = await runtime.db.fetchval("select max(position) from log.events")
        for matter in ("a", "b", "c"):
            await runtime.commands.execute(MATTER, matter, Note("one"))
            await runtime.commands.execute(MATTER, matter, Note("two"))
        await eventually(lambda: relayed(runtime))
        everything = await recorded(runtime.db)
    await forget_after(url, last)
    return url, kafka_server, topic_prefix, everything


Back = tuple[str, str, str, dict[str, list[int]]]


async def test_the_relay_sends_nothing_while_its_topic_holds_more_than_its_store(brought_back: Back) -> None:
    url, kafka, prefix, _ = brought_back
    async with stopped(DESK, url, kafka, prefix) as runtime, runtime.connection() as db:
        with pytest.raises(StoreBehindTopic, match=r"lacks events .* such as matter-./3: .*events restore"):
            await check_store(db, DESK, runtime.settings)


async def test_the_tail_comes_back_from_the_topic_at_its_old_positions(brought_back: Back) -> None:
    url, kafka, prefix, everything = brought_back
    async with stopped(DESK, url, kafka, prefix) as runtime:
        assert await restore(runtime) == Restored(events=6, incarnation=2)
        assert await recorded(runtime.db) == everything
        incarnations = await runtime.db.fetch("select distinct incarnation from log.events")
        assert [row[0] for row in incarnations] == [1]


async def test_restoring_twice_brings_nothing_twice(brought_back: Back) -> None:
    url, kafka, prefix, everything = brought_back
    async with stopped(DESK, url, kafka, prefix) as runtime:
        await restore(runtime)
        assert (await restore(runtime)).events == 0
        assert await recorded(runtime.db) == everything


async def test_no_consumer_mistakes_new_events_for_ones_that_it_has_had(
    brought_back: Back, new_database: NewDatabase
) -> None:
    url, kafka, prefix, _ = brought_back
    async with stopped(DESK, url, kafka, prefix) as runtime:
        await restore(runtime)
    async with (
        running(HALL, await new_database("hall"), kafka, prefix) as other,
        running(DESK, url, kafka, prefix) as runtime,
    ):
        for matter in ("a", "b", "c", "d"):
            command = Raise() if matter == "d" else Note("three")
            await runtime.commands.execute(MATTER, matter, command)
        expected = await recorded(runtime.db)
        assert expected["matter-a"] == [1, 2, 3, 4]
        await eventually(lambda: has_journalled(other.db, expected))  # each once, in order, in the other service
        await eventually(lambda: has_journalled(runtime.db, expected))  # and in its own read model, built again


async def test_a_dump_in_a_fresh_server_is_noticed(brought_back: Back) -> None:
    url, kafka, prefix, _ = brought_back
    async with stopped(DESK, url, kafka, prefix) as runtime, runtime.connection() as db:
        await restore(runtime)
        # A dump brings transaction ids along that the new server has yet to give.
        await db.execute("alter table log.events disable trigger append_only")
        await db.execute("update log.events set tx = '9000000000000', incarnation = 2 where stream = 'matter-a'")
        with pytest.raises(StoreBehindTopic):
            await check_store(db, DESK, runtime.settings)


async def test_a_dump_in_a_fresh_server_is_noticed_even_if_its_topic_lacks_nothing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """Else the relay would wait for a transaction that the new server reaches in some years, and say nothing."""
    url = await new_database("desk")
    async with running(DESK, url, kafka_server, topic_prefix, work=False) as runtime, runtime.connection() as db:
        await runtime.commands.execute(MATTER, "a", Raise())
        await check_store(db, DESK, runtime.settings)
        await db.execute("alter table log.events disable trigger append_only")
        await db.execute("update log.events set tx = '9000000000000'")
        with pytest.raises(StoreBehindTopic, match="brought back from a backup: stop the service"):
            await check_store(db, DESK, runtime.settings)


async def test_nothing_is_restored_under_a_process_at_work(brought_back: Back) -> None:
    url, kafka, prefix, _ = brought_back
    async with stopped(DESK, url, kafka, prefix) as runtime:
        await runtime.db.execute(
            "insert into log.leases values ('store', 'somebody', clock_timestamp() + interval '1 hour')"
        )
        with pytest.raises(StillRunning):
            await restore(runtime)


async def test_two_histories_of_a_stream_are_left_to_a_person(brought_back: Back) -> None:
    url, kafka, prefix, _ = brought_back
    async with stopped(DESK, url, kafka, prefix) as runtime:
        await runtime.commands.execute(MATTER, "a", Note("written after the backup came back, before restore"))
        before = await recorded(runtime.db)
        with pytest.raises(TwoHistories, match="matter-a/2"):
            await restore(runtime)
        assert await recorded(runtime.db) == before


async def test_what_the_backup_had_not_sent_yet_is_sent(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    url = await new_database("desk")
    async with running(DESK, url, kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(MATTER, "a", Raise())
        await eventually(lambda: relayed(runtime))
    async with stopped(DESK, url, kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(MATTER, "b", Raise())  # taken, and never sent
        assert (await restore(runtime)).events == 0
    async with (
        running(HALL, await new_database("hall"), kafka_server, topic_prefix) as other,
        at_work(DESK, url, kafka_server, topic_prefix),
    ):
        await eventually(lambda: has_journalled(other.db, {"matter-a": [1], "matter-b": [1]}))


async def test_timers_of_the_tail_are_set_again(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    url = await new_database("noticeboard")
    clock = [datetime.now(UTC)]
    async with running(noticeboard, url, kafka_server, topic_prefix, lambda: clock[0]) as runtime:
        await runtime.commands.execute(NOTICE, "n", Post("n", "停水", TOMORROW))
        await eventually(lambda: relayed(runtime))
    await forget_after(url, 0)
    async with stopped(noticeboard, url, kafka_server, topic_prefix) as runtime:
        assert (await restore(runtime)).events == 1
    async with running(noticeboard, url, kafka_server, topic_prefix, lambda: clock[0]) as runtime:
        await eventually(lambda: _shows(runtime, ["停水"]))
        clock[0] = TOMORROW + timedelta(minutes=1)
        await eventually(lambda: _shows(runtime, []))


async def test_timers_that_the_tail_sets_again_begin_anew_and_for_their_new_reason(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """As they did when the tail was written: though in the backup they had rested, after many attempts in vain."""
    reminding = Policy("reminding")
    reminding.timer(Noted)(lambda event: Timer("remind", TOMORROW))
    service, url = desk(policies=[reminding]), await new_database("desk")
    async with running(service, url, kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(MATTER, "a", Raise())
        await runtime.commands.by(Context(correlation="first")).execute(MATTER, "a", Note("one"))
        await eventually(lambda: relayed(runtime))
    backup = await new_database("backup", template=url)
    async with running(service, url, kafka_server, topic_prefix) as runtime:
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        again = runtime.commands.by(Context(correlation="second", traceparent=trace))
        await again.execute(MATTER, "a", Note("two"))
        await eventually(lambda: relayed(runtime))
        expected = await runtime.db.fetchrow(TIMER)
    async with stopped(service, backup, kafka_server, topic_prefix) as runtime:
        await runtime.db.execute("update log.timers set attempts = 9, error = 'engaged', claimed_until = 'infinity'")
        await runtime.db.execute("delete from log.leases")
        await restore(runtime)
        assert await runtime.db.fetchrow(TIMER) == expected


TIMER = """select policy, stream, name, due, causation, correlation, traceparent, attempts, error,
           claimed_until = '-infinity' from log.timers"""


async def _shows(runtime: Runtime, expected: list[str]) -> bool:
    return await titles(runtime.db) == expected


async def test_a_dump_and_its_restore_go_the_same_way(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """The whole way of an operator: a copy of the database, work that goes on, the copy in its place, restore."""
    url = await new_database("desk")
    async with running(DESK, url, kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(MATTER, "a", Raise())
        await eventually(lambda: relayed(runtime))
    backup = await new_database("backup", template=url)
    async with running(DESK, url, kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(MATTER, "a", Note("after the backup"))
        await runtime.commands.execute(MATTER, "b", Raise())
        await eventually(lambda: relayed(runtime))
        everything = await recorded(runtime.db)
    async with stopped(DESK, backup, kafka_server, topic_prefix) as runtime:
        await runtime.db.execute("delete from log.leases")
        assert (await restore(runtime)).events == 2
    async with running(DESK, backup, kafka_server, topic_prefix) as runtime:
        await eventually(lambda: has_journalled(runtime.db, everything))
