"""Entering what was read: in chunks, so that transactions stay short, and telling how it goes, line by line.

Relies on `Commands.execute_many`: what is refused stops nothing else. Entering the same again changes nothing, so
whoever was interrupted may begin anew; or go on from where the counts were last kept.

What goes on has seen the ids of the rows before, so a reference that stands twice is told as ever. If some of those
rows were refused they are entered once more, so that they are told again; one that is right by now goes in.
"""

import asyncio
from collections.abc import AsyncIterator, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from contracts.registry import AddressFacts, Confirmed, Disputed, Facts
from events import Aggregate, Commands, Done, Event, Token
from events.privacy.data import Erased

from registry.domain.entry import Register, Rule
from registry.domain.faults import Fault, Why
from registry.domain.history import day_in_china
from registry.domain.imports import Tally
from registry.domain.person import Person
from registry.domain.source_rules import SOURCE_RULES
from registry.importing.places import WRITTEN, Places, found_by_name
from registry.importing.reading import Read
from registry.importing.seen import Seen
from registry.importing.sheets import SHEETS, Entry, Reference
from registry.read_models.address_names import address_names
from registry.read_models.territory import grids_at, territory

CHUNK = 500
PATIENCE = 30.0
"""Seconds to wait for the read models that say what exists."""


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


async def prepared(commands: Commands, register: str, columns: Container[str]) -> Mapping[str, Rule]:
    """Waits until all that rows with these columns may refer to is there to be seen; returns who is believed, by field.
    Raises NotYet."""
    if register == "addresses":
        needed = [territory, address_names]
    else:
        needed = [it.read_model for it in SHEETS[register].references.values()]
        needed += [address_names] if WRITTEN in columns else []
    for read_model in needed:
        await commands.caught_up(read_model, PATIENCE)
    rules, _ = await commands.load(SOURCE_RULES, register)
    return rules


@dataclass
class Entering:
    """One file on its way into a register. `last` is the number of its last line, for the progress; `source` is who
    says what stands in it, and `rules` who is believed, by field. `since` is where an earlier import of it broke off,
    and what had become of the rows until there. A `preview` enters nothing, and tells of each row that would change
    something."""

    commands: Commands
    aggregate: Aggregate[Any, Any]
    read: Iterator[Read]
    last: int
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])
    source: str = ""
    rules: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    preview: bool = False
    since: Progress | None = None
    tally: Tally = field(default_factory=Tally)
    disputed: int = 0
    """Of how many rows a source is not believed in something: counted by what they are besides, mostly unchanged."""
    token: Token | None = None
    _seen: Seen = field(init=False)
    _places: Places = field(default_factory=Places)
    _known: dict[int, Event | None] = field(default_factory=dict[int, Event | None])
    """What was known before, by the events of the chunk in hand."""

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
        for wrong in (self._nameless, self._dangling, self._to_come, self._doubles):
            for line, fault in (await wrong(entries)).items():
                faults[line] = fault
                del entries[line]
        facts = await self._located({entry.id: entry.facts for entry in entries.values()})
        said = {entry.id: entry.said for entry in entries.values()}
        told = {id_: Register(self._sourced(it), said[id_], self.rules) for id_, it in facts.items()}
        answers = await self.commands.execute_many(self.aggregate, told, append=not self.preview)
        changes: list[Change] = []
        done: list[Done[Any]] = []
        for line, entry in entries.items():
            match answers[entry.id]:
                case Fault() as fault:
                    faults[line] = fault
                case Done() as it:
                    done.append(it)
                    if self.preview and any(map(_changes, it.events)):
                        changes.append(self._change(line, it.events[0]))
                case Erased():
                    faults[line] = Fault("row", Why.ERASED)
                case refused:
                    raise refused
        self._known.clear()
        self._count(len(chunk), len(faults), done)
        return [*(Refusal(it.line, faults[it.line], it.as_sent) for it in chunk if it.line in faults), *changes]

    async def _nameless(self, entries: dict[int, Entry]) -> dict[int, Fault]:
        """Which entries name an address, by how it is written, that is not known by that name; the others get its
        id."""
        wanted = {line: entry.sought for line, entry in entries.items() if entry.sought}
        found, faults = await found_by_name(self.commands.db, wanted)
        for line, id_ in found.items():
            entry = entries[line]
            facts = entry.facts.model_copy(update={"address": id_})
            entries[line] = replace(entry, facts=facts, refers={**entry.refers, "address_ref": id_})
        return faults

    async def _doubles(self, entries: Mapping[int, Entry]) -> dict[int, Fault]:
        """Which addresses are the place of another one."""
        facts = {entry.id: entry.facts for entry in entries.values() if isinstance(entry.facts, AddressFacts)}
        taken = await self._places.taken(self.commands.db, facts, self._seen)
        return {
            line: Fault("row", Why.SAME_ADDRESS, same_as=taken[entry.id])
            for line, entry in entries.items()
            if entry.id in taken
        }

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

    async def _to_come(self, entries: Mapping[int, Entry]) -> dict[int, Fault]:
        """Which entries are to be so on a day to come."""
        today = day_in_china(self.commands.clock())
        days = {line: entry.facts.since for line, entry in entries.items() if isinstance(entry.facts, Facts)}
        return {line: Fault("since", Why.IN_FUTURE) for line, day in days.items() if day and day > today}

    def _sourced(self, facts: Event) -> Event:
        return facts.model_copy(update={"source": self.source}) if self.source and isinstance(facts, Facts) else facts

    async def _located(self, facts: Mapping[str, Event]) -> Mapping[str, Event]:
        """Addresses get the grid that they lie in."""
        places = {id_: it.place for id_, it in facts.items() if isinstance(it, AddressFacts)}
        if not places:
            return facts
        found = zip(places, await grids_at(self.commands.db, list(places.values())), strict=True)
        return {id_: cast(AddressFacts, facts[id_]).model_copy(update={"grid": grid}) for id_, grid in found}

    def _count(self, rows: int, refused: int, done: Sequence[Done[Any]]) -> None:
        first = sum(isinstance(it.events[0], self.aggregate.events[0]) for it in done if it.events)
        changed = sum(any(map(_changes, it.events)) for it in done) - first
        self.disputed += sum(any(isinstance(event, Disputed) for event in it.events) for it in done)
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
            events = aggregate.decide(state, command)
            self._known |= {id(event): _facts_of(state) for event in events}
            return events

        return replace(aggregate, decide=decide)

    def _change(self, line: int, event: Event) -> Change:
        before = self._known[id(event)]
        if isinstance(event, self.aggregate.events[0]) or before is None:
            return Change(line, True, [])
        known = dict(before)
        return Change(line, False, [name for name, value in event if known.get(name) != value])


def _changes(event: Event) -> bool:
    """Whether the register says something else from then on."""
    return not isinstance(event, (Confirmed, Disputed))


def _facts_of(state: Any) -> Event | None:
    """What was known: in lists the state is that."""
    held: Any = state.register if isinstance(state, Person) else state
    return getattr(held, "facts", held)


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
