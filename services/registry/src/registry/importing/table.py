"""A table as spreadsheets save it: CSV in UTF-8 or GB18030, read row by row and never whole.

Relies on a file that can be read twice: once to tell its encoding, once for its rows. A row that cannot be read is told
with its line, and the next one is read as if nothing had happened.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, TextIO

from registry.domain.faults import Fault, Why

BLOCK = 65_536
MAX_LINE = 16_384
"""Characters."""
MAX_LINES = 200_000
"""More than the largest file that is taken holds of anything."""
MAX_COLUMNS = 100
MAX_LINES_OF_A_ROW = 50
"""Cells may hold line breaks; a quotation mark that nobody closes must not swallow the rest of the file."""

UTF8_MARK = b"\xef\xbb\xbf"
UNREADABLE = "\ufffd"


class NotATable(Exception):
    """This is no file that a register can be read from; the message says why, and what would be."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row by its line, counted from 1, and its cells by column, without spaces around them."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """`columns` are those of the head of the table, `lines` counts all lines of the file."""

    columns: Sequence[str]
    lines: int
    _records: Iterator[tuple[int, list[str] | Why]]

    def rows(self) -> Iterator[Row | tuple[int, Fault]]:
        """Each row that is not blank, or what is wrong with it; once."""
        for line, record in self._records:
            if isinstance(record, Why):
                yield line, Fault("row", record)
                continue
            cells = [" ".join(cell.split()) for cell in record]
            if not any(cells):
                continue
            if len(cells) != len(self.columns):
                yield line, Fault("row", Why.COLUMNS)
            elif any(UNREADABLE in cell for cell in cells):
                yield line, Fault("row", Why.ENCODING)
            else:
                yield Row(line, dict(zip(self.columns, cells, strict=True)))


def open_table(file: IO[bytes], required: Sequence[str]) -> Table:
    """The table in this file. Raises NotATable if it has not the required columns; it may have others."""
    encoding, lines = _look_through(file)
    records = _records(file, encoding)
    _, head = next(records, (0, Why.MISSING))
    if isinstance(head, Why):
        raise NotATable("the first line must name the columns: " + ",".join(required))
    if lines > MAX_LINES:
        raise NotATable(f"this file has more than {MAX_LINES} lines: send it in parts")
    if len(head) > MAX_COLUMNS:
        raise NotATable(f"this table has more than {MAX_COLUMNS} columns")
    columns = [cell.strip() for cell in head]
    if missing := [column for column in required if column not in columns]:
        raise NotATable(f"these columns are missing in the first line: {','.join(missing)}")
    if len(set(columns)) < len(columns):
        raise NotATable("a column stands in the first line twice")
    return Table(columns, lines, records)


def _look_through(file: IO[bytes]) -> tuple[str, int]:
    """The encoding and the number of lines.

    Lines that are not UTF-8 mean GB18030 if they are the greater part of all that are not ASCII: a few bad ones in an
    UTF-8 file must not turn all others into other characters, and some in GB18030 look like UTF-8 by chance.
    """
    file.seek(0)
    start = file.read(4)
    if start.startswith(b"PK\x03\x04") or start == b"\xd0\xcf\x11\xe0":
        raise NotATable("this is a workbook: save the sheet as CSV UTF-8, and send that")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotATable("this is UTF-16: save the sheet as CSV UTF-8, and send that")
    file.seek(0)
    lines = utf8 = other = 0
    while line := file.readline(BLOCK):
        lines += 1
        if not line.isascii():
            try:
                line.decode()
                utf8 += 1
            except UnicodeDecodeError:
                other += 1
    if other > utf8 and not start.startswith(UTF8_MARK):
        return "gb18030", lines
    return "utf-8-sig", lines


def _lines(text: TextIO) -> Iterator[str]:
    """Lines, cut at MAX_LINE."""
    while line := text.readline(MAX_LINE):
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith("\n"):
            rest = text.readline(MAX_LINE)
        yield line


def _records(file: IO[bytes], encoding: str) -> Iterator[tuple[int, list[str] | Why]]:
    """Records with the line that each begins on."""
    file.seek(0)
    with io.TextIOWrapper(file, encoding, errors="replace", newline="") as text:
        lines = _lines(text)
        ahead: deque[str] = deque(islice(lines, 1))
        number = 1
        while ahead:
            used, record = _record(ahead, lines)
            yield number, record
            number += used
            for _ in range(used):
                ahead.popleft()
            if not ahead:
                ahead.extend(islice(lines, 1))


def _record(ahead: deque[str], lines: Iterator[str]) -> tuple[int, list[str] | Why]:
    """The record that begins with the line ahead, and how many lines it takes; one if it cannot be read."""
    if len(ahead[0]) == MAX_LINE:
        return 1, Why.TOO_LONG
    for used in range(1, MAX_LINES_OF_A_ROW + 1):
        if len(ahead) < used and not _look_further(ahead, lines):
            break
        try:
            return used, next(csv.reader(islice(ahead, used), strict=True), list[str]())
        except csv.Error as error:
            if "unexpected end of data" not in str(error):
                break
    return 1, Why.QUOTES


def _look_further(ahead: deque[str], lines: Iterator[str]) -> bool:
    ahead.extend(islice(lines, 1))
    return bool(ahead)
