"""Entering what was read: in chunks, so that transactions stay short, and telling how it goes, line by line.

Relies on `Commands.execute_many`: what is refused stops nothing else. Entering the same again changes nothing, so
whoever was interrupted begins anew.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any, cast

from contracts.registry import AddressFacts, Confirmed, Disputed, Facts
from events import Aggregate, Commands, Done, Event, Token
from events.privacy.data import Erased

from registry.domain.entry import Register, Rule
from registry.domain.faults import WORDS, Fault, Why
from registry.domain.history import CHINA
from registry.importing.places import Places, found_by_name
from registry.importing.sheets import Entry, Reference, Sheet
from registry.importing.table import Row, Table
from registry.read_models.territory import grids_at

CHUNK = 500

COLUMN = {"household": "household_ref", "grid": "grid_code"}
"""Fields of the domain that have another name in the files."""

Read = tuple[int, Entry | Fault]


@dataclass
class Tally:
    """What became of the rows."""

    rows: int = 0
    registered: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0


@dataclass
class Entering:
    """One file on its way into a register. `last` is the number of its last line, for the progress; `source` is who
    says what stands in it, and `rules` who is believed, by field."""

    commands: Commands
    aggregate: Aggregate[Any, Any]
    read: Iterator[Read]
    last: int
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])
    source: str = ""
    rules: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    tally: Tally = field(default_factory=Tally)
    _token: Token | None = None
    _seen: set[str] = field(default_factory=set[str])
    _places: Places = field(default_factory=Places)

    async def run(self) -> AsyncIterator[dict[str, Any]]:
        """Enters everything; gives a message for each bad row, after each chunk, and at the end."""
        while chunk := list(islice(self.read, CHUNK)):
            faults = await self._enter(chunk)
            for line in sorted(faults):
                yield message(line, faults[line])
            self.tally.rows += len(chunk)
            self.tally.refused += len(faults)
            yield {"progress": {"rows": self.tally.rows, "line": chunk[-1][0], "lines": self.last}}
        yield {"done": asdict(self.tally), "consistency_token": str(self._token) if self._token else None}

    async def _enter(self, chunk: Sequence[Read]) -> dict[int, Fault]:
        faults: dict[int, Fault] = {}
        entries: dict[int, Entry] = {}
        for line, read in chunk:
            if isinstance(read, Fault):
                faults[line] = read
            elif read.id in self._seen:
                faults[line] = Fault("row", Why.DUPLICATE)
            else:
                self._seen.add(read.id)
                entries[line] = read
        for wrong in (self._nameless, self._dangling, self._doubles):
            for line, fault in (await wrong(entries)).items():
                faults[line] = fault
                del entries[line]
        for line in [line for line, entry in entries.items() if self._in_future(entry.facts)]:
            faults[line] = Fault("since", Why.IN_FUTURE)
            del entries[line]
        facts = await self._located({entry.id: entry.facts for entry in entries.values()})
        said = {entry.id: entry.said for entry in entries.values()}
        told = {id_: Register(self._sourced(it), said[id_], self.rules) for id_, it in facts.items()}
        answers = await self.commands.execute_many(self.aggregate, told)
        for line, entry in entries.items():
            match answers[entry.id]:
                case Fault() as fault:
                    faults[line] = fault
                case Done() as done:
                    self._count(done)
                case Erased():
                    faults[line] = Fault("row", Why.ERASED)
                case refused:
                    raise refused
        return faults

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

    def _in_future(self, facts: Event) -> bool:
        today = self.commands.clock().astimezone(CHINA).date()
        return isinstance(facts, Facts) and facts.since is not None and facts.since > today

    def _sourced(self, facts: Event) -> Event:
        return facts.model_copy(update={"source": self.source}) if self.source and isinstance(facts, Facts) else facts

    async def _located(self, facts: Mapping[str, Event]) -> Mapping[str, Event]:
        """Addresses get the grid that they lie in."""
        places = {id_: it.place for id_, it in facts.items() if isinstance(it, AddressFacts)}
        if not places:
            return facts
        found = zip(places, await grids_at(self.commands.db, list(places.values())), strict=True)
        return {id_: cast(AddressFacts, facts[id_]).model_copy(update={"grid": grid}) for id_, grid in found}

    def _count(self, done: Done[Any]) -> None:
        self._token = done.token or self._token
        match done.events:
            case () | (Confirmed(), *_) | (Disputed(), *_):
                self.tally.unchanged += 1
            case (event, *_) if isinstance(event, self.aggregate.events[0]):
                self.tally.registered += 1
            case _:
                self.tally.changed += 1


def read_rows(sheet: Sheet, table: Table) -> Iterator[Read]:
    """Each row of the table as what it says, or what is wrong with it."""
    left_out = {column: "" for column in sheet.optional if column not in table.columns}
    for row in table.rows():
        if isinstance(row, Row):
            try:
                entry = sheet.read(left_out | row.cells)
                yield row.line, replace(entry, said=_said(entry.facts, left_out)) if left_out else entry
            except Fault as fault:
                yield row.line, fault
        else:
            yield row


def _said(facts: Event, left_out: Iterable[str]) -> frozenset[str]:
    return frozenset(type(facts).model_fields) - frozenset(left_out)


def message(line: int, fault: Fault) -> dict[str, Any]:
    """What a person and a program need to find the fault; never the value."""
    column = COLUMN.get(fault.field, fault.field)
    told: dict[str, Any] = {
        "line": line,
        "field": column,
        "error": fault.why,
        "message_en": f"{column} {WORDS[fault.why].en}",
        "message_zh": f"{column}：{WORDS[fault.why].zh}",
        **fault.more,
    }
    return told if fault.where is None else told | {"where": fault.where}


def sized(read: Iterable[Read]) -> tuple[Iterator[Read], int]:
    """What was read whole, and its last number."""
    everything = list(read)
    return iter(everything), everything[-1][0] if everything else 0
