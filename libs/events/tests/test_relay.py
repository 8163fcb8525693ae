"""The relay brings every event of the store to Kafka, each stream in order, at least once (promises 2 and 3)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from broker import Message, Wire, create_topic, messages, send, topic_configs, wire_to
from events import Connection, Database, store
from events.event import START, Position, Raw
from events.kafka import WrongTopics, ensure_topics, kept
from events.lag import own_lag
from events.migrate import migrate
from events.partitioning import partition_of
from events.progress import RELAY, Mark, Overtaken
from events.relay import Marking, StoreReader, StoreReads, relay
from events.runtime import Runtime, keep_running, open_runtime
from events.settings import Settings
from events.store import read_after
from events.testing import RING, eventually, running
from events.wake import CHANNEL, Wake
from front_desk import (
    MATTER,
    Close,
    Note,
    OwnProcess,
    Raise,
    at_work,
    busy,
    desk,
    hall,
    has_journalled,
    journal,
    journalled,
    recorded,
)

NewDatabase = Callable[..., Awaitable[str]]


@pytest.fixture
async def runtime(fresh_database: str, kafka_server: str, topic_prefix: str) -> AsyncGenerator[Runtime]:
    """The desk, set up and not at work."""
    async with running(desk(), fresh_database, kafka_server, topic_prefix, work=False) as runtime:
        yield runtime


async def on_the_topic(runtime: Runtime) -> list[Message]:
    return await messages(runtime.settings.kafka, f"{runtime.settings.topic_prefix}.desk.matter")


async def relaying(runtime: Runtime) -> None:
    """A relay on a connection of its own, lease or no lease, that is started again when it fails."""

    async def once() -> None:
        async with runtime.connection() as db:
            await relay(db, runtime.service, runtime.settings, runtime.wake)

    await keep_running("relay", once)


async def all_relayed(runtime: Runtime) -> bool:
    return all(it.events == 0 for it in await own_lag(runtime.db, [RELAY]))


async def stored(runtime: Runtime) -> dict[str, list[str]]:
    """The event ids of each stream, as the store has them."""
    found = await recorded(runtime.db)
    return {stream: [f"{stream}/{version}" for version in versions] for stream, versions in found.items()}


def first_of_each(found: list[Message]) -> dict[str, list[str]]:
    """The event ids of each stream in the order in which each is first seen."""
    streams: dict[str, dict[str, None]] = {}
    for message in found:
        streams.setdefault(message.stream, {})[message.id] = None
    return {stream: list(ids) for stream, ids in streams.items()}


async def test_each_event_is_on_its_topic_as_it_is_stored(runtime: Runtime) -> None:
    await busy(runtime.commands, 100)
    task = asyncio.create_task(relaying(runtime))
    await eventually(lambda: all_relayed(runtime))
    task.cancel()
    found = await on_the_topic(runtime)
    assert first_of_each(found) == await stored(runtime)
    assert len(found) == 127, "nothing is repeated where nothing failed"
    rows = await runtime.db.fetch("select *, data::text as text from log.events")
    by_id = {message.id: message for message in found}
    for row in rows:
        message = by_id[f"{row['stream']}/{row['version']}"]
        assert message.key == row["stream"].encode()
        assert message.partition == partition_of(row["stream"], 12)
        assert message.value == row["text"].encode()
        assert message.headers["ce_type"] == row["type"]
        assert message.headers["ce_source"] == "/commongrid/desk"
        assert message.headers["ce_position"] == f"{row['incarnation']}.{row['tx']}.{row['position']}"
        assert message.headers["ce_sequence"] == str(row["version"])
        shown = datetime.fromtimestamp(message.timestamp / 1000, UTC)
        assert abs(row["recorded_at"] - shown) <= timedelta(milliseconds=1)


async def test_kafka_itself_gives_a_stream_the_partition_that_tokens_name(runtime: Runtime) -> None:
    topic = f"{runtime.settings.topic_prefix}.desk.matter"
    for stream in ("matter-1", "matter-二", "matter-0199aabb"):
        await send(runtime.settings.kafka, topic, stream.encode(), b"")
    for message in await on_the_topic(runtime):
        assert message.key is not None
        assert message.partition == partition_of(message.key.decode(), 12)


async def test_large_events_of_one_stream_take_several_batches_and_keep_their_order(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    for nth in range(6):
        await runtime.commands.execute(MATTER, "1", Note(f"{nth}" * 400_000))
    task = asyncio.create_task(relaying(runtime))
    await eventually(lambda: all_relayed(runtime))
    task.cancel()
    assert [message.id for message in await on_the_topic(runtime)] == [f"matter-1/{n}" for n in range(1, 8)]


async def test_a_relay_killed_before_it_marked_repeats_and_loses_nothing(runtime: Runtime) -> None:
    await busy(runtime.commands, 50)
    await eventually(lambda: readable(runtime, 77))  # in one go: the relay comes to its mark once
    async with runtime.connection() as holding:
        await holding.execute("insert into log.progress (consumer, source, partition) values ('relay', '', 0)")
        transaction = holding.transaction()
        await transaction.start()
        await holding.execute("select from log.progress where consumer = 'relay' for update")
        task = asyncio.create_task(relaying(runtime))
        await eventually(lambda: sent(runtime, 77))
        task.cancel()
        await asyncio.wait([task])
        await transaction.rollback()
    assert not await all_relayed(runtime)
    task = asyncio.create_task(relaying(runtime))
    await eventually(lambda: all_relayed(runtime))
    task.cancel()
    found = await on_the_topic(runtime)
    assert len(found) == 154, "what was not marked is sent again"
    assert first_of_each(found) == await stored(runtime)


async def sent(runtime: Runtime, count: int) -> bool:
    return len(await on_the_topic(runtime)) >= count


async def test_a_process_killed_again_and_again_loses_nothing(runtime: Runtime) -> None:
    settings = runtime.settings
    process = OwnProcess("desk", settings.database_url, settings.kafka, settings.topic_prefix)
    try:
        for nth in range(1, 4):
            process.start()
            before = await runtime.db.fetchval("select sum(position) from log.progress where consumer = 'relay'") or 0
            writing = asyncio.create_task(busy(runtime.commands, 300, seed=nth))
            await eventually(lambda before=before: moved(runtime, before))
            process.kill()  # in the middle of its work
            await writing
        process.start()
        await eventually(lambda: all_relayed(runtime))
    finally:
        process.kill()
    assert first_of_each(await on_the_topic(runtime)) == await stored(runtime)


async def moved(runtime: Runtime, before: int) -> bool:
    return await runtime.db.fetchval("select sum(position) from log.progress where consumer = 'relay'") or before < 0


async def test_two_relays_at_once_lose_nothing_and_consumers_do_not_notice(
    runtime: Runtime, new_database: NewDatabase
) -> None:
    settings = runtime.settings
    two = [asyncio.create_task(relaying(runtime)) for _ in range(2)]
    async with running(hall(journal()), await new_database(), settings.kafka, settings.topic_prefix) as other:
        for seed in range(1, 4):
            await busy(runtime.commands, 150, seed)
        await eventually(lambda: all_relayed(runtime))
        expected = await recorded(runtime.db)
        await eventually(lambda: has_journalled(other.db, expected))
    for task in two:
        task.cancel()
    assert first_of_each(await on_the_topic(runtime)) == await stored(runtime)


async def test_a_relay_that_was_overtaken_stops(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    async with runtime.connection() as db, runtime.connection() as other:
        task = asyncio.create_task(relay(db, runtime.service, runtime.settings, runtime.wake))
        await eventually(lambda: all_relayed(runtime))
        await other.execute("update log.progress set position = position + 1 where consumer = 'relay'")
        await runtime.commands.execute(MATTER, "2", Raise())
        with pytest.raises(Overtaken):
            await asyncio.wait_for(task, 30)


async def test_the_relay_marks_all_events_of_a_moment_at_once_and_does_not_wait_for_the_disk(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await runtime.db.execute(
        """create table marked (durable text);
           create function note() returns trigger language plpgsql as $$
           begin insert into marked values (current_setting('synchronous_commit')); return new; end $$;
           create trigger note after update on log.progress for each row execute function note()"""
    )
    with monkeypatch.context() as patch:
        patch.setattr(Marking, "MOMENT", 3600)
        task = asyncio.create_task(relaying(runtime))
        for nth in range(1, 4):
            await runtime.commands.execute(MATTER, f"{nth}", Raise())
            await eventually(lambda nth=nth: sent(runtime, nth))
        task.cancel()
        await asyncio.wait([task])
    assert await runtime.db.fetch("select from marked") == [], "the moment is not over"
    task = asyncio.create_task(relaying(runtime))
    await eventually(lambda: all_relayed(runtime))
    task.cancel()
    [mark] = await runtime.db.fetch("select durable from marked")
    assert mark["durable"] == "off", "an event whose mark is lost is sent again"
    assert len(await on_the_topic(runtime)) == 6, "what was not marked is sent again"


async def test_a_reader_at_the_end_of_the_store_knows_of_more_when_it_is_woken(runtime: Runtime) -> None:
    """Else each event would cost a second look, just when it is on its way."""
    for nth in range(3):
        await runtime.commands.execute(MATTER, f"{nth}", Raise())
    await eventually(lambda: readable(runtime, 3))
    async with runtime.connection() as db:
        reader = StoreReader(db, runtime.wake)
        first = await reader.next(Mark(), 2)
        assert (len(first), reader.knows_of_more) == (2, True), "it did not read to the end"
        [third] = await reader.next(Mark(0, first[-1].position), 2)
        end = Mark(0, third.position)
        assert not reader.knows_of_more
        assert await reader.next(end, 2, 0.0) == [], "it waits no longer than it is told"
        await runtime.commands.execute(MATTER, "3", Raise())
        assert reader.knows_of_more
        [fourth] = await reader.next(end, 2, 30.0)
        assert fourth.stream == "matter-3"


async def readable(runtime: Runtime, count: int) -> bool:
    """Whether so many events wait for no older transaction of somebody else on the server."""
    return len(await read_after(runtime.db, START, count)) == count


async def test_an_event_that_waited_for_an_older_transaction_is_found_though_nobody_wakes_the_reader(
    runtime: Runtime,
) -> None:
    async with runtime.connection() as db, runtime.connection() as older:
        reader = StoreReader(db, runtime.wake)
        transaction = older.transaction()
        await transaction.start()
        await older.execute("select pg_current_xact_id()")
        await runtime.commands.execute(MATTER, "1", Raise())
        assert await reader.next(Mark(), 10, 0.1) == []
        await transaction.commit()
        [found] = await asyncio.wait_for(reader.next(Mark(), 10), 30)
        assert found.stream == "matter-1"


async def test_one_process_relays_and_another_takes_over_when_it_stops(runtime: Runtime) -> None:
    settings = runtime.settings
    place = (settings.database_url, settings.kafka, settings.topic_prefix)
    async with at_work(desk(), *place) as second:
        async with at_work(desk(), *place) as first:
            await eventually(lambda: holder(runtime.db))
            elected, waiting = (first, second) if first.holder == await holder(runtime.db) else (second, first)
            assert elected.holder == await holder(runtime.db)
            assert not waiting.reading_store
            await busy(runtime.commands, 20, seed=1)
            await eventually(lambda: all_relayed(runtime))
        await eventually(lambda: is_reading(second))
        assert await holder(runtime.db) == second.holder
        await busy(runtime.commands, 20, seed=2)
        await eventually(lambda: all_relayed(runtime))
    assert await holder(runtime.db) is None, "who stops gives the lease up at once"
    assert first_of_each(await on_the_topic(runtime)) == await stored(runtime)


async def holder(db: Database) -> str | None:
    return await db.fetchval("select holder from log.leases where name = 'store'")


async def is_reading(runtime: Runtime) -> bool:
    return runtime.reading_store


async def test_who_does_not_renew_its_lease_loses_it(runtime: Runtime) -> None:
    await runtime.db.execute("insert into log.leases values ('store', 'dead', clock_timestamp() - interval '1 ms')")
    settings = runtime.settings
    async with at_work(desk(), settings.database_url, settings.kafka, settings.topic_prefix) as process:
        await eventually(lambda: is_reading(process))
        await runtime.db.execute(
            "update log.leases set holder = 'other', expires_at = clock_timestamp() + interval '1 hour'"
        )
        await eventually(lambda: has_stopped_reading(process))


async def has_stopped_reading(runtime: Runtime) -> bool:
    return not runtime.reading_store


async def test_all_who_wait_are_woken_and_do_not_wait_for_the_end_of_their_patience() -> None:
    wake = Wake()
    waiting = {asyncio.create_task(wake.wait(wake.count, 3600)) for _ in range(2)}
    await asyncio.sleep(0)
    wake.set()
    woken, _ = await asyncio.wait(waiting, timeout=10)
    assert woken == waiting


async def test_other_processes_are_woken_by_every_append_here_and_not_by_what_woke_this_one(runtime: Runtime) -> None:
    """Else the last of many events would wait until the relay looks by itself, or two go on waking each other."""
    heard: list[object] = []

    def hear(*notification: object) -> None:
        heard.append(notification[-1])
        if heard == ["end", ""]:
            runtime.wake.appended()  # while the others are still being told of the one before

    async with runtime.connection() as db:
        await db.add_listener(CHANNEL, hear)
        telling = asyncio.create_task(runtime.tell_others())
        await eventually(lambda: somebody_waits(runtime.wake))
        runtime.wake.set()
        await eventually(lambda: somebody_waits(runtime.wake))
        await db.execute(f"notify {CHANNEL}, 'end'")
        await runtime.commands.execute(MATTER, "1", Raise())
        await eventually(lambda: are(heard, ["end", "", ""]), 20)
        telling.cancel()
        await asyncio.wait({telling})


async def somebody_waits(wake: Wake) -> bool:
    return any(not it.done() for it in wake._waiting)  # pyright: ignore[reportPrivateUsage]


async def are(found: list[object], expected: list[object]) -> bool:
    assert found == expected
    return True


async def test_who_is_woken_and_stopped_at_the_same_moment_stops() -> None:
    """Else a process that is asked to end just when something is appended would go on for ever."""
    wake = Wake()
    waiting = asyncio.create_task(wake.wait(wake.count, 60))
    await asyncio.sleep(0)
    wake.set()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()


@pytest.mark.parametrize(("replicas", "writers"), [(1, "1"), (2, "2"), (3, "2")])
def test_where_topics_are_replicated_no_event_counts_as_sent_before_two_brokers_have_it(
    replicas: int, writers: str
) -> None:
    assert kept(replicas)["min.insync.replicas"] == writers


async def test_topics_are_made_to_be_kept_so(fresh_database: str, kafka_server: str, topic_prefix: str) -> None:
    await ensure_topics(desk(), Settings(fresh_database, kafka_server, topic_prefix))
    configured = await topic_configs(kafka_server, f"{topic_prefix}.desk.matter")
    assert kept(1).items() <= configured.items()


@pytest.mark.parametrize("partitions", [0, 3])
async def test_the_relay_refuses_a_topic_with_another_number_of_partitions(
    fresh_database: str, kafka_server: str, topic_prefix: str, partitions: int
) -> None:
    settings = Settings(fresh_database, kafka_server, topic_prefix, keys=RING)
    await migrate(desk(), settings)
    if partitions:
        await create_topic(kafka_server, f"{topic_prefix}.desk.matter", partitions)
        await ensure_topics(desk(), settings)  # leaves what exists as it is
    async with open_runtime(desk(), settings) as runtime, runtime.connection() as db:
        await runtime.commands.execute(MATTER, "1", Raise())
        with pytest.raises(WrongTopics, match=f"has {partitions} partitions, 12 are expected"):
            await asyncio.wait_for(relay(db, runtime.service, settings, runtime.wake), 30)
        assert not await all_relayed(runtime)


async def test_a_message_of_somebody_else_on_the_topic_does_not_stop_the_relay(runtime: Runtime) -> None:
    topic = f"{runtime.settings.topic_prefix}.desk.matter"
    await busy(runtime.commands, 20)
    task = asyncio.create_task(relaying(runtime))
    await eventually(lambda: all_relayed(runtime))
    task.cancel()
    for nth in range(30):
        await send(runtime.settings.kafka, topic, b"%d" % nth, b"what is this?")
    await busy(runtime.commands, 20, seed=2)
    async with runtime.connection() as db:
        task = asyncio.create_task(relay(db, runtime.service, runtime.settings, runtime.wake))
        await eventually(lambda: all_relayed(runtime))
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def wire(kafka_server: str) -> AsyncGenerator[Wire]:
    async with wire_to(kafka_server) as wire:
        yield wire


async def test_commands_and_own_read_models_go_on_while_kafka_is_away_and_the_topics_catch_up(
    wire: Wire, new_database: NewDatabase, topic_prefix: str, kafka_server: str
) -> None:
    async with (
        running(desk(journal()), await new_database(), wire.address, topic_prefix) as here,
        running(hall(journal()), await new_database(), wire.address, topic_prefix) as there,
    ):
        await here.commands.execute(MATTER, "1", Raise())
        await eventually(lambda: has_journalled(there.db, {"matter-1": [1]}))
        await wire.cut()
        await here.commands.execute(MATTER, "1", Note("Kafka is away"))
        for nth in range(100):
            await here.commands.execute(MATTER, f"other-{nth}", Raise())
        done = await here.commands.execute(MATTER, "1", Close())
        assert done.token
        await here.commands.wait_for(done.token, here.service.read_models[0], 30)
        assert (await journalled(here.db))["matter-1"] == [1, 2, 3]
        assert await journalled(there.db) == {"matter-1": [1]}
        await wire.mend()
        expected = await journalled(here.db)
        await eventually(lambda: has_journalled(there.db, expected), 60)


async def test_who_come_to_the_same_place_read_the_store_once(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for nth in range(3):
        await runtime.commands.execute(MATTER, f"{nth}", Raise())
    await eventually(lambda: readable(runtime, 3))
    asked: list[Position] = []
    read = store.read_after

    async def counting(db: Connection, position: Position, most: int) -> list[Raw]:
        asked.append(position)
        return await read(db, position, most)

    monkeypatch.setattr(store, "read_after", counting)
    reads = StoreReads()
    async with runtime.connection() as one, runtime.connection() as other:
        found = await asyncio.gather(reads.after(one, START, 2, 7), reads.after(other, START, 2, 8))
        assert [len(raws) for raws, _ in found] == [2, 2]
        assert [begun_at for _, begun_at in found] == [7, 7], "what was appended since may be missing"
        assert len(asked) == 1
        late, begun_at = await reads.after(other, START, 2, 9)
        assert (late, begun_at, len(asked)) == (found[0][0], 7, 1)
        assert (await reads.after(one, START, 3, 9))[1] == 9, "who asks for another number reads for itself"


async def test_those_who_read_together_come_to_rest_together(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seventeen read models of a service at rest had kept each other awake, at the shortest of pauses."""
    asked = 0
    read = store.read_after

    async def counting(db: Connection, position: Position, most: int) -> list[Raw]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.02)  # so that the others come while it is being read
        return await read(db, position, most)

    monkeypatch.setattr(store, "read_after", counting)
    reads, mark = StoreReads(), Mark(0, START)
    async with AsyncExitStack() as stack:
        readers = [
            StoreReader(await stack.enter_async_context(runtime.connection()), runtime.wake, reads) for _ in range(8)
        ]
        for _ in range(12):
            await asyncio.gather(*(it.look(mark, 10) for it in readers))
        assert not any(it.knows_of_more for it in readers), "nothing has been appended"
        assert asked <= 12, "one reads for all"
        runtime.wake.appended()
        assert all(it.knows_of_more for it in readers)


async def test_who_waits_for_what_another_reads_goes_on_when_that_one_is_stopped(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    await eventually(lambda: readable(runtime, 1))
    reads = StoreReads()
    async with runtime.connection() as one, runtime.connection() as other, runtime.connection() as holder:
        async with holder.transaction():
            await holder.execute("lock table log.events in access exclusive mode")  # reads wait
            first = asyncio.create_task(reads.after(one, START, 10, 0))
            second = asyncio.create_task(reads.after(other, START, 10, 0))
            await eventually(lambda: waiting(holder))
            first.cancel()
            await asyncio.wait([first])
        raws, _ = await asyncio.wait_for(second, 30)
        assert [raw.stream for raw in raws] == ["matter-1"]
        assert first.cancelled()
        assert await one.fetchval("select 1") == 1, "its connection is at rest"


async def waiting(db: Connection) -> bool:
    """Whether somebody waits for a lock that this connection holds."""
    return await db.fetchval("select exists (select from pg_locks where not granted)")


async def test_what_cannot_be_read_fails_for_all_and_is_read_again(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    await eventually(lambda: readable(runtime, 1))
    reads = StoreReads()
    async with runtime.connection() as one, runtime.connection() as other:
        await one.close()
        with pytest.raises(asyncpg.InterfaceError):
            await reads.after(one, START, 10, 0)
        assert len((await reads.after(other, START, 10, 0))[0]) == 1
