"""How far each consumer has come in each source and partition, advanced by compare-and-swap.

A mark holds the Kafka offset to read next and the store position of the last applied event. The relay sends in store
order, so whatever stands at or below the mark's position is a repeat, and is dropped (promise 4).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

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


ADVANCE = """
update log.progress p
set next_offset = n.next_offset, incarnation = n.incarnation, tx = n.tx, position = n.position,
    updated_at = clock_timestamp()
from unnest($2::text[], $3::int[], $4::bigint[], $5::int[], $6::xid8[], $7::bigint[],
            $8::bigint[], $9::int[], $10::xid8[], $11::bigint[])
     as n(source, partition, old_offset, old_incarnation, old_tx, old_position,
          next_offset, incarnation, tx, position)
where p.consumer = $1 and p.source = n.source and p.partition = n.partition
  and (p.next_offset, p.incarnation, p.tx, p.position)
    = (n.old_offset, n.old_incarnation, n.old_tx, n.old_position)"""


async def advance(db: Connection, consumer: str, chunks: Sequence[Chunk]) -> None:
    """Moves the marks from before to after, in the caller's transaction; raises Overtaken if one is not where
    it was."""
    before = [chunk.before for chunk in chunks]
    after = [chunk.after for chunk in chunks]
    status = await db.execute(
        ADVANCE,
        consumer,
        [chunk.source for chunk in chunks],
        [chunk.partition for chunk in chunks],
        *_columns(before),
        *_columns(after),
    )
    if status != f"UPDATE {len(chunks)}":
        raise Overtaken(f"{consumer} was advanced by somebody else")


def _columns(of: Sequence[Mark]) -> tuple[list[int], list[int], list[int], list[int]]:
    return (
        [mark.next_offset for mark in of],
        [mark.position.incarnation for mark in of],
        [mark.position.tx for mark in of],
        [mark.position.number for mark in of],
    )
