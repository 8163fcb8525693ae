"""Positions are safe against late commits: a reader that goes on from the last event it saw skips none (promise 3)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from random import Random

import asyncpg
import pytest
from events import Conflict, Connection, Service, store
from events.event import START, Position, Raw
from events.runtime import Runtime
from events.store import Appending
from events.testing import eventually
from front_desk import Raised, desk

Open = Callable[[Service], Awaitable[Runtime]]


@pytest.fixture
async def runtime(opened: Open) -> Runtime:
    return await opened(desk())


@pytest.fixture
async def connections(runtime: Runtime) -> AsyncGenerator[list[Connection]]:
    """Connections of their own, for transactions that overlap."""
    made = [await asyncpg.connect(runtime.settings.database_url) for _ in range(20)]
    yield made
    for db in made:
        await db.close()


async def append(db: Connection, stream: str, version: int, count: int = 1) -> None:
    appending = Appending()
    appending.add(stream, version, [Raised(place=f"{version + nth}") for nth in range(1, count + 1)])
    await store.append(db, [appending])


class Reader:
    """Follows the store from its beginning, as relay and projections do."""

    def __init__(self, db: Connection) -> None:
        self.db = db
        self.seen: list[Raw] = []

    async def read(self, limit: int = 1000) -> int:
        after = self.seen[-1].position if self.seen else START
        found = await store.read_after(self.db, after, limit)
        self.seen += found
        return len(found)

    @property
    def ids(self) -> list[str]:
        return [raw.id for raw in self.seen]


async def test_an_event_is_not_shown_while_an_older_transaction_may_still_commit(connections: list[Connection]) -> None:
    early, late, db = connections[:3]
    reader = Reader(db)
    transaction = early.transaction()
    await transaction.start()
    await append(early, "matter-early", 0)
    await append(late, "matter-late", 0)
    await reader.read()
    assert "matter-late/1" not in reader.ids, "the reader's mark would pass what is not committed yet"
    await transaction.commit()
    await eventually(lambda: everything_read(reader, 2))
    assert reader.ids == ["matter-early/1", "matter-late/1"]


async def everything_read(reader: Reader, count: int) -> bool:
    await reader.read()
    return len(reader.seen) >= count


async def test_a_transaction_that_is_rolled_back_holds_nobody_back(connections: list[Connection]) -> None:
    early, late, db = connections[:3]
    reader = Reader(db)
    transaction = early.transaction()
    await transaction.start()
    await append(early, "matter-early", 0)
    await append(late, "matter-late", 0)
    await transaction.rollback()
    await eventually(lambda: everything_read(reader, 1))
    assert reader.ids == ["matter-late/1"]


async def test_an_append_that_waited_for_another_one_comes_after_it(connections: list[Connection]) -> None:
    """The one that waits has the lower transaction id: it must not win, or the stream would be out of order."""
    first, second, db = connections[:3]
    await append(db, "matter-1", 0)
    transaction = first.transaction()
    await transaction.start()
    await append(first, "matter-1", 1)
    waiting = asyncio.create_task(append(second, "matter-1", 1, count=2))
    await transaction.commit()
    with pytest.raises(Conflict):
        await waiting
    await append(second, "matter-1", 2)
    reader = Reader(db)
    await eventually(lambda: everything_read(reader, 3))
    assert reader.ids == ["matter-1/1", "matter-1/2", "matter-1/3"]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_readers_see_each_committed_event_once_and_in_its_streams_order(
    connections: list[Connection], runtime: Runtime, seed: int
) -> None:
    """Hundreds of interleaved transactions of random length, some rolled back, some writing more after the append."""
    writers, readers = connections[:16], [Reader(db) for db in connections[16:]]
    await runtime.db.execute("create table other (n int)")
    streams = [f"matter-{nth}" for nth in range(24)]
    writing = asyncio.gather(*(write(db, streams, Random(seed * 100 + nth)) for nth, db in enumerate(writers)))  # noqa: S311
    following = [asyncio.create_task(follow(reader, writing, seed + nth)) for nth, reader in enumerate(readers)]
    committed = sum(await writing)
    assert committed > 200
    rows = await runtime.db.fetch("select stream, version from log.events order by stream, version")
    stored = [f"{row[0]}/{row[1]}" for row in rows]
    for reader, task in zip(readers, following, strict=True):
        await task
        await eventually(lambda reader=reader: everything_read(reader, len(stored)))
        assert sorted(reader.ids) == sorted(stored), "each once, none skipped"
        positions: list[Position] = [raw.position for raw in reader.seen]
        assert positions == sorted(positions)
        for stream in streams:
            versions = [raw.version for raw in reader.seen if raw.stream == stream]
            assert versions == list(range(1, len(versions) + 1))


async def write(db: Connection, streams: list[str], random: Random) -> int:
    """Appends in transactions of random length; returns how many were committed."""
    committed = 0
    for _ in range(30):
        transaction = db.transaction()
        await transaction.start()
        stream = random.choice(streams)
        try:
            version = len(await store.load(db, stream))
            await asyncio.sleep(random.choice([0, 0, 0.001]))
            await append(db, stream, version, random.randint(1, 4))
            if random.random() < 0.3:
                await db.execute("insert into other values (1)")
            await asyncio.sleep(random.choice([0, 0, 0.001, 0.005, 0.02]))
        except Conflict:
            await transaction.rollback()
            continue
        if random.random() < 0.2:
            await transaction.rollback()
        else:
            await transaction.commit()
            committed += 1
    return committed


async def follow(reader: Reader, writing: asyncio.Future[list[int]], seed: int) -> None:
    """Reads on and on, in chunks of random size, while others write."""
    random = Random(seed)  # noqa: S311
    while not writing.done():
        await reader.read(random.choice([1, 3, 50, 1000]))
