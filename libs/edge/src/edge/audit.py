"""The audit log of a service: its pages as events, and the read model that shows them.

A page is a stream that is written once: nothing has to be loaded for it, and no two processes write the same one. What
other events of the service tell of (a power was listed, a member appointed) is not told twice: the read model follows
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal, TypedDict, Unpack

from contracts.audit import Act, ActDone, ActRefused
from events import Aggregate, Batch, Commands, Conflict, Connection, Database, Event, ReadModel
from pydantic import BaseModel

from edge.ids import new_id

READ = "audit.read"
"""The power to read it."""

TABLES = """
create table entry (
    at timestamptz not null,
    id text collate "C" not null,
    outcome text not null,
    actor text collate "C",
    client text,
    power text,
    act text not null,
    thing text,
    purpose text,
    reason text,
    status integer,
    times integer not null,
    until timestamptz not null,
    trace text,
    primary key (at, id)
);
create index entry_actor on entry (actor, at, id);
"""


class Entry(BaseModel):
    """An act that was refused, or a privileged one that was done."""

    id: str
    at: datetime
    outcome: Literal["refused", "done"]
    actor: str | None
    client: str | None
    power: str | None
    act: str
    thing: str | None
    purpose: str | None
    reason: str | None
    status: int | None
    times: int
    until: datetime
    trace: str | None


class About(TypedDict, total=False):
    """What an entry says beside what was done and when."""

    actor: str | None
    client: str | None
    power: str | None
    thing: str | None
    purpose: str | None
    trace: str | None


@dataclass(frozen=True)
class Audit:
    """What a service needs to have one: the types that it publishes, and those of its other events that are privileged
    acts by themselves."""

    refused: type[ActRefused]
    done: type[ActDone]
    also: Sequence[type[Event]] = ()

    @cached_property
    def aggregate(self) -> Aggregate[None, Sequence[Act]]:
        """Its pages."""
        return Aggregate("audit", None, _as_they_are, _unchanged, (self.refused, self.done))

    @cached_property
    def read_model(self) -> ReadModel:
        """Its entries, by time and by actor."""
        log = ReadModel("audit", TABLES)
        log.on(self.refused)(_refused)
        log.on(self.done)(_done)
        for cls in self.also:
            log.on(cls)(_told)
        return log

    async def write(self, commands: Commands, page: str, entries: Sequence[Act]) -> None:
        """Writes a page. Again, it changes nothing: so whoever does not know whether they have may try again."""
        try:
            await commands.execute(self.aggregate, page, entries, new=True)
        except Conflict:
            return

    async def record(self, commands: Commands, act: str, at: datetime, **about: Unpack[About]) -> None:
        """Puts a privileged act on record; when it returns it is. Call it before anybody sees what came of the act."""
        page = new_id(at)
        await self.write(commands, page, [self.done(audit=page, act=act, at=at, **about)])


def _as_they_are(_: None, entries: Sequence[Act]) -> Sequence[Event]:
    return entries


def _unchanged(_: None, __: Event) -> None:
    return None


async def _insert(db: Connection, rows: Sequence[Sequence[object]]) -> None:
    await db.executemany(
        "insert into entry values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        rows,
    )


async def _refused(db: Connection, events: Batch[ActRefused]) -> None:
    rows = [
        (
            *_common(it.data, it.id, "refused"),
            it.data.reason,
            it.data.status,
            it.data.times,
            it.data.until,
            it.data.trace,
        )
        for it in events
    ]
    await _insert(db, rows)


async def _done(db: Connection, events: Batch[ActDone]) -> None:
    await _insert(db, [(*_common(it.data, it.id, "done"), None, None, 1, it.data.at, it.data.trace) for it in events])


def _common(it: Act, id: str, outcome: str) -> Sequence[object]:
    return it.at, id, outcome, it.actor, it.client, it.power, it.act, it.thing, it.purpose


async def _told(db: Connection, events: Batch[Event]) -> None:
    rows: list[Sequence[object]] = []
    for it in events:
        act, purpose = ".".join(it.raw.type.split(".")[2:4]), getattr(it.data, "purpose", None)
        about = (it.recorded_at, it.id, "done", it.raw.actor, None, None, act, it.stream, purpose)
        rows.append((*about, None, None, 1, it.recorded_at, it.raw.correlation))
    await _insert(db, rows)


async def entries(
    db: Database,
    actor: str | None,
    since: datetime | None,
    until: datetime | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Entry]:
    """The entries of a time and of an actor, newest first, from before the one that a page ended with."""
    rows = await db.fetch(
        """select * from entry
           where ($1::text is null or actor = $1) and ($2::timestamptz is null or at >= $2)
             and ($3::timestamptz is null or at < $3) and ($4::timestamptz is null or (at, id) < ($4, $5))
           order by at desc, id desc limit $6""",
        actor,
        since,
        until,
        *(before or (None, None)),
        limit,
    )
    return [Entry(**dict(row)) for row in rows]
