"""Parking: one bad event stops nothing else (promise 6).

An event that a consumer cannot take is set aside with its error, and so are later events of the same stream, in order.
Everything else goes on. An operator lists, inspects, retries or drops.
"""

import traceback
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args

import asyncpg
from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from events.aggregate import Refused
from events.event import Position, Raw
from events.freshness import NotYet
from events.kafka import KafkaError
from events.read_model import Connection, Database
from events.store import Conflict
from events.telemetry import parked_count

_REPEATING = {
    "value_error",
    "assertion_error",
    "union_tag_invalid",
    "uuid_parsing",
    "url_parsing",
    "url_syntax_violation",
    "get_attribute_error",
    "iteration_error",
    "mapping_type",
}
"""Kinds of errors whose messages may repeat (some of) the value. So may those that are not pydantic's own."""

_TELLING: set[str] = {*get_args(ErrorType)} - _REPEATING

BEHIND = "behind an earlier event of its stream"

_TRANSIENT = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    OSError,
    TimeoutError,
    Conflict,
    NotYet,
)


def is_transient(error: Exception) -> bool:
    """Whether it is an error of the moment, not of the event: try again, do not park."""
    return isinstance(error, _TRANSIENT)


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that was set aside, for an operator to look at."""

    id: int
    consumer: str
    source: str
    partition: int
    raw: Raw
    error: str
    parked_at: datetime


def describe(error: BaseException) -> str:
    """What went wrong, without the values that it went wrong with: they may be personal."""
    if isinstance(error, ValidationError):
        where = "; ".join(
            f"{_field(e['loc'])}: {e['msg'] if e['type'] in _TELLING else e['type']}"
            for e in error.errors(include_input=False, include_url=False)
        )
        return f"ValidationError: {where}"
    if isinstance(error, asyncpg.PostgresError):
        place = error.constraint_name or error.column_name or error.table_name or ""
        return f"{type(error).__name__}: {error.sqlstate} {place}".strip()
    if isinstance(error, KafkaError):
        return str(error)  # it begins with its name
    if isinstance(error, (Refused, OSError)) or type(error).__module__.startswith("events."):
        return f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f"{type(error).__name__} in {Path(own[-1].filename).name}:{own[-1].lineno}" if own else type(error).__name__


def _field(loc: tuple[int | str, ...]) -> str:
    """Where in the event it is: the field, and places in lists, but no key of a mapping, which may be a name."""
    return ".".join(str(part) for nth, part in enumerate(loc) if nth == 0 or isinstance(part, int))


async def streams(db: Database, consumer: str) -> set[tuple[str, str]]:
    """The (source, stream) pairs of which something is parked."""
    rows = await db.fetch("select distinct source, stream from log.parked where consumer = $1", consumer)
    return {(row[0], row[1]) for row in rows}


async def counts(db: Database) -> dict[str, int]:
    """How much is parked for each consumer: events, and a policy's timers that were tried in vain."""
    rows = await db.fetch(
        """select consumer, count(*) from (
             select consumer from log.parked union all select policy from log.timers where claimed_until = 'infinity'
           ) as it group by consumer order by consumer"""
    )
    return dict(rows)


async def still_parked(db: Connection, consumer: str, source: str, stream: str) -> bool:
    """Whether something of this stream is parked, and if so keeps it until the transaction's end."""
    return bool(
        await db.fetch(
            "select id from log.parked where consumer = $1 and source = $2 and stream = $3 for update",
            consumer,
            source,
            stream,
        )
    )


async def park(db: Connection, consumer: str, source: str, partition: int, raw: Raw, error: str) -> None:
    """Sets the event aside. A second time changes nothing."""
    await db.execute(
        """
        insert into log.parked (consumer, source, partition, stream, version, type, data, recorded_at,
                                incarnation, tx, position, actor, correlation, causation, traceparent, error)
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
        where not exists (
            select from log.parked where consumer = $1 and source = $2 and partition = $3 and stream = $4
              and (incarnation, tx, position) = ($9, $10, $11)
        )""",
        consumer,
        source,
        partition,
        raw.stream,
        raw.version,
        raw.type,
        raw.data,
        raw.recorded_at,
        *raw.position,
        raw.actor,
        raw.correlation,
        raw.causation,
        raw.traceparent,
        error,
    )
    parked_count.add(1, {"consumer": consumer})


SELECT = """select id, consumer, source, partition, incarnation, tx, position, stream, version, type, data, recorded_at,
    actor, correlation, causation, traceparent, error, parked_at from log.parked"""


async def listed(db: Database, consumer: str | None = None, limit: int = 1000) -> list[Parked]:
    """What is parked, oldest first."""
    rows = await db.fetch(f"{SELECT} where $1::text is null or consumer = $1 order by id limit $2", consumer, limit)
    return [parked_of(row) for row in rows]


async def of_stream(db: Connection, consumer: str, source: str, stream: str) -> list[Parked]:
    """What is parked of one stream, in order, kept until the transaction's end."""
    rows = await db.fetch(
        f"{SELECT} where consumer = $1 and source = $2 and stream = $3 order by id for update", consumer, source, stream
    )
    return [parked_of(row) for row in rows]


async def remove(db: Connection, ids: list[int]) -> None:
    """Takes events off the parking place."""
    await db.execute("delete from log.parked where id = any($1)", ids)


def parked_of(row: asyncpg.Record) -> Parked:
    """What is parked, from a row of SELECT."""
    raw = Raw(
        Position(row["incarnation"], row["tx"], row["position"]),
        row["stream"],
        row["version"],
        row["type"],
        row["data"],
        row["recorded_at"],
        row["actor"],
        row["correlation"],
        row["causation"],
        row["traceparent"],
    )
    return Parked(row["id"], row["consumer"], row["source"], row["partition"], raw, row["error"], row["parked_at"])
