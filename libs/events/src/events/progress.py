"""How far each consumer has come in each source and partition, advanced by compare-and-swap.

A mark holds the Kafka offset to read next and the store position of the last applied event. The relay sends in store
order, so whatever stands at or below the mark's position is a repeat, and is dropped (promise 4).
"""

# pyright: reportPrivateUsage=false

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import asyncpg
from asyncpg.transaction import TransactionState

from events.event import START, Position, Raw
from events.read_model import Connection, Database

OWN = ""
"""The source that is the service's own store; every other source is a topic."""

RELAY = "relay"
"""The consumer that brings the store's events to Kafka."""


class Mark(NamedTuple):
    """How far a consumer has come in one partition of a source."""

    next_offset: int = 0
    position: Position = START


class Chunk(NamedTuple):
    """Events of one partition of a source, and the marks before and after them."""

    source: str
    partition: int
    before: Mark
    after: Mark
    raws: Sequence[Raw]

    def fresh(self) -> Sequence[Raw]:
        """The events without repeats."""
        position = self.before.position
        if not self.raws or (self.raws[0].position > position and _rising(self.raws)):
            return self.raws
        fresh: list[Raw] = []
        for raw in self.raws:
            if raw.position > position:
                position = raw.position
                fresh.append(raw)
            elif raw.version == 0 and raw.position.number >= self.before.next_offset:  # unreadable: known by its offset
                fresh.append(raw)
        return fresh


def _rising(raws: Sequence[Raw]) -> bool:
    return all(one.position < other.position for one, other in pairwise(raws))


class Overtaken(Exception):
    """Somebody else advanced this progress: this process no longer owns the partition. Its work is rolled back."""


async def marks(db: Database, consumer: str, source: str, partitions: Sequence[int]) -> Mapping[int, Mark]:
    """The marks of these partitions; rows that are missing are begun at the start."""
    rows = await db.fetch(
        """
        with begun as (
            insert into log.progress (consumer, source, partition)
            select $1, $2, p from unnest($3::int[]) p order by p
            on conflict do nothing
        )
        select partition, next_offset, incarnation, tx, position
        from log.progress where consumer = $1 and source = $2 and partition = any($3)
        """,
        consumer,
        source,
        list(partitions),
    )
    found = {row[0]: Mark(row[1], Position(row[2], row[3], row[4])) for row in rows}
    return {partition: found.get(partition, Mark()) for partition in partitions}


NOT_DURABLE = "set local synchronous_commit = off; "


@asynccontextmanager
async def advancing(
    db: Connection, consumer: str, chunks: Sequence[Chunk], built_at: datetime | None, *, durable: bool = True
) -> AsyncGenerator[None]:
    """A transaction that begins by moving the marks, in the round trip of its BEGIN. Raises as `advance` does."""
    transaction = db.transaction()
    try:
        await _moved(db, f"begin; {'' if durable else NOT_DURABLE}{_move(consumer, chunks, built_at)}")
    except BaseException:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await db.execute("rollback")
        raise
    # asyncpg is told that its transaction has begun, so that handlers can nest others in it.
    db._top_xact, transaction._state = transaction, TransactionState.STARTED
    try:
        yield
    except BaseException:
        await transaction.rollback()
        raise
    await transaction.commit()


async def advance(
    db: Connection,
    consumer: str,
    chunks: Sequence[Chunk],
    built_at: datetime | None = None,
    *,
    durable: bool = True,
) -> None:
    """Moves the marks from before to after; raises Overtaken if one is not where it was. If it need not be durable,
    nobody waits for the disk: should the server crash in the next moment, the marks are where they were."""
    await _moved(db, f"{'' if durable else NOT_DURABLE}{_move(consumer, chunks, built_at)}")


async def _moved(db: Connection, statement: str) -> None:
    try:
        await db.execute(statement)
    except asyncpg.PostgresError as error:
        if error.sqlstate == "CG004":
            raise Overtaken(str(error)) from error
        raise


def _move(consumer: str, chunks: Sequence[Chunk], built_at: datetime | None) -> str:
    """The statement, its values written out: with parameters, it could not go together with a BEGIN."""
    before, after = zip(*((chunk.before, chunk.after) for chunk in chunks), strict=True)
    arguments = (
        _literal(consumer),
        _literal(str(built_at)) if built_at else "null",
        _array("text", (_literal(chunk.source) for chunk in chunks)),
        _array("integer", (chunk.partition for chunk in chunks)),
        *_columns(before),
        *_columns(after),
    )
    return f"select log.advance({', '.join(arguments)})"


def _columns(of: Sequence[Mark]) -> tuple[str, str, str, str]:
    return (
        _array("bigint", (mark.next_offset for mark in of)),
        _array("integer", (mark.position.incarnation for mark in of)),
        _array("xid8", (_literal(str(mark.position.tx)) for mark in of)),
        _array("bigint", (mark.position.number for mark in of)),
    )


def _array(of: str, elements: Iterable[object]) -> str:
    return f"array[{', '.join(map(str, elements))}]::{of}[]"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
