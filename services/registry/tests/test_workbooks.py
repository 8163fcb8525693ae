"""Workbooks before they are read: neither may little become much, nor two cells far apart a sheet beyond all memory."""

import io
import zlib
from collections.abc import Callable
from datetime import date, datetime
from struct import pack
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook
from registry.importing import workbook
from registry.importing.table import NotATable, Row
from registry.importing.workbook import open_workbook, written

HEAD = ["ref", "name"]


def book(fill: Callable[[Any], None]) -> io.BytesIO:
    """A workbook with one sheet."""
    it = Workbook()
    fill(it.active)
    file = io.BytesIO()
    it.save(file)
    return file


def told(file: io.BytesIO, sheet: str | None = None) -> list[object]:
    """What each row says, by line."""
    table = open_workbook(file, sheet, HEAD, set(HEAD).issubset)
    return [(row.line, row.cells) if isinstance(row, Row) else (row.line, row.fault.why) for row in table.rows()]


def why(file: io.BytesIO) -> str:
    with pytest.raises(NotATable) as error:
        told(file)
    return error.value.said.en


def filled(sheet: Any) -> None:
    sheet["B3"], sheet["C3"], sheet["B5"], sheet["C5"] = "ref", "name", 7, "王小明"


def repacked(file: io.BytesIO, change: Callable[[str, bytes], bytes]) -> io.BytesIO:
    """The same workbook with other parts."""
    other = io.BytesIO()
    with ZipFile(file) as before, ZipFile(other, "w", ZIP_DEFLATED) as after:
        for part in before.infolist():
            after.writestr(part.filename, change(part.filename, before.read(part)))
    return other


def test_lines_are_those_of_the_sheet_wherever_its_table_begins() -> None:
    assert told(book(filled)) == [(5, {"ref": "7", "name": "王小明"})]


def test_blank_columns_beside_the_table_mean_nothing() -> None:
    def fill(sheet: Any) -> None:
        filled(sheet)
        sheet["F4"], sheet["H4"] = "x", "y"

    assert told(book(fill))[0] == (4, {"ref": "", "name": "", "": "y"})


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (6.0, "6"),
        (15412345678.0, "15412345678"),
        (9.90502196503154e17, "9.90502196503154e+17"),
        (120.094636, "120.094636"),
        (True, "yes"),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23, 8, 30), "2026-11-23 08:30:00"),
        ("０1", "０1"),
        (None, ""),
    ],
)
def test_cells_are_written_as_one_would_write_them(cell: Any, text: str) -> None:
    assert written(cell) == text


def test_what_is_merged_over_several_rows_stands_in_each_of_them() -> None:
    def fill(sheet: Any) -> None:
        sheet["B1"] = "登记表"
        sheet.merge_cells("B1:C1")
        sheet["B2"], sheet["C3"] = "ref", "name"
        sheet.merge_cells("B2:B3")
        for row, (ref, name) in enumerate([(1, "甲"), (None, "乙"), (2, "丙"), (None, None), (None, "丁")], 4):
            sheet[f"B{row}"], sheet[f"C{row}"] = ref, name
        sheet.merge_cells("B4:B5")
        sheet.merge_cells("B6:B7")

    assert told(book(fill)) == [
        (4, {"ref": "1", "name": "甲"}),
        (5, {"ref": "1", "name": "乙"}),
        (6, {"ref": "2", "name": "丙"}),
        (8, {"ref": "", "name": "丁"}),
    ]


def test_cells_far_apart_are_refused_before_they_are_laid_out() -> None:
    def far(sheet: Any) -> None:
        sheet["A1"], sheet["XFD1048576"] = "ref", "x"

    assert "too large" in why(book(far))


@pytest.mark.parametrize(
    ("tag", "other"),
    [(b'<c r="B3"', b"<c   s=\"0\" r='XFD9000'"), (b'<row r="3"', b"<row r='1048576'"), (b'<c r="B3"', b"<c")],
    ids=["a column", "a row", "no place"],
)
def test_however_its_tags_are_written(tag: bytes, other: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    file = book(filled)
    monkeypatch.setattr(workbook, "MAX_CELLS", 15)
    assert told(file)
    assert "too large" in why(repacked(file, lambda _, part: part.replace(tag, other)))


def test_a_formatted_row_without_values_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(sheet: Any) -> None:
        filled(sheet)
        sheet["XFD3"].number_format = "@"

    assert told(book(fill))


def test_what_unpacks_to_too_much_is_refused() -> None:
    file = repacked(book(filled), lambda name, part: part + b" " * 200_000_000 if "sheet1" in name else part)
    assert "too large" in why(file)


def test_what_unpacks_to_more_than_it_says_is_refused() -> None:
    file = book(filled)
    with ZipFile(file) as archive:
        [part] = [it for it in archive.infolist() if "sheet1" in it.filename]
    size = pack("<L", part.file_size)
    assert file.getvalue().count(size) >= 2
    assert "no workbook that can be read" in why(io.BytesIO(file.getvalue().replace(size, pack("<L", 10))))


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04",
        b"PK\x05\x06" + b"\0" * 18,
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    assert "no workbook that can be read" in why(io.BytesIO(content))


def test_any_archive_is_no_workbook() -> None:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "ref,name")
    assert "no workbook" in why(file)


def test_a_damaged_workbook_is_refused() -> None:
    file = book(filled)
    assert "no workbook" in why(repacked(file, lambda name, part: part[:40] if "workbook.xml" in name else part))
    packed = bytearray(file.getvalue())
    packed[60:80] = b"\xff" * 20
    with pytest.raises((NotATable, zlib.error)):
        told(io.BytesIO(bytes(packed)))


def test_hidden_sheets_are_passed_over_unless_they_are_named() -> None:
    it = Workbook()
    it.active.sheet_state = "hidden"  # type: ignore[union-attr]
    it.active.title = "旧"  # type: ignore[union-attr]
    it.active.append(["x"])  # type: ignore[union-attr]
    shown: Any = it.create_sheet("新")
    shown.append(HEAD)
    shown.append([1, "甲"])
    file = io.BytesIO()
    it.save(file)
    assert told(file) == [(2, {"ref": "1", "name": "甲"})]
    with pytest.raises(NotATable, match="no sheet of this name"):
        told(file, "别")
