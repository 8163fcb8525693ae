"""Entering what was read: in chunks, so that transactions stay short, and telling how it goes, line by line.

Relies on `Commands.execute_many`: what is refused stops nothing else. Entering the same again changes nothing, so
whoever was interrupted may begin anew; or go on from where the counts were last kept.

What goes on has seen the ids of the rows before, so a reference that stands twice is told as ever. If some of those
rows were refused they are entered once more, so that they are told again; one that is right by now goes in.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from contracts.registry import AddressFacts
from events import Aggregate, Commands, Done, Event, Token
from events.privacy.data import Erased

from registry.domain.entry import Register
from registry.domain.faults import Fault, Why
from registry.domain.imports import Tally
from registry.importing.reading import Read
from registry.importing.seen import Seen
from registry.importing.sheets import Entry, Reference
from registry.read_models.grids import grids_at

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that did not go in."""

    line: int
    fault: Fault
    as_sent: Sequence[str]


@dataclass(frozen=True, slots=True)
class Change:
    """A row that would go in, and which fields are other than before."""

    line: int
    first: bool
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come: after a chunk, and what became of all rows so far."""

    line: int
    lines: int
    tally: Tally


Told = Refusal | Change | Progress


@dataclass
class Entering:
    """One file on its way into a register. `last` is the number of its last line, for the progress; `since` is where
    an earlier import of it broke off, and what had become of the rows until there. A `preview` enters nothing, and
    tells of each row that would change something."""

    commands: Commands
    aggregate: Aggregate[Any, Any]
    read: Iterator[Read]
    last: int
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])
    preview: bool = False
    since: Progress | None = None
    tally: Tally = field(default_factory=Tally)
    token: Token | None = None
    _seen: Seen = field(init=False)
    _known: dict[int, Event | None] = field(default_factory=dict[int, Event | None])
    """What was known before, by the facts of the chunk in hand."""

    def __post_init__(self) -> None:
        self._seen = Seen(self.last)
        if self.preview:
            self.aggregate = self._noting(self.aggregate)

    async def run(self) -> AsyncIterator[Told]:
        """Enters everything; tells of each bad row, and after each chunk how far it has come."""
        since = self.since
        if since and not since.tally.refused:
            async for passed in self._pass_over(since.line):
                yield passed
            self.tally, since = since.tally, None
        for chunk in _chunks(self.read, since.line if since else 0):
            told = await self._enter(chunk)
            for it in sorted(told, key=lambda it: it.line):
                yield it
            line = chunk[-1].line
            if since and line >= since.line:
                self.tally, since = self.tally.after(since.tally), None
            yield Progress(line, self.last, self.tally)

    async def _pass_over(self, line: int) -> AsyncIterator[Progress]:
        """Looks only what ids the rows until this line have, and tells that it goes on: whoever hears nothing for
        minutes hangs up."""
        for nth, it in enumerate(self.read, 1):
            if isinstance(it.said, Entry):
                self._seen.add(it.said.id)
            if it.line >= line:
                return
            if nth % CHUNK == 0:
                await asyncio.sleep(0)  # others wait
                yield Progress(it.line, self.last, Tally(rows=nth))

    async def _enter(self, chunk: Sequence[Read]) -> list[Refusal | Change]:
        faults: dict[int, Fault] = {}
        entries: dict[int, Entry] = {}
        for line, said, _ in chunk:
            if isinstance(said, Fault):
                faults[line] = said
            elif not self._seen.add(said.id):
                faults[line] = Fault("row", Why.DUPLICATE)
            else:
                entries[line] = said
        for line, fault in (await self._dangling(entries)).items():
            faults[line] = fault
            del entries[line]
        facts = await self._located({entry.id: entry.facts for entry in entries.values()})
        answers = await self.commands.execute_many(
            self.aggregate, {id_: Register(it) for id_, it in facts.items()}, append=not self.preview
        )
        changes: list[Change] = []
        done: list[Done[Any]] = []
        for line, entry in entries.items():
            match answers[entry.id]:
                case Fault() as fault:
                    faults[line] = fault
                case Done() as it:
                    done.append(it)
                    if self.preview and it.events:
                        changes.append(self._change(line, facts[entry.id], it.events[-1]))
                case Erased():
                    faults[line] = Fault("row", Why.ERASED)
                case refused:
                    raise refused
        self._known.clear()
        self._count(len(chunk), len(faults), done)
        return [*(Refusal(it.line, faults[it.line], it.as_sent) for it in chunk if it.line in faults), *changes]

    async def _dangling(self, entries: Mapping[int, Entry]) -> dict[int, Fault]:
        """Which entries refer to what is not registered."""
        faults: dict[int, Fault] = {}
        for column, reference in self.references.items():
            wanted = {line: entry.refers[column] for line, entry in entries.items() if column in entry.refers}
            known = await reference.known(self.commands.db, sorted(set(wanted.values())))
            for line, id_ in wanted.items():
                if id_ not in known:
                    faults.setdefault(line, Fault(column, reference.why))
        return faults

    async def _located(self, facts: Mapping[str, Event]) -> Mapping[str, Event]:
        """Addresses get the grid that they lie in."""
        places = {id_: it.place for id_, it in facts.items() if isinstance(it, AddressFacts)}
        if not places:
            return facts
        found = zip(places, await grids_at(self.commands.db, list(places.values())), strict=True)
        return {id_: cast(AddressFacts, facts[id_]).model_copy(update={"grid": grid}) for id_, grid in found}

    def _count(self, rows: int, refused: int, done: Sequence[Done[Any]]) -> None:
        first = sum(isinstance(it.events[0], self.aggregate.events[0]) for it in done if it.events)
        changed = sum(bool(it.events) for it in done) - first
        self.token = next((it.token for it in reversed(done) if it.token), self.token)
        self.tally = replace(
            self.tally,
            rows=self.tally.rows + rows,
            registered=self.tally.registered + first,
            changed=self.tally.changed + changed,
            unchanged=self.tally.unchanged + len(done) - first - changed,
            refused=self.tally.refused + refused,
        )

    def _noting(self, aggregate: Aggregate[Any, Any]) -> Aggregate[Any, Any]:
        """The same, which remembers what was known of each thing before."""

        def decide(state: Any, command: Register[Event]) -> Sequence[Event]:
            self._known[id(command.facts)] = state if isinstance(state, Event) else getattr(state, "facts", None)
            return aggregate.decide(state, command)

        return replace(aggregate, decide=decide)

    def _change(self, line: int, facts: Event, event: Event) -> Change:
        before = self._known[id(facts)]
        if isinstance(event, self.aggregate.events[0]) or before is None:
            return Change(line, True, [])
        known = dict(before)
        return Change(line, False, [name for name, value in event if known.get(name) != value])


def _chunks(read: Iterator[Read], cut: int) -> Iterator[list[Read]]:
    """The rows by the five hundred; a chunk ends at the line of the cut too."""
    chunk: list[Read] = []
    for it in read:
        chunk.append(it)
        if len(chunk) == CHUNK or it.line == cut:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
