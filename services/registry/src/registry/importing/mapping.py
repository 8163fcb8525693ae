"""From a source's columns to ours: by its mapping file (`edge.mapping`), by the headings that Chinese forms have, or by
our own names."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge import mapping
from edge.mapping import Mapped, Reading

from registry.domain.faults import Fault, Why
from registry.importing.cells import MADE_A_NUMBER
from registry.importing.headings import HEADINGS, VALUES, heading, meant, unmarked
from registry.importing.table import NotATable, Table, require

CODES = frozenset({"division_code", "sex"})
"""Numbers that are codes, whose digits may be of full width."""


def read_mapping(content: str | bytes) -> Mapped:
    """The mapping in this JSON. Raises NotATable, which names the field and what is wrong with it."""
    try:
        return mapping.read_mapping(content, Mapped)
    except mapping.NotAMapping as wrong:
        raise NotATable(wrong.said.en, wrong.said.zh) from None


@dataclass(frozen=True)
class Plan:
    """How each of our columns comes from the source's; `headings` says, for people, from which."""

    register: str
    readings: Mapping[str, Reading]
    headings: Mapping[str, Sequence[str]]

    def cells(self, sent: Mapping[str, str]) -> dict[str, str]:
        """A row by our columns; others stay as they are. Raises Fault where a reference lost digits."""
        cells = dict(sent)
        for column, read in self.readings.items():
            value = read(sent)
            if column in CODES:
                value = unicodedata.normalize("NFKC", value)
            cells[column] = VALUES.get((self.register, column), {}).get(value, value)
            if column.endswith("_ref") and MADE_A_NUMBER.fullmatch(value) and "e" in value.lower():
                raise Fault(column, Why.NUMERIC_CELL)
        return cells


def heads(register: str, required: Sequence[str], mapped: Mapped) -> Callable[[Sequence[str]], bool]:
    """Whether a row is the head of the register's table."""

    def it_does(columns: Sequence[str]) -> bool:
        try:
            _plan(register, required, mapped, columns, open_ended=False)
        except NotATable:
            return False
        return True

    return it_does


def plan(register: str, required: Sequence[str], mapped: Mapped, table: Table) -> Plan:
    """How to read this table. Raises NotATable if a column cannot be had, or in two ways."""
    return _plan(register, required, mapped, table.columns, table.open_ended)


def _plan(register: str, required: Sequence[str], mapped: Mapped, columns: Sequence[str], open_ended: bool) -> Plan:
    ours = {*required, *HEADINGS.get(register, {})}
    readings: dict[str, Reading] = {}
    headings: dict[str, Sequence[str]] = {}
    for column, taken in mapped.columns.items():
        if column not in ours:
            raise NotATable(
                f"mapping.columns.{column}: there is no such column; there are {','.join(required)}",
                f"mapping.columns.{column}：没有这一列；可用的列：{'，'.join(required)}",
            )
        headings[column] = [_found(column, it, columns, open_ended) for it in taken.headings]
        readings[column] = taken.reading(headings[column])
    for it, column in _understood(register, columns, ours - readings.keys()).items():
        headings[column] = [it]
        readings[column] = _same(it)
    if not open_ended:
        require([*readings], required, lambda column: f"{column}（{heading(register, column)}）")
    for column in required:
        readings.setdefault(column, _nothing)
    return Plan(register, readings, headings)


def _understood(register: str, columns: Sequence[str], wanted: set[str]) -> dict[str, str]:
    """Headings that need no mapping, and which of the wanted columns each means. Our own names come first."""
    found = {column: column for column in columns if column in wanted}
    for it, column in meant(register, [other for other in columns if other not in found]).items():
        if column in found or column not in wanted:
            continue
        if before := next((theirs for theirs, ours in found.items() if ours == column), None):
            raise NotATable(
                f"both {before} and {it} could be {column}: say in a mapping which is",
                f"{before} 和 {it} 都可能是 {column}：请用映射文件说明",
            )
        found[it] = column
    return found


def _found(column: str, named: str, columns: Sequence[str], open_ended: bool) -> str:
    wanted = unmarked(named)
    for it in columns:
        if it == named or unmarked(it) == wanted:
            return it
    if open_ended:
        return named
    raise NotATable(
        f"mapping.columns.{column}: the file has no column {named}",
        f"mapping.columns.{column}：文件中没有“{named}”列",
    )


def _same(named: str) -> Reading:
    return lambda sent: sent.get(named, "")


def _nothing(_: Mapping[str, str]) -> str:
    return ""
