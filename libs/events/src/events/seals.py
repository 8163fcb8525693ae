"""Seals: the chain's head, kept and published every minute, where nobody rewrites it from the database.

Made behind the appends, by whoever reads the store, and only as far as the relay's mark: what a seal vouches for is on
the topics. So a store that is brought back from a backup gets all of it back, row by row as it was, and fits its seals.
(They have nothing to do with sealed personal fields, which `privacy` is about.)
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from events import chain, store
from events.chain import Head
from events.clock import Clock
from events.event import Position, Raw
from events.kafka import Partition, Producer
from events.progress import OWN, RELAY, marks
from events.read_model import Connection, Database
from events.service import Service
from events.settings import Settings

EVERY = timedelta(minutes=1)
CHUNK = 500
"""Rows that are chained without a pause: a few milliseconds' work, and then others have their turn."""
AT_THE_END = 2.0
"""Seconds that the last seal may take when the process is to stop."""
STREAM = "seals"


class Seal(NamedTuple):
    """The chain's head at a moment. `number` counts a service's seals."""

    number: int
    head: Head
    at: datetime

    def raw(self, service: str) -> Raw:
        """As it goes to its topic: like an event, with the position that it vouches up to."""
        data = {
            "position": str(self.head.position),
            "count": self.head.rows,
            "hash": self.head.hash.hex(),
            "at": self.at,
        }
        return Raw(self.head.position, STREAM, self.number, _type(service), orjson.dumps(data), self.at)

    @classmethod
    def of(cls, raw: Raw, service: str) -> "Seal":
        """From its message; raises ValueError if it is none of this service."""
        if (raw.stream, raw.type) != (STREAM, _type(service)):
            raise ValueError("not a seal")
        try:
            said = orjson.loads(raw.data)
            head = Head(Position.parse(said["position"]), int(said["count"]), bytes.fromhex(said["hash"]))
            return cls(raw.version, head, datetime.fromisoformat(said["at"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a seal") from error


def _type(service: str) -> str:
    return f"commongrid.{service}.seals.published.v1"


async def keep_sealing(
    db: Connection, service: Service, settings: Settings, clock: Clock, every: timedelta = EVERY
) -> None:
    """Seals and publishes at these intervals until cancelled, and once more then; or until Kafka or Postgres fail."""
    topic = service.seals(settings.topic_prefix)
    producer = Producer(service, settings)
    try:
        await producer.start([topic], partitions=1)
        try:
            while True:
                await publish(db, producer, service, topic)
                await asyncio.sleep(_seconds_left(await last(db), clock(), every))
                await seal(db, service, clock())
        except asyncio.CancelledError:
            with suppress(Exception):  # what is not sealed now will be, by whoever reads the store next
                async with asyncio.timeout(AT_THE_END):
                    await seal(db, service, clock(), if_anything_is_new=True)
                    await publish(db, producer, service, topic)
            raise
    finally:
        await producer.stop()


def _seconds_left(before: Seal | None, now: datetime, every: timedelta) -> float:
    due = before.at + every if before else now + every
    return max(0.0, min(due - now, every).total_seconds())  # a clock may have been set back


async def seal(db: Connection, service: Service, at: datetime, *, if_anything_is_new: bool = False) -> None:
    """Seals what has been sent by now. Raises UniqueViolationError if somebody else has sealed meanwhile."""
    before = await last(db)
    begun = before.head if before else chain.beginning(service.name)
    head = await _chained(db, begun)
    if if_anything_is_new and head == begun:
        return
    await _insert(db, [Seal(before.number + 1 if before else 1, head, at)])


async def _chained(db: Database, head: Head) -> Head:
    """The head, brought up to the relay's mark."""
    sent = (await marks(db, RELAY, OWN, [0]))[0].position
    while raws := [raw for raw in await store.read_after(db, head.position, CHUNK) if raw.position <= sent]:
        head = head.after(raws)
        await asyncio.sleep(0)
    return head


async def publish(db: Connection, producer: Producer, service: Service, topic: str) -> None:
    """Publishes what has not been. Who is interrupted publishes it again, which says the same twice."""
    unpublished = "where published_at is null order by number limit 1000"
    while seals := await _read(db, unpublished):
        await producer.send((Partition(topic, 0), it.raw(service.name)) for it in seals)
        await db.execute(
            "update log.seals set published_at = clock_timestamp() where number = any($1)", [it.number for it in seals]
        )


async def take_back(db: Connection, published: Sequence[Seal]) -> None:
    """After a restore: the seals of after the backup, so that their numbers go on."""
    before = await last(db)
    later = {it.number: it for it in published if before is None or it.number > before.number}
    await _insert(db, list(later.values()))
    await db.execute("update log.seals set published_at = clock_timestamp() where number = any($1)", list(later))


async def last(db: Database) -> Seal | None:
    """The newest seal, published or not."""
    return next(iter(await _read(db, "order by number desc limit 1")), None)


async def age(db: Database) -> float | None:
    """Seconds since a seal was last published; None if none ever was."""
    return await db.fetchval(
        """select extract(epoch from clock_timestamp() - published_at)::float8 from log.seals
           where published_at is not null order by number desc limit 1"""
    )


async def kept(db: Database, *, published: bool = False) -> list[Seal]:
    """The seals in the database; only those that it holds as published, if so asked."""
    return await _read(db, f"{'where published_at is not null ' if published else ''}order by number")


async def _read(db: Database, which: str) -> list[Seal]:
    rows = await db.fetch(f"select number, incarnation, tx, position, count, hash, at from log.seals {which}")  # noqa: S608
    return [Seal(row[0], Head(Position(row[1], row[2], row[3]), row[4], row[5]), row[6]) for row in rows]


async def _insert(db: Connection, seals: Sequence[Seal]) -> None:
    await db.executemany(
        """insert into log.seals (number, incarnation, tx, position, count, hash, at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        [(it.number, *it.head.position, it.head.rows, it.head.hash, it.at) for it in seals],
    )
