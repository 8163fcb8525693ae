"""A table: its head, and its rows by line; and the one that spreadsheets save as CSV, in UTF-8 or GB18030, read row by
row and never whole.

Relies on a file that can be read twice: once to tell its encoding, once for its rows. A row that cannot be read is told
with its line, and the next one is read as if nothing had happened.
"""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO, NamedTuple, TextIO

from contracts.common import Title

from registry.domain.faults import Fault, Why
from registry.domain.formulas import disarmed

BLOCK = 65_536
MAX_LINE = 16_384
"""Characters."""
MAX_LINES = 5_000_000
"""A city of 3.4 million people, and what stands around them."""
MAX_COLUMNS = 100
MAX_LINES_OF_A_ROW = 50
"""Cells may hold line breaks; a quotation mark that nobody closes must not swallow the rest of the file."""
MAX_ABOVE_THE_HEAD = 10
"""Rows: titles, the name of the office, how to fill it in."""

UTF8_MARK = b"\xef\xbb\xbf"
UNREADABLE = "\ufffd"


class NotATable(Exception):
    """This is no file that a register can be read from; `said` tells why, and what would be, in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.said = Title(en=en, zh=zh)


class Record(NamedTuple):
    """A row as it was sent, by its line, counted from 1; `wrong` if it cannot be read."""

    line: int
    cells: Sequence[str]
    wrong: Why | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row by its line and its cells by column, without spaces around them; and as it was sent."""

    line: int
    cells: dict[str, str]
    as_sent: Sequence[str] = ()


class Unread(NamedTuple):
    """What is wrong with a row, and what stands in it."""

    line: int
    fault: Fault
    as_sent: Sequence[str]


@dataclass(frozen=True)
class Table:
    """`columns` are those of the head of the table, `head` is what stands in it; `lines` counts all lines of the file.
    `open_ended` says that a column that is not there means that there is nothing in it."""

    columns: Sequence[str]
    head: Sequence[str]
    lines: int
    records: Iterator[Record]
    open_ended: bool = False

    def rows(self) -> Iterator[Row | Unread]:
        """Each row, or what is wrong with it; once."""
        for line, as_sent, wrong in self.records:
            if wrong:
                yield Unread(line, Fault("row", wrong), as_sent)
                continue
            cells = [_plain(cell) for cell in as_sent]
            if not any(cells) and not self.open_ended:
                continue  # spreadsheets have blank lines; an object that says nothing was meant to say something
            if len(cells) != len(self.columns):
                yield Unread(line, Fault("row", Why.COLUMNS), as_sent)
            elif any(UNREADABLE in cell for cell in cells):
                yield Unread(line, Fault("row", Why.ENCODING), as_sent)
            else:
                yield Row(line, dict(zip(self.columns, cells, strict=True)), as_sent)


Heads = Callable[[Sequence[str]], bool]
"""Whether a row is the head of the table."""


def open_table(file: IO[bytes], required: Sequence[str]) -> Table:
    """The table in this CSV. Raises NotATable if it has not the required columns; it may have others."""
    table = open_csv(file, required, set(required).issubset)
    require(table.columns, required)
    return table


def open_csv(file: IO[bytes], named: Sequence[str], heads: Heads, most: int = MAX_LINES) -> Table:
    """The table in this CSV, of at most so many lines; `named` says, for people, which columns it should name. Raises
    NotATable."""
    encoding, lines = _look_through(file)
    if lines > most:
        raise NotATable(
            f"this file has more than {most} lines: send it in parts", f"文件超过 {most} 行：请分成几个文件"
        )
    return table_of(_records(file, encoding), lines, named, heads)


def table_of(records: Iterator[Record], lines: int, named: Sequence[str], heads: Heads) -> Table:
    """The table that these records are. Its head is the first row that can be one; a few lines may stand above it.
    Raises NotATable."""
    above = list(islice(records, MAX_ABOVE_THE_HEAD))
    nth = next((nth for nth, it in enumerate(above) if not it.wrong and heads(_columns(it.cells))), 0)
    if not above or above[nth].wrong:
        raise NotATable(
            "the first line must name the columns: " + ",".join(named), "第一行应为表头，列出各列：" + "，".join(named)
        )
    head = above[nth].cells
    columns = _columns(head)
    if len(columns) > MAX_COLUMNS:
        raise NotATable(f"this table has more than {MAX_COLUMNS} columns", f"表格超过 {MAX_COLUMNS} 列")
    called = [column for column in columns if column]
    if len(set(called)) < len(called):
        raise NotATable("a column stands in the first line twice", "表头中有重复的列")
    return Table(columns, head, lines, chain(above[nth + 1 :], records))


def _columns(head: Sequence[str]) -> list[str]:
    return [_plain(cell) for cell in head]


def _plain(cell: str) -> str:
    if not cell or cell.isalnum():
        return cell  # as most are
    return " ".join(disarmed(cell.strip()).split())


def require(columns: Sequence[str], required: Sequence[str], called: Callable[[str], str] = str) -> None:
    """Raises NotATable, which names what is missing, and in Chinese as it is called."""
    if missing := [column for column in required if column not in columns]:
        raise NotATable(
            f"these columns are missing in the first line: {','.join(missing)}",
            f"表头缺少这些列：{'，'.join(map(called, missing))}",
        )


def _look_through(file: IO[bytes]) -> tuple[str, int]:
    """The encoding and the number of lines.

    Lines that are not UTF-8 mean GB18030 if they are the greater part of all that are not ASCII: a few bad ones in an
    UTF-8 file must not turn all others into other characters, and some in GB18030 look like UTF-8 by chance.
    """
    file.seek(0)
    start = file.read(4)
    if start.startswith(b"PK\x03\x04"):
        raise NotATable(
            "this is a workbook: save the sheet as CSV UTF-8, and send that", "这是工作簿：请将工作表另存为 CSV UTF-8"
        )
    if start == b"\xd0\xcf\x11\xe0":
        raise NotATable(
            "this is a workbook of the old kind (.xls), or one with a password: save it as .xlsx, or the sheet as CSV "
            "UTF-8, and send that",
            "这是旧格式（.xls）或加了密码的工作簿：请另存为 .xlsx，或将工作表另存为 CSV UTF-8",
        )
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotATable(
            "this is UTF-16: save the sheet as CSV UTF-8, and send that", "文件为 UTF-16 编码：请另存为 CSV UTF-8"
        )
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


def _records(file: IO[bytes], encoding: str) -> Iterator[Record]:
    """Records with the line that each begins on."""
    file.seek(0)
    with io.TextIOWrapper(file, encoding, errors="replace", newline="") as text:
        lines = _lines(text)
        ahead: deque[str] = deque(islice(lines, 1))
        number = 1
        while ahead:
            used, record = _record(ahead, lines)
            yield Record(number, _split(ahead[0]), record) if isinstance(record, Why) else Record(number, record)
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


def _split(line: str) -> list[str]:
    """What stands in a line that cannot be read, for whoever mends it."""
    return line.rstrip("\r\n").split(",")


def _look_further(ahead: deque[str], lines: Iterator[str]) -> bool:
    ahead.extend(islice(lines, 1))
    return bool(ahead)
