"""The event store: append and load, each in one round trip.

Relies on `migrations`, whose function `log.append` keeps promises 1 and 3: events, idempotency
key and timers commit together or not at all; a concurrent change of a stream is refused; positions are in an order
that no late commit can slip behind.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple

import asyncpg
import orjson

from events.event import Event, Position, Raw, encode
from events.privacy.codec import seal_event
from events.privacy.sealing import PersonKey
from events.privacy.vault import Wrapped
from events.read_model import Database

MAX_EVENT_BYTES = 800_000
"""Kafka takes messages of up to 1 MiB by default; an event above this would block its relay, so it is refused."""


class Conflict(Exception):
    """Somebody else changed the stream since it was loaded. Load it again and decide anew."""


class KeyUsed(Exception):
    """The idempotency key has been used: the command took effect before (or its twin just did)."""


class KeysMade(Exception):
    """Somebody else made a person's key meanwhile (or destroyed it before): seal with that one."""


class TimerGone(Exception):
    """The timer was taken, moved or cancelled by somebody else meanwhile; nothing was appended."""


class EventTooLarge(ValueError):
    def __init__(self, event: Event, size: int) -> None:
        super().__init__(
            f"{event.type_name} would be {size} bytes, at most {MAX_EVENT_BYTES} can be sent on; "
            "keep large content elsewhere and put a reference and its hash into the event"
        )


@dataclass(frozen=True, slots=True)
class Context:
    """Who caused an event and why: `actor` is a pseudonymous id; `correlation` is shared by all that one
    request led to; `causation` is the event or command that directly led to it."""

    actor: str | None = None
    correlation: str | None = None
    causation: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key, unique for its caller, with the fingerprint of what was asked."""

    value: str
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class Fired:
    """The timer that led to a command: it goes in the same transaction."""

    id: int
    due: datetime


@dataclass(frozen=True, slots=True)
class TimerChange:
    """A timer to set, or to cancel where `due` is None."""

    policy: str
    stream: str
    name: str
    due: datetime | None
    causation: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier command with the same key was answered."""

    fingerprint: bytes
    outcome: Any
    stream: str
    position: Position


class Encoded(NamedTuple):
    """An event as it goes into the store."""

    stream: str
    version: int
    type: str
    data: str
    event: Event


NO_KEYS: Mapping[str, PersonKey] = {}


@dataclass(slots=True)
class Appending:
    """What one command writes, on whose behalf and why. `expected` holds each touched stream's version before (0: the
    stream is new). With a `key` there must be an event. `new_keys` are those of persons who had none, by subject."""

    context: Context = field(default_factory=Context)
    key: Key | None = None
    outcome: Any = None
    fired: Fired | None = None
    expected: dict[str, int] = field(default_factory=dict[str, int])
    events: list[Encoded] = field(default_factory=list[Encoded])
    timers: list[TimerChange] = field(default_factory=list[TimerChange])
    new_keys: Mapping[str, Wrapped] = field(default_factory=dict[str, Wrapped])

    def add(self, stream: str, version: int, events: Sequence[Event], keys: Mapping[str, PersonKey] = NO_KEYS) -> None:
        """Adds events after `version` of a stream, their personal fields sealed with these keys; a stream may be added
        once. Raises EventTooLarge."""
        if stream in self.expected:
            raise ValueError(f"stream {stream} is in this append already")
        self.expected[stream] = version
        for event in events:
            version += 1
            data = seal_event(event, stream, version, keys) if event.personal else encode(event)
            if len(data) * 4 > MAX_EVENT_BYTES and len(data.encode()) > MAX_EVENT_BYTES:
                raise EventTooLarge(event, len(data.encode()))
            self.events.append(Encoded(stream, version, event.type_name, data, event))


APPEND = """select incarnation, tx, numbers
from log.append($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)"""

APPEND_WITH_KEYS = """select incarnation, tx, numbers
from log.append_with_keys($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20)"""


async def append(db: Database, appendings: Sequence[Appending]) -> list[Position]:
    """Commits the events, keys and timers of all of them, or nothing; returns the position of each one's last event.

    No two may touch the same stream, or make the same person's key. Raises Conflict, KeyUsed, KeysMade or TimerGone. It
    must be the first write of its transaction.
    """
    streams, versions, types, data, _ = zip(*(event for one in appendings for event in one.events), strict=True)
    contexts = [context for one in appendings for context in [one.context] * len(one.events)]
    last = list(accumulate(len(one.events) for one in appendings))
    keys = [(one.key, one.outcome, place) for one, place in zip(appendings, last, strict=True) if one.key]
    fired = [one.fired for one in appendings if one.fired]
    timers = [
        {
            "policy": timer.policy,
            "stream": timer.stream,
            "name": timer.name,
            "due": timer.due,
            "causation": timer.causation,
            "correlation": one.context.correlation,
            "traceparent": one.context.traceparent,
        }
        for one in appendings
        for timer in one.timers
    ]
    new = [(subject, it.data, it.kek) for one in appendings for subject, it in one.new_keys.items()]
    try:
        row = await db.fetchrow(
            APPEND_WITH_KEYS if new else APPEND,
            streams,
            versions,
            types,
            data,
            [context.actor for context in contexts],
            [context.correlation for context in contexts],
            [context.causation for context in contexts],
            [context.traceparent for context in contexts],
            [stream for one in appendings for stream in one.expected],
            [version for one in appendings for version in one.expected.values()],
            [key.value for key, _, _ in keys] or None,
            [key.fingerprint for key, _, _ in keys] or None,
            [orjson.dumps(outcome).decode() for _, outcome, _ in keys] or None,
            [place for _, _, place in keys] or None,
            [it.id for it in fired] or None,
            [it.due for it in fired] or None,
            orjson.dumps(timers).decode() if timers else None,
            *(zip(*new, strict=True) if new else ()),
        )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == "commands_key":
            raise KeyUsed from error
        if error.constraint_name == "person_keys_subject":
            raise KeysMade from error
        raise Conflict from error
    except asyncpg.DeadlockDetectedError as error:  # two appends touched the same streams in different orders
        raise Conflict from error
    except asyncpg.PostgresError as error:
        if error.sqlstate == "CG409":
            raise Conflict from error
        if error.sqlstate == "CG003":
            raise TimerGone from error
        raise
    incarnation, tx, numbers = row  # type: ignore[misc]  # a function always gives a row
    return [Position(incarnation, tx, numbers[place - 1]) for place in last]


COLUMNS = """incarnation, tx, position, stream, version, type, data::text, recorded_at,
    actor, correlation, causation, traceparent"""

LOAD = f"select {COLUMNS} from log.events where stream = $1 order by version"  # noqa: S608

LOAD_MANY = f"select {COLUMNS} from log.load($1)"  # noqa: S608

LOAD_WITH_KEYS = f"select {COLUMNS}, kek, wrapped, destroyed_at from log.load_with_keys($1)"  # noqa: S608

# Below the oldest running transaction nothing can appear any more. Events of an earlier incarnation were given their
# transaction ids by another server's counter (a dump) or before a restore: they are all settled.
AFTER = f"""
select {COLUMNS} from log.events
where (incarnation, tx, position) > ($1, $2, $3)
  and (tx < pg_snapshot_xmin(pg_current_snapshot()) or incarnation < (select s.incarnation from log.store s))
order by incarnation, tx, position
limit $4"""  # noqa: S608


def raw_of(row: Sequence[Any]) -> Raw:
    """An event from a row of COLUMNS."""
    return Raw(
        Position(row[0], row[1], row[2]),
        row[3],
        row[4],
        row[5],
        row[6].encode(),
        row[7],
        row[8],
        row[9],
        row[10],
        row[11],
    )


async def load(db: Database, stream: str) -> list[Raw]:
    """The events of a stream, first to last; none if there is no such stream."""
    return [raw_of(row) for row in await db.fetch(LOAD, stream)]


async def load_many(db: Database, streams: Iterable[str]) -> dict[str, list[Raw]]:
    """The events of several streams; streams without events are left out."""
    found: dict[str, list[Raw]] = {}
    for row in await db.fetch(LOAD_MANY, list(streams)):
        found.setdefault(row["stream"], []).append(raw_of(row))
    return found


async def load_with_keys(
    db: Database, streams: Iterable[str]
) -> tuple[dict[str, list[Raw]], dict[str, Wrapped | None]]:
    """The same, and the keys of those whose streams they are: None where it was destroyed."""
    found: dict[str, list[Raw]] = {}
    keys: dict[str, Wrapped | None] = {}
    for row in await db.fetch(LOAD_WITH_KEYS, list(streams)):
        found.setdefault(row["stream"], []).append(raw_of(row))
        if row["wrapped"] or row["destroyed_at"]:
            keys[row["stream"]] = Wrapped(row["kek"], row["wrapped"]) if row["wrapped"] else None
    return found, keys


async def read_after(db: Database, position: Position, limit: int) -> list[Raw]:
    """The next events of the whole store, in its order, as far as nothing can slip in before them any more."""
    return [raw_of(row) for row in await db.fetch(AFTER, *position, limit)]


async def earlier(db: Database, key: Key) -> Earlier | None:
    """What the command with this key was answered, if there was one."""
    row = await db.fetchrow(
        "select fingerprint, outcome::text, stream, incarnation, tx, position from log.commands where key = $1",
        key.value,
    )
    if row is None:
        return None
    return Earlier(row[0], orjson.loads(row[1]), row[2], Position(row[3], row[4], row[5]))


def trace_of(context: Context, traceparent: str | None) -> Context:
    """The context with the current trace, unless it names one."""
    return context if context.traceparent else replace(context, traceparent=traceparent)
