"""A register's file, read: which kind it is, and what each of its rows says."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import IO, NamedTuple

from edge.mapping import Mapped
from events import Event

from registry.domain.faults import Fault
from registry.importing.cells import Cells
from registry.importing.mapping import Plan, heads, plan
from registry.importing.objects import is_json, open_objects
from registry.importing.sheets import Entry, Sheet
from registry.importing.table import Row, Table, open_csv
from registry.importing.workbook import is_workbook, open_workbook


class Read(NamedTuple):
    """What a row says, or what is wrong with it, by its line; and the row as it was sent."""

    line: int
    said: Entry | Fault
    as_sent: Sequence[str] = ()


def open_file(
    file: IO[bytes], register: str, columns: Sequence[str], mapped: Mapped, sheet: str | None
) -> tuple[Table, Plan]:
    """The table in this file, whatever it is, and how to read it. Raises NotATable."""
    head = heads(register, columns, mapped)
    if is_workbook(file):
        table = open_workbook(file, sheet, columns, head)
    elif is_json(file):
        table = open_objects(file)
    else:
        table = open_csv(file, columns, head)
    return table, plan(register, columns, mapped, table)


def read_rows(sheet: Sheet, table: Table, plan: Plan | None = None) -> Iterator[Read]:
    """Each row of the table as what it says, or what is wrong with it. Without a plan its columns are ours."""
    for row in table.rows():
        if isinstance(row, Row):
            try:
                said: Entry | Fault = _read(sheet, plan.cells(row.cells) if plan else row.cells)
            except Fault as fault:
                said = fault
            yield Read(row.line, said, row.as_sent)
        else:
            yield Read(row.line, row.fault, row.as_sent)


def _read(sheet: Sheet, cells: Cells) -> Entry:
    left_out = {column: "" for column in sheet.optional if column not in cells}
    if not left_out:
        return sheet.read(cells)
    entry = sheet.read({**left_out, **cells})
    said = _fields(type(entry.facts)) - left_out.keys()
    return Entry(entry.id, entry.facts, entry.refers, entry.sought, said)


@cache
def _fields(facts: type[Event]) -> frozenset[str]:
    return frozenset(facts.model_fields)


def sized(read: Iterable[Read]) -> tuple[Iterator[Read], int]:
    """What was read whole, and its last number."""
    everything = list(read)
    return iter(everything), everything[-1].line if everything else 0
