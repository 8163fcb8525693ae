"""A sheet of a workbook (XLSX), with the numbers that its rows have there.

A workbook is a ZIP of XML, and its reader lays a sheet out cell by cell in memory. So before it is read, it is unpacked
once, within limits: neither may little become much, nor may two cells far apart make a sheet of 17 thousand million.
"""

import re
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from struct import unpack
from tempfile import TemporaryFile
from threading import Lock
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import orjson
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from registry.importing.table import MAX_COLUMNS, Heads, NotATable, Record, Table, table_of

SIGNATURE = b"PK\x03\x04"
MAX_WORKBOOK = 16 * 1024 * 1024
"""Bytes, as it is sent."""
MAX_UNPACKED = 128 * 1024 * 1024
MAX_CELLS = 2_500_000
"""Rows times columns; its reader takes some 100 bytes for each."""
ONE_AT_A_TIME = Lock()
"""However many are sent, one sheet is in memory, and that until it is on disk."""
MAX_PARTS = 1_000
BLOCK = 1_048_576
LOCAL_HEAD = 30
EXACT = 10**15
"""Spreadsheets keep 15 digits of a number."""

Cell = int | float | str | bool | time | date | datetime | timedelta
TAG = rb"<(?:\w+:)?%s\b[^>]*"
ROW = re.compile(TAG % rb"row" + rb">")
ROW_NUMBER = re.compile(rb"\sr=[\"']([0-9]+)")
CELL = re.compile(TAG % rb"c" + rb"(?<!/)>")
CELL_COLUMN = re.compile(rb"\sr=[\"']([A-Z]{1,3})[0-9]+")


def is_workbook(file: IO[bytes]) -> bool:
    """Whether it begins as one."""
    file.seek(0)
    return file.read(4) == SIGNATURE


def open_workbook(file: IO[bytes], sheet: str | None, named: Sequence[str], heads: Heads) -> Table:
    """The table in a sheet of this workbook: the one of this name, or the first that one can see. Raises NotATable."""
    with ONE_AT_A_TIME:
        _require_harmless(file)
        file.seek(0)
        try:
            with CalamineWorkbook.from_filelike(file) as workbook:
                found = _sheet(workbook, sheet)
                lines = found.total_height
                records = _from_disk(_to_disk(_records(found)))
        except CalamineError:
            raise _unreadable() from None
    return table_of(records, lines, named, heads)


def _to_disk(records: Iterator[Record]) -> IO[bytes]:
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115  # it is closed when it has been read
    for line, cells, _ in records:
        file.write(orjson.dumps((line, cells), option=orjson.OPT_APPEND_NEWLINE))
    return file


def _from_disk(file: IO[bytes]) -> Iterator[Record]:
    with file:
        file.seek(0)
        for each in file:
            yield Record(*orjson.loads(each))


def _sheet(workbook: CalamineWorkbook, name: str | None) -> CalamineSheet:
    for it in workbook.sheets_metadata:
        if it.typ is not SheetTypeEnum.WorkSheet:
            continue
        if it.name == name or (name is None and it.visible is SheetVisibleEnum.Visible):
            return workbook.get_sheet_by_name(it.name)
    if name is None:
        raise NotATable("this workbook has no sheet that one can see", "工作簿中没有可见的工作表")
    raise NotATable("this workbook has no sheet of this name", "工作簿中没有这个名称的工作表")


def _records(sheet: CalamineSheet) -> Iterator[Record]:
    merged = _Merged(sheet)
    for line, cells in enumerate(sheet.iter_rows(), 1):
        record = [written(cell) for cell in cells]
        if any(record):
            yield Record(line, merged.filled(line - 1, record))


class _Merged:
    """Cells merged over several rows: what stands in the first of them stands in all, as in a form in which a household
    is written once beside all its members."""

    def __init__(self, sheet: CalamineSheet) -> None:
        left = sheet.start[1] if sheet.start else 0
        ranges = [it for it in sheet.merged_cell_ranges or () if it[0][0] < it[1][0]]
        self._coming = deque(sorted((top, start - left, bottom, end - left) for (top, start), (bottom, end) in ranges))
        self._present: list[tuple[int, range, str]] = []

    def filled(self, row: int, record: list[str]) -> list[str]:
        """The row, counted from 0, with what stands above it in the same cell."""
        self._present = [it for it in self._present if it[0] >= row]
        for _, columns, text in self._present:
            for column in columns:
                record[column] = record[column] or text
        while self._coming and self._coming[0][0] <= row:
            top, start, bottom, end = self._coming.popleft()
            columns = range(max(start, 0), min(end + 1, len(record)))
            if top == row and columns and len(self._present) < MAX_COLUMNS:
                self._present.append((bottom, columns, record[columns[0]]))
        return record


def written(cell: Cell | None) -> str:
    """What stands in a cell, as one would write it into a CSV: days as 2026-11-23, whole numbers without a point. A
    number of more digits than a spreadsheet keeps looks as one that lost some: 1.1010519491231e+17."""
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case float() if cell.is_integer() and abs(cell) < EXACT:
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime():
            return cell.isoformat(" ")
        case date():
            return cell.isoformat()
        case _:
            return str(cell)


@dataclass
class _Extent:
    """How large a sheet is: its last row and column, by what its cells say."""

    rows: int = 0
    cells: int = 0
    named: int = 0
    columns: set[bytes] = field(default_factory=set[bytes])

    def add(self, xml: bytes) -> None:
        """Looks at whole tags."""
        rows = ROW.findall(xml)
        numbers = [int(found[1]) for it in rows if (found := ROW_NUMBER.search(it))]
        self.rows = max(self.rows + len(rows), *numbers, 0)
        cells = CELL.findall(xml)
        columns = [found[1] for it in cells if (found := CELL_COLUMN.search(it))]
        self.cells += len(cells)
        self.named += len(columns)
        self.columns.update(columns)

    @property
    def area(self) -> int:
        """An upper bound: cells that do not say where they are may all stand in one row."""
        return self.rows * (max(map(_place, self.columns), default=0) + self.cells - self.named)


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = 26 * place + letter - 64
    return place


def _require_harmless(file: IO[bytes]) -> None:
    """Raises NotATable."""
    size = file.seek(0, 2)
    if size > MAX_WORKBOOK:
        raise _too_large()
    try:
        with ZipFile(file) as archive:
            parts = archive.infolist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        raise _unreadable() from None
    if "[Content_Types].xml" not in {it.filename for it in parts}:
        raise _unreadable()
    if len(parts) > MAX_PARTS or sum(it.file_size for it in parts) > MAX_UNPACKED:
        raise _too_large()
    for part in parts:
        extent, rest = _Extent(), b""
        for block in _unpacked(file, part):
            rest += block
            whole = rest.rfind(b">") + 1
            extent.add(rest[:whole])
            rest = rest[whole:]
            if len(rest) > 2 * BLOCK:
                rest = b""  # no tag is so long: a picture, or a text
            if extent.area > MAX_CELLS:
                raise _too_large()


def _unpacked(file: IO[bytes], part: ZipInfo) -> Iterator[bytes]:
    """What is packed there, and never more than it is said to be: the reader does not look."""
    file.seek(part.header_offset)
    head = file.read(LOCAL_HEAD)
    if part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or part.flag_bits & 1 or len(head) < LOCAL_HEAD:
        raise _unreadable()
    file.seek(sum(unpack("<HH", head[26:])), 1)
    packed = file.read(part.compress_size)
    if part.compress_type == ZIP_STORED:
        yield packed
        return
    reader, unpacked = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while packed and not reader.eof:
        try:
            block = reader.decompress(packed, BLOCK)
        except zlib.error:
            raise _unreadable() from None
        packed = reader.unconsumed_tail
        unpacked += len(block)
        if unpacked > part.file_size:
            raise _unreadable()
        yield block


def _unreadable() -> NotATable:
    return NotATable(
        "this is no workbook that can be read: save it as .xlsx, without a password, or the sheet as CSV UTF-8",
        "无法读取这个工作簿：请另存为不加密码的 .xlsx，或将工作表另存为 CSV UTF-8",
    )


def _too_large() -> NotATable:
    return NotATable(
        f"this workbook is too large (at most {MAX_WORKBOOK >> 20} MiB, {MAX_UNPACKED >> 20} MiB unpacked, "
        f"{MAX_CELLS} cells): save the sheet as CSV UTF-8, and send that",
        f"工作簿过大（至多 {MAX_WORKBOOK >> 20} MiB，解压后 {MAX_UNPACKED >> 20} MiB，{MAX_CELLS} 个单元格）："
        "请将工作表另存为 CSV UTF-8",
    )
