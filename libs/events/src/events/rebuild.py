"""Rebuilding a read model beside the live one, and switching when it has caught up (promise 5).

The rebuild has tables (a schema) and progress of its own, so neither disturbs the other. To switch, the live progress
is held for a moment, the rebuild takes the last events up to it, and the schemas change names in one transaction.
A rebuild that is interrupted goes on where it was.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from events import store
from events.consumer import Consumer
from events.event import Position
from events.feeds import CHUNK, TopicFeed
from events.kafka import Partition, TopicReader
from events.migrate import create_tables
from events.progress import OWN, Chunk, Mark, marks
from events.read_model import Connection, ReadModel
from events.runtime import Runtime

Progress = dict[tuple[str, int], Mark]
Report = Callable[[int], None]


@dataclass
class Replay:
    """A read model's events from the beginning, from its own store and from topics, into other tables."""

    runtime: Runtime
    consumer: Consumer
    own: bool
    feed: TopicFeed | None
    taken: int = 0
    own_to_come: bool = True
    """Whether the store is likely to have more: it gave as much as was asked for."""

    async def step(self) -> int:
        """Takes some more events; returns how many, 0 when there are none at the moment."""
        took = 0
        if self.own:
            mark = (await marks(self.consumer.db, self.consumer.name, OWN, [0]))[0]
            raws = await store.read_after(self.consumer.db, mark.position, CHUNK)
            if raws:
                await self.consumer.take([Chunk(OWN, 0, mark, Mark(0, raws[-1].position), raws)])
                took += len(raws)
            self.own_to_come = len(raws) == CHUNK
        if self.feed and took < CHUNK:  # a store that is written to all the time has always some more
            took += await self.feed.step(0.05)
        self.taken += took
        return took

    async def catch_up(self, report: Report | None = None) -> None:
        """Takes all that there is, and what came meanwhile, until that is little. It does not wait for a moment at
        which there is nothing: while others go on writing, none may come."""
        lap = CHUNK
        while lap >= CHUNK:
            before = self.taken
            await self._lap(report)
            lap = self.taken - before

    async def _lap(self, report: Report | None) -> None:
        """Takes what there is as it begins."""
        ends = await self.feed.ends() if self.feed else {}
        while True:
            await self.step()
            if report:
                report(self.taken)
            here = self.feed.marks if self.feed else {}
            if all(here[it].next_offset >= end for it, end in ends.items()) and not (self.own and self.own_to_come):
                return

    async def catch_up_with(self, held: Progress) -> None:
        """Takes at least all that these marks of another consumer stand for."""
        for key, mark in held.items():
            while not await self._reached(key, mark):
                if await self.step() == 0:
                    await asyncio.sleep(0.01)

    async def _reached(self, key: tuple[str, int], mark: Mark) -> bool:
        source, partition = key
        if source == OWN:
            return (await marks(self.consumer.db, self.consumer.name, OWN, [0]))[0].position >= mark.position
        found = self.feed.marks.get(Partition(source, partition)) if self.feed else None
        return found is None or found.next_offset >= mark.next_offset


@asynccontextmanager
async def replay(runtime: Runtime, read_model: ReadModel, schema: str) -> AsyncGenerator[Replay]:
    """Opens (or goes on with) a replay of a read model's events into the tables of another schema."""
    topics = runtime.service.foreign_topics(read_model, runtime.settings.topic_prefix)
    async with runtime.consumer(read_model, schema) as consumer:
        feed = TopicFeed(consumer, TopicReader(runtime.settings, topics, None), None) if topics else None
        try:
            if feed:
                await feed.start()
            yield Replay(runtime, consumer, runtime.service.follows_own(read_model), feed)
        finally:
            if feed:
                await feed.stop()


def rebuild_schema(read_model: ReadModel) -> str:
    """Where a read model's rebuild stands until it takes over."""
    return f"{read_model.schema}__rebuild"


async def rebuild(runtime: Runtime, read_model: ReadModel, report: Report | None = None) -> int:
    """Rebuilds a read model beside the live one and switches; returns how many events it took."""
    schema = rebuild_schema(read_model)
    await _create(runtime, read_model, schema)
    async with replay(runtime, read_model, schema) as beside:
        await beside.catch_up(report)
        async with runtime.connection() as db, db.transaction():
            held = await _hold(db, read_model.schema)
            await beside.catch_up_with(held)
            await _switch(db, read_model.schema, schema)
        return beside.taken


async def differences(runtime: Runtime, read_model: ReadModel) -> dict[str, int]:
    """Builds a read model anew beside the live one, up to the same place, and counts the rows that differ, by table.

    Only tables with differences are named: an empty answer is a proof of promise 5. The live one is held meanwhile
    at its end, for as long as the last events take.
    """
    schema = f"{read_model.schema}__check"
    await discard(runtime, schema)
    await _create(runtime, read_model, schema)
    try:
        async with replay(runtime, read_model, schema) as beside:
            await beside.catch_up()
            async with runtime.connection() as db, db.transaction():
                held = await _hold(db, read_model.schema)
                # The live one may be behind what the new one has taken: let it catch up first.
                ahead = await _progress(db, schema)
                if any(mark.position > held.get(key, Mark()).position for key, mark in ahead.items()):
                    raise Behind(f"{read_model.name} is behind; verify again when it has caught up")
                await beside.catch_up_with(held)
                return await _compare(db, read_model.schema, schema)
    finally:
        await discard(runtime, schema)


class Behind(Exception):
    """The live read model has not taken all events yet, so it cannot be compared."""


async def discard(runtime: Runtime, schema: str) -> None:
    """Throws away the tables and the progress of a schema."""
    async with runtime.connection() as db, db.transaction():
        await db.execute(f'drop schema if exists "{schema}" cascade')
        for table in ("progress", "parked"):
            await db.execute(f"delete from log.{table} where consumer = $1", schema)  # noqa: S608
        await db.execute("delete from log.read_models where schema = $1", schema)


async def _create(runtime: Runtime, read_model: ReadModel, schema: str) -> None:
    async with runtime.connection() as db:
        await create_tables(db, read_model, schema)


async def _progress(db: Connection, consumer: str, lock: str = "") -> Progress:
    rows = await db.fetch(
        f"""select source, partition, next_offset, incarnation, tx, position from log.progress
            where consumer = $1 order by source, partition {lock}""",  # noqa: S608
        consumer,
    )
    return {(row[0], row[1]): Mark(row[2], Position(row[3], row[4], row[5])) for row in rows}


async def _hold(db: Connection, consumer: str) -> Progress:
    """The consumer's progress, which nobody can advance until the transaction ends."""
    return await _progress(db, consumer, "for update")


async def _switch(db: Connection, live: str, beside: str) -> None:
    await db.execute(f'drop schema "{live}" cascade')
    await db.execute(f'alter schema "{beside}" rename to "{live}"')
    for table in ("progress", "parked"):
        await db.execute(f"delete from log.{table} where consumer = $1", live)  # noqa: S608
        await db.execute(f"update log.{table} set consumer = $1 where consumer = $2", live, beside)  # noqa: S608
    await db.execute("delete from log.read_models where schema = $1", beside)
    await db.execute(
        "update log.read_models set created_at = clock_timestamp(), caught_up_at = clock_timestamp() where schema = $1",
        live,
    )


async def _compare(db: Connection, live: str, beside: str) -> dict[str, int]:
    tables = await db.fetch("select tablename from pg_tables where schemaname = $1 order by tablename", live)
    found: dict[str, int] = {}
    for (table,) in tables:
        differing = await db.fetchval(
            f"""select count(*) from (
                (select to_jsonb(a)::text from "{live}"."{table}" a
                 except all select to_jsonb(b)::text from "{beside}"."{table}" b)
                union all
                (select to_jsonb(b)::text from "{beside}"."{table}" b
                 except all select to_jsonb(a)::text from "{live}"."{table}" a)
            ) as differing"""  # noqa: S608
        )
        if differing:
            found[table] = differing
    return found
