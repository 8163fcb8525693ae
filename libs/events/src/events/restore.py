"""Bringing a store back after its database was restored from a backup (promise 12).

What had reached the topics is taken back from there, at its old positions. The store's incarnation is raised, so that
what is appended from now on comes after all that consumers have ever seen. Seals vouch only for what had reached the
topics, so the log fits them again; they are taken back as well. What never reached a topic is gone with the
lost database: nobody else has seen it either.

To be run while the service is stopped. Run again, it changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from events import seals
from events.event import Position, Raw
from events.policy import Cancel, Timer
from events.progress import OWN, RELAY, marks
from events.read_model import Connection
from events.runtime import STORE_LEASE, Runtime
from events.verify import everything, published_seals, reading
from events.wire import UNREADABLE


class StillRunning(Exception):
    """A process of the service is at work on this store: stop it first."""


class TwoHistories(Exception):
    """The store and a topic hold different events for the same version of a stream: somebody appended after the
    restore and before this command. The operator must decide; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back: how many events came from the topics, and the store's new incarnation."""

    events: int
    incarnation: int


async def restore(runtime: Runtime) -> Restored:
    """Takes the missing tail back from the topics and raises the incarnation, in one transaction."""
    async with runtime.connection() as db:
        busy = await db.fetchval(
            "select holder from log.leases where name = $1 and expires_at > clock_timestamp()", STORE_LEASE
        )
        if busy:
            raise StillRunning(f"a process of {runtime.service.name} is at work on this store: stop it, then restore")
        tail = await _tail(runtime, db)
        sealed = await published_seals(runtime)
        async with db.transaction():
            await db.execute("lock table log.events in exclusive mode")
            await _take_back(db, tail)
            incarnation = await db.fetchval("update log.store set incarnation = incarnation + 1 returning incarnation")
            await db.execute(
                """select setval(pg_get_serial_sequence('log.events', 'position'), max(position))
                   from log.events having count(*) > 0"""
            )
            await _set_timers(runtime, db, tail)
            await _mark_as_sent(db, tail)
            await seals.take_back(db, sealed)
        return Restored(len(tail), incarnation)


async def _tail(runtime: Runtime, db: Connection) -> list[Raw]:
    """The events on the topics that the store lacks, in their order, without repeats."""
    lacking: dict[tuple[str, int], Raw] = {}
    conflicts: list[str] = []
    async with reading(runtime, runtime.service.topics(runtime.settings.topic_prefix)) as reader:
        async for messages in everything(reader):
            raws = [raw for raw in messages if raw.type != UNREADABLE]
            rows = await db.fetch(
                """select stream, version, incarnation, tx, position from log.events
                   join unnest($1::text[], $2::int[]) as n(stream, version) using (stream, version)""",
                [raw.stream for raw in raws],
                [raw.version for raw in raws],
            )
            stored = {(row[0], row[1]): Position(row[2], row[3], row[4]) for row in rows}
            for raw in raws:
                position = stored.get((raw.stream, raw.version))
                if position is None:
                    lacking.setdefault((raw.stream, raw.version), raw)
                elif position != raw.position:
                    conflicts.append(raw.id)
    if conflicts:
        raise TwoHistories(
            f"{len(conflicts)} events stand in the store and on the topic with different positions, such as "
            f"{conflicts[0]}: they were appended after the backup was brought back; see docs/operators.md"
        )
    return sorted(lacking.values(), key=lambda raw: raw.position)


async def _take_back(db: Connection, tail: Sequence[Raw]) -> None:
    await db.executemany(
        """insert into log.events (incarnation, tx, position, stream, version, type, data, recorded_at,
                                   actor, correlation, causation, traceparent)
           overriding system value values ($1, $2, $3, $4, $5, $6, $7::text::json, $8, $9, $10, $11, $12)""",
        [
            (
                *raw.position,
                raw.stream,
                raw.version,
                raw.type,
                raw.data.decode(),
                raw.recorded_at,
                raw.actor,
                raw.correlation,
                raw.causation,
                raw.traceparent,
            )
            for raw in tail
        ],
    )


async def _set_timers(runtime: Runtime, db: Connection, tail: Sequence[Raw]) -> None:
    """The timers that these events set and cancelled: they are a pure function of the events."""
    for raw in await runtime.personal.open(tail):
        event = runtime.service.catalogue.decode(raw)
        for policy in runtime.service.policies:
            rule = policy.timer_rules.get(type(event))
            match rule(event) if rule else None:
                case Timer(name, due):
                    await db.execute(
                        """insert into log.timers (policy, stream, name, due, causation, correlation, traceparent)
                           values ($1, $2, $3, $4, $5, $6, $7)
                           on conflict (policy, stream, name) do update set due = excluded.due, attempts = 0,
                               claimed_until = '-infinity', error = null, causation = excluded.causation,
                               correlation = excluded.correlation, traceparent = excluded.traceparent""",
                        policy.name,
                        raw.stream,
                        name,
                        due,
                        raw.id,
                        raw.correlation,
                        raw.traceparent,
                    )
                case Cancel(name):
                    await db.execute(
                        "delete from log.timers where (policy, stream, name) = ($1, $2, $3)",
                        policy.name,
                        raw.stream,
                        name,
                    )
                case None:
                    pass


async def _mark_as_sent(db: Connection, tail: Sequence[Raw]) -> None:
    """What came from the topics need not be sent again; what the backup held unsent before it will be, and dropped by
    position where consumers have had it."""
    if not tail:
        return
    mark = (await marks(db, RELAY, OWN, [0]))[0]
    unsent = await db.fetchval(
        """select count(*) from log.events
           where (incarnation, tx, position) > ($1, $2, $3) and (incarnation, tx, position) < ($4, $5, $6)""",
        *mark.position,
        *tail[0].position,
    )
    if unsent == 0:
        await db.execute(
            "update log.progress set incarnation = $3, tx = $4, position = $5 where consumer = $1 and source = $2",
            RELAY,
            OWN,
            *tail[-1].position,
        )
