"""The trade that the kernel's tests talk about: a front desk (前台) where matters are raised, noted and closed.

Its read models say what the promises are about: a journal, which of each matter's versions took effect and in which
order, and a tally by place, which is written by sets. The hall (大厅) is another service, which hears of it by Kafka.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from events import (
    Aggregate,
    Batch,
    Commands,
    Connection,
    Database,
    Event,
    Policy,
    ReadModel,
    Recorded,
    Refused,
    Service,
    personal,
)
from events.privacy.sealing import PersonKey
from events.runtime import Runtime, open_runtime
from events.settings import Settings
from events.testing import RING, Neighbours

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Raised(Event, type="commongrid.desk.matter.raised.v1"):
    """Somebody brought up a matter."""

    place: str
    at: datetime = NOON


class Noted(Event, type="commongrid.desk.matter.noted.v1"):
    """Something was written down about it."""

    note: str = personal()


class Closed(Event, type="commongrid.desk.matter.closed.v1"):
    """It is done."""


class Shown(Event, type="commongrid.hall.screen.shown.v1"):
    """The hall shows a matter on a screen."""

    matter: str


@dataclass(frozen=True)
class Matter:
    """The state of a matter."""

    open: bool = False
    notes: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True)
class Raise:
    place: str = "gate"


@dataclass(frozen=True)
class Note:
    note: str


@dataclass(frozen=True)
class Close:
    pass


class NotOpen(Refused):
    reason = "not-open"


class RaisedBefore(Refused):
    reason = "raised-before"


def decide(matter: Matter, command: Raise | Note | Close) -> list[Event]:
    match command:
        case Raise(place):
            if matter.open or matter.closed:
                raise RaisedBefore("this matter was raised before")
            return [Raised(place=place)]
        case Note(note):
            if not matter.open:
                raise NotOpen("this matter is not open")
            return [Noted(note=note)]
        case Close():
            if not matter.open:
                raise NotOpen("this matter is not open")
            return [Closed()]


def evolve(matter: Matter, event: Event) -> Matter:
    match event:
        case Raised():
            return Matter(open=True)
        case Noted(note=note):
            return Matter(open=True, notes=(*matter.notes, note))
        case Closed():
            return Matter(notes=matter.notes, closed=True)
        case _:
            return matter


MATTER: Aggregate[Matter, Raise | Note | Close] = Aggregate("matter", Matter(), decide, evolve, (Raised, Noted, Closed))


@dataclass(frozen=True)
class Show:
    matter: str


def decide_screen(shows: frozenset[str], command: Show) -> list[Event]:
    return [Shown(matter=command.matter)]


def evolve_screen(shows: frozenset[str], event: Event) -> frozenset[str]:
    return shows | {event.matter} if isinstance(event, Shown) else shows


SCREEN: Aggregate[frozenset[str], Show] = Aggregate("screen", frozenset(), decide_screen, evolve_screen, (Shown,))

Hook = Callable[[Recorded[Any]], Awaitable[None]]

JOURNAL = """
create table journal (
    matter text primary key,
    versions int[] not null,
    last_note text constraint no_poison check (last_note <> 'poison')
)"""
WRITE = """
insert into journal as j values ($1, array[$2::int], $3)
on conflict (matter) do update set versions = j.versions || excluded.versions, last_note = excluded.last_note"""


def journal(name: str = "journal", version: int = 1, hook: Hook | None = None) -> ReadModel:
    """Which versions of each matter took effect, in the order in which they did. The note "poison" cannot be taken.
    `hook` is awaited after each event was written, before anything is committed."""
    model = ReadModel(name, JOURNAL, version, personal=True)

    async def write(db: Connection, event: Recorded[Any]) -> None:
        await db.execute(WRITE, event.stream, event.version, getattr(event.data, "note", None))
        if hook:
            await hook(event)

    for cls in MATTER.events:
        model.each(cls)(write)
    return model


def tally(name: str = "tally") -> ReadModel:
    """How many matters were raised and closed at each place, written by sets."""
    model = ReadModel(
        name,
        """create table tally (
               place text primary key constraint no_poison check (place <> 'poison'), raised int not null
           );
           create table closed (matter text primary key)""",
    )

    @model.on(Raised)
    async def raised(db: Connection, events: Batch[Raised]) -> None:
        await db.execute(
            """insert into tally as t select place, count(*) from unnest($1::text[]) as n(place) group by 1 order by 1
               on conflict (place) do update set raised = t.raised + excluded.raised""",
            events.column("place"),
        )

    @model.on(Closed)
    async def closed(db: Connection, events: Batch[Closed]) -> None:
        await db.execute("insert into closed select * from unnest($1::text[]) on conflict do nothing", events.streams)

    return model


def desk(*read_models: ReadModel, policies: Sequence[Policy] = ()) -> Service:
    """The front desk."""
    return Service("desk", [MATTER], read_models, policies)


def hall(*read_models: ReadModel, policies: Sequence[Policy] = ()) -> Service:
    """The hall, which follows the desk."""
    return Service("hall", [SCREEN], read_models, policies)


async def busy(commands: Commands, count: int, seed: int = 1, matters: int = 20) -> None:
    """A busy day: so many notes on so many new matters, by ten at once; some of the matters are closed in the end."""
    random = Random(seed)  # noqa: S311
    ids = [f"{seed}-{nth}" for nth in range(matters)]
    await commands.execute_many(MATTER, {id_: Raise(random.choice(["gate", "hall", "yard"])) for id_ in ids})
    for nth in range(0, count, 10):
        noted = random.sample(ids, 10)
        await asyncio.gather(*(commands.execute(MATTER, id_, Note(f"{nth} 记")) for id_ in noted))
    await commands.execute_many(MATTER, {id_: Close() for id_ in ids[::3]})


async def keys_of(runtime: Runtime, *streams: str) -> Mapping[str, PersonKey]:
    """The keys of those whom these streams are about, for appends by hand; made if there are none."""
    material = await runtime.personal.keys.material(streams)
    for subject, (kek, wrapped) in material.new.items():
        row = subject, wrapped, kek
        await runtime.db.execute("insert into log.person_keys (subject, wrapped, kek) values ($1, $2, $3)", *row)
    return material.keys


async def recorded(db: Database) -> dict[str, list[int]]:
    """Each matter's versions, as the store has them: what a journal should show."""
    rows = await db.fetch("select stream, array_agg(version order by version) from log.events group by stream")
    return {row[0]: row[1] for row in rows}


async def has_journalled(db: Database, expected: dict[str, list[int]]) -> bool:
    """Asserts that the journal shows just this."""
    assert await journalled(db) == expected
    return True


async def journalled(db: Database) -> dict[str, list[int]]:
    """Each matter's versions as the journal has them."""
    return {row[0]: row[1] for row in await db.fetch("select matter, versions from journal")}


async def tallied(db: Database) -> dict[str, int]:
    """How many matters were raised at each place, as the tally has it."""
    return {row[0]: row[1] for row in await db.fetch("select place, raised from tally")}


@asynccontextmanager
async def at_work(service: Service, database_url: str, kafka: str, prefix: str) -> AsyncGenerator[Runtime]:
    """A process of a service that is set up already, with Kafka there or away."""
    async with open_runtime(
        service, Settings(database_url, kafka, prefix, keys=RING), foreign_keys=Neighbours(prefix)
    ) as runtime:
        working = asyncio.create_task(runtime.work())
        try:
            yield runtime
        finally:
            working.cancel()
            await asyncio.wait([working])


class OwnProcess:
    """The front desk and the hall at work in an operating system's process, which can be killed."""

    def __init__(self, service: str, database_url: str, kafka: str, prefix: str) -> None:
        self._command = [sys.executable, __file__, service, database_url, kafka, prefix]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)  # noqa: S603

    def kill(self) -> None:
        """Kills it, with no chance to put anything away."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


async def _main(name: str, database_url: str, kafka: str, prefix: str) -> None:
    service = {"desk": desk, "hall": hall}[name](journal(), tally())
    async with at_work(service, database_url, kafka, prefix):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
