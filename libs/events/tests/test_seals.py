"""The log is sealed and its seals are published, so that verify finds a changed, removed or inserted row."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from broker import messages, send
from events import Connection, seals, store
from events.chain import Head, beginning
from events.clock import system_clock
from events.event import START
from events.kafka import Partition, Producer
from events.lag import own_lag
from events.progress import RELAY
from events.restore import restore
from events.runtime import Runtime, keep_running, open_runtime
from events.seals import Seal, keep_sealing
from events.settings import Settings
from events.testing import RING, eventually, running
from events.verify import published_seals, verify
from front_desk import MATTER, Close, Note, Raise, busy, desk

NewDatabase = Callable[..., Awaitable[str]]
DESK = desk()
SOON = timedelta(milliseconds=20)


@dataclass(frozen=True)
class Place:
    """Where a desk is."""

    url: str
    kafka: str
    prefix: str

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[Runtime]:
        async with running(DESK, self.url, self.kafka, self.prefix) as runtime:
            yield runtime

    @asynccontextmanager
    async def stopped(self) -> AsyncGenerator[Runtime]:
        async with open_runtime(DESK, Settings(self.url, self.kafka, self.prefix, keys=RING)) as runtime:
            yield runtime

    @asynccontextmanager
    async def as_its_owner(self) -> AsyncGenerator[Connection]:
        """Underneath: whoever owns the database takes away what the log protects itself by."""
        db = await asyncpg.connect(self.url)
        try:
            await db.execute("alter table log.events disable trigger append_only")
            yield db
            await db.execute("alter table log.events enable trigger append_only")
        finally:
            await db.close()


async def relayed(runtime: Runtime) -> bool:
    return all(it.events == 0 for it in await own_lag(runtime.db, [RELAY]))


async def work_a_while(place: Place, *matters: str) -> None:
    """A working day, at whose end the log is sealed."""
    async with place.at_work() as runtime:
        for matter in matters:
            await runtime.commands.execute(MATTER, matter, Raise())
            await runtime.commands.execute(MATTER, matter, Note("noted"))
            await runtime.commands.execute(MATTER, matter, Close())
        await eventually(lambda: relayed(runtime))


@pytest.fixture
async def place(new_database: NewDatabase, kafka_server: str, topic_prefix: str) -> Place:
    """A desk whose log was sealed after each of three days."""
    place = Place(await new_database("desk"), kafka_server, topic_prefix)
    for day in ("monday", "tuesday", "wednesday"):
        await work_a_while(place, f"{day}-1", f"{day}-2")
    return place


async def wrong(place: Place, *, kafka: bool = True) -> list[str]:
    async with place.stopped() as runtime:
        return (await verify(runtime, kafka=kafka)).wrong


async def heads(place: Place) -> list[Head]:
    async with place.stopped() as runtime:
        return [it.head for it in await seals.kept(runtime.db)]


async def test_each_day_ends_with_a_seal_of_all_that_was_sent(place: Place) -> None:
    async with place.stopped() as runtime:
        kept, published = await seals.kept(runtime.db, published=True), await published_seals(runtime)
        last = await runtime.db.fetchrow(
            "select incarnation, tx, position from log.events order by 1 desc, 2 desc, 3 desc"
        )
    assert [it.head.rows for it in kept] == [6, 12, 18]
    assert [it.number for it in kept] == [1, 2, 3]
    assert published == kept
    assert kept[-1].head.position == tuple(last or ())


async def test_where_nobody_touched_the_log_nothing_is_wrong(place: Place) -> None:
    async with place.stopped() as runtime:
        found = await verify(runtime)
    assert found.wrong == []
    assert found.sealed == found.stored == 18
    assert found.sealed_at
    assert datetime.now(UTC) - found.sealed_at < timedelta(minutes=5)


CHANGED = {
    "the data": """update log.events set data = '{"place":"elsewhere","at":"2026-03-02T12:00:00Z"}'
                   where stream = 'matter-tuesday-1' and version = 1""",
    "one space of the data": """update log.events set data = (data::text || ' ')::json
                                where stream = 'matter-tuesday-1' and version = 1""",
    "who did it": "update log.events set actor = 'somebody-else' where stream = 'matter-tuesday-2' and version = 3",
    "when it was recorded": """update log.events set recorded_at = recorded_at - interval '1 microsecond'
                               where stream = 'matter-tuesday-2' and version = 2""",
    "which of two came first": """update log.events e set data = o.data, type = o.type
                                  from log.events o where e.stream = 'matter-tuesday-1' and o.stream = e.stream
                                  and e.version + o.version = 5 and e.version in (2, 3)""",
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
async def test_a_changed_row_is_found_between_the_seals_around_it(place: Place, change: str) -> None:
    async with place.as_its_owner() as db:
        await db.execute(change)
    first, second, _ = await heads(place)
    found = await wrong(place)
    [named] = [it for it in found if "rows were changed" in it]
    assert named.startswith(f"rows were changed after {first.position} ")
    assert f"and up to {second.position} " in named
    assert any("the store holds otherwise" in it and "matter-tuesday" in it for it in found), "the topics name the row"


async def test_a_removed_row_is_found(place: Place) -> None:
    async with place.as_its_owner() as db:
        await db.execute("delete from log.events where stream = 'matter-tuesday-2' and version = 3")
    first, second, _ = await heads(place)
    [named] = [it for it in await wrong(place) if "were removed" in it]
    assert named.startswith(f"1 rows were removed after {first.position} ")
    assert f"up to {second.position} " in named
    assert named.endswith("it was sealed with 6 rows, and has 5")


async def test_the_removal_of_the_newest_rows_is_found(place: Place) -> None:
    async with place.as_its_owner() as db:
        await db.execute("delete from log.events where stream like 'matter-wednesday-%'")
    assert any(it.startswith("6 rows were removed after ") for it in await wrong(place))


async def test_a_whole_log_that_is_gone_is_found(place: Place) -> None:
    async with place.as_its_owner() as db:
        await db.execute("delete from log.events")
    assert [it.partition(":")[0].partition(" and up to")[0][:30] for it in await wrong(place, kafka=False)] == [
        "6 rows were removed from the b",
        *(f"6 rows were removed after {head.position}"[:30] for head in (await heads(place))[:2]),
    ]


async def test_a_row_that_was_slipped_in_is_found(place: Place) -> None:
    async with place.as_its_owner() as db:
        await db.execute(
            """insert into log.events (incarnation, tx, position, stream, version, type, data)
               overriding system value
               select incarnation, tx, 0, 'matter-forged', 1, 'commongrid.desk.matter.raised.v1', data
               from log.events where stream = 'matter-tuesday-1' and version = 1"""
        )
    first, second, _ = await heads(place)
    [named] = [it for it in await wrong(place) if "were inserted" in it]
    assert named.startswith(f"1 rows were inserted after {first.position} ")
    assert f"up to {second.position} " in named


async def test_each_interval_that_was_touched_is_named_and_no_other(place: Place) -> None:
    async with place.as_its_owner() as db:
        await db.execute("update log.events set actor = 'x' where stream in ('matter-monday-1', 'matter-wednesday-1')")
    named = [it for it in await wrong(place) if "rows were changed" in it]
    _, second, third = await heads(place)
    assert len(named) == 2
    assert "from the beginning" in named[0]
    assert named[1].startswith(f"rows were changed after {second.position} ")
    assert f"up to {third.position} " in named[1]


async def test_who_rewrites_the_seals_as_well_is_told_on_by_the_topic(place: Place) -> None:
    async with place.as_its_owner() as db:
        await db.execute("update log.events set actor = 'x' where stream = 'matter-tuesday-1'")
        head = beginning("desk")
        for seal in await seals.kept(db):
            raws = await store.read_after(db, head.position, 1000)
            head = head.after([raw for raw in raws if raw.position <= seal.head.position])
            await db.execute("update log.seals set hash = $1 where number = $2", head.hash, seal.number)
    assert await wrong(place, kafka=False) == [], "the database alone tells nothing any more"
    found = await wrong(place)
    assert any(it.startswith("rows were changed after ") for it in found)
    assert any(it.startswith("2 seals in the database are not as they were published: 2, 3") for it in found)


async def test_a_forged_seal_on_the_topic_does_not_stand_against_the_one_before_it(place: Place) -> None:
    async with place.as_its_owner() as db:
        await db.execute("update log.events set actor = 'x' where stream like 'matter-wednesday-%'")
    async with place.stopped() as runtime:
        *_, second, third = await published_seals(runtime)
        raws = await store.read_after(runtime.db, second.head.position, 1000)
        await publish(runtime, third._replace(number=4, head=second.head.after(raws)))
        found = (await verify(runtime)).wrong
    assert any(it.startswith("1 seals say something else of the same rows than an earlier one: 4") for it in found)
    assert any(it.startswith(f"rows were changed after {second.head.position} ") for it in found)


async def publish(runtime: Runtime, seal: Seal) -> None:
    producer = Producer(DESK, runtime.settings)
    await producer.start([])
    try:
        await producer.send([(Partition(DESK.seals(runtime.settings.topic_prefix), 0), seal.raw("desk"))])
    finally:
        await producer.stop()


async def test_what_else_stands_on_the_topic_does_no_harm(place: Place) -> None:
    topic = f"{place.prefix}.desk.seals"
    one = (await messages(place.kafka, topic, 1))[0]
    headers = [(name, value.encode()) for name, value in one.headers.items()]
    await send(place.kafka, topic, b"seals", b"what is this?")
    await send(place.kafka, topic, b"seals", b"[]", headers)
    await send(place.kafka, topic, b"seals", b'{"position": "1.1.1", "count": 1, "hash": "xyz"}', headers)
    assert await wrong(place) == []


async def test_verify_passes_while_appends_go_on(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    place = Place(await new_database("desk"), kafka_server, topic_prefix)
    async with place.at_work() as runtime, sealing(runtime):
        work = asyncio.create_task(busy(runtime.commands, 600))
        sealed: set[int] = set()
        while not work.done():
            found = await verify(runtime)
            assert found.wrong == []
            sealed.add(found.sealed)
        await work
    assert len(sealed) > 1, "it was sealed meanwhile"


@asynccontextmanager
async def sealing(runtime: Runtime, every: timedelta = SOON) -> AsyncGenerator[None]:
    """Seals much more often."""

    async def run() -> None:
        async with runtime.connection() as db:
            await keep_sealing(db, DESK, runtime.settings, system_clock, every)

    task = asyncio.create_task(keep_running("seals", run))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_two_who_seal_at_the_same_time_make_one_chain(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    place = Place(await new_database("desk"), kafka_server, topic_prefix)
    async with place.at_work() as runtime:
        async with sealing(runtime), sealing(runtime):
            await busy(runtime.commands, 200)
            await eventually(lambda: relayed(runtime))
        assert (await verify(runtime)).wrong == []
        kept = await seals.kept(runtime.db)
    assert [it.number for it in kept] == list(range(1, len(kept) + 1))
    assert len(kept) > 5


async def test_a_silent_service_goes_on_saying_that_nothing_has_changed(place: Place) -> None:
    async with place.at_work() as runtime, sealing(runtime):
        await eventually(lambda: more_than(runtime, 5))
    kept = await heads(place)
    assert set(kept[2:]) == {kept[2]}


async def more_than(runtime: Runtime, count: int) -> bool:
    return len(await seals.kept(runtime.db, published=True)) > count


async def test_what_is_not_sent_is_not_sealed(place: Place) -> None:
    async with place.stopped() as runtime:
        await runtime.commands.execute(MATTER, "thursday", Raise())
        async with runtime.connection() as db:
            await seals.seal(db, DESK, system_clock())
        assert (await seals.last(runtime.db) or FAILED).head.rows == 18


FAILED = Seal(0, beginning("nobody"), system_clock())


async def test_a_seal_that_was_kept_and_not_published_is_published_later(place: Place) -> None:
    async with place.stopped() as runtime, runtime.connection() as db:
        await seals.seal(db, DESK, system_clock())
        assert len(await published_seals(runtime)) == 3
    async with place.at_work() as runtime:
        await eventually(lambda: more_than(runtime, 3))
        assert [it.number for it in await published_seals(runtime)] == [1, 2, 3, 4]
        assert (await verify(runtime)).wrong == []


async def test_seals_count_by_the_clock_and_not_by_when_the_process_was_started(place: Place) -> None:
    """Else a service that is restarted every half minute would never be sealed, if it is killed each time."""
    later = datetime.now(UTC) + timedelta(minutes=2)
    async with place.stopped() as runtime, runtime.connection() as db:
        task = asyncio.create_task(keep_sealing(db, DESK, runtime.settings, lambda: later))
        await eventually(lambda: more_than(runtime, 3))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.wait([task])
        assert [it.at for it in await seals.kept(runtime.db)][3:] == [later], "and not once more"


async def test_whoever_is_erased_changes_no_row(place: Place) -> None:
    async with place.at_work() as runtime:
        await runtime.commands.personal.keys.destroy("matter-tuesday-1")
        assert (await verify(runtime)).wrong == []


async def test_a_log_that_comes_back_from_a_backup_fits_its_seals(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    place = Place(await new_database("desk"), kafka_server, topic_prefix)
    await work_a_while(place, "monday")
    async with place.stopped() as runtime:
        await runtime.commands.execute(MATTER, "monday-late", Raise())  # not sent yet when the backup is made
    back = Place(await new_database("backup", template=place.url), kafka_server, topic_prefix)
    await work_a_while(place, "tuesday")
    async with place.stopped() as runtime:
        await runtime.commands.execute(MATTER, "tuesday-late", Raise())  # lost with the database
    assert any("were removed" in it for it in await wrong(back)), "nobody has taken the tail back yet"
    async with back.stopped() as runtime:
        assert (await restore(runtime)).events == 3
    assert await wrong(back) == []
    await work_a_while(back, "wednesday")
    assert await wrong(back) == []
    assert [it.rows for it in await heads(back)] == [3, 7, 10]
    async with back.stopped() as runtime:
        assert [it.number for it in await published_seals(runtime)] == [1, 2, 3]
        assert await seals.kept(runtime.db, published=True) == await published_seals(runtime)


async def test_a_removed_row_comes_back_from_the_topic(place: Place) -> None:
    async with place.as_its_owner() as db:
        await db.execute("delete from log.events where stream = 'matter-tuesday-2'")
    async with place.stopped() as runtime:
        assert (await restore(runtime)).events == 3
    await work_a_while(place, "thursday")
    assert await wrong(place) == []
    assert [it.rows for it in await heads(place)] == [6, 12, 18, 21]


async def test_the_age_of_the_newest_published_seal_is_measured(place: Place) -> None:
    async with place.as_its_owner() as db:
        await db.execute("update log.seals set published_at = published_at - interval '1 hour'")
    async with place.at_work() as runtime:
        await eventually(lambda: aged(runtime, 3600, 3700))
        async with sealing(runtime):
            await eventually(lambda: aged(runtime, 0, 60))


async def aged(runtime: Runtime, least: float, most: float) -> bool:
    return least <= runtime.measures.seal_age <= most and runtime.measures.watermark_age >= 0


async def test_an_empty_log_is_sealed_too(new_database: NewDatabase, kafka_server: str, topic_prefix: str) -> None:
    place = Place(await new_database("desk"), kafka_server, topic_prefix)
    async with place.at_work() as runtime, sealing(runtime):
        await eventually(lambda: more_than(runtime, 0))
        found = await verify(runtime)
    assert found.wrong == []
    assert (await heads(place))[0] == Head(START, 0, beginning("desk").hash)
