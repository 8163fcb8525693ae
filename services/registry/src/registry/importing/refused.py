"""The rows that were refused as a file of the sender's own cells, to be mended and sent again, and why: CSV or XLSX.

What stands in front of their columns is passed over when the file comes back. A row of it that comes back as it is is
refused again.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from tempfile import TemporaryFile
from typing import IO, Any, Protocol, cast

from registry.domain.formulas import safe
from registry.importing.entering import Refusal
from registry.importing.telling import Language, column_of, words

OURS = ("line", "column", "error", "message")
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_ROWS = 1_048_575
"""What a sheet holds, below its head."""
UTF8_MARK = "\ufeff"


class Writer(Protocol):
    """What writes a table."""

    def row(self, cells: Sequence[str]) -> None:
        """One row."""
        ...

    def file(self) -> IO[bytes]:
        """The whole, from its beginning; nothing can be written afterwards."""
        ...


class CsvWriter:
    """UTF-8 with a byte order mark, so that spreadsheets see that it is; no cell is a formula."""

    def __init__(self) -> None:
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115  # it ends with the answer
        self._text = io.TextIOWrapper(self._file, "utf-8", newline="", errors="replace")
        self._text.write(UTF8_MARK)
        self._csv = csv.writer(self._text)

    def row(self, cells: Sequence[str]) -> None:
        """One row."""
        self._csv.writerow([safe(cell) for cell in cells])

    def file(self) -> IO[bytes]:
        """The whole, from its beginning."""
        self._text.detach()
        self._file.seek(0)
        return self._file


class XlsxWriter:
    """Every cell is text: digits stay, and nothing is a formula."""

    def __init__(self) -> None:
        # Here, and not above: it takes 20 MB, which no idle service is to pay for.
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.utils.exceptions import IllegalCharacterError

        self._workbook = Workbook(write_only=True)
        self._sheet = self._workbook.create_sheet()
        self._new_cell, self._illegal = WriteOnlyCell, IllegalCharacterError

    def row(self, cells: Sequence[str]) -> None:
        """One row."""
        self._sheet.append([self._text(cell) for cell in cells])

    def _text(self, value: str) -> Any:
        cell = cast("Any", self._new_cell(self._sheet))
        try:
            cell.value = value
        except self._illegal:
            cell.value = "".join(it if it.isprintable() else "\ufffd" for it in value)
        cell.data_type = "s"
        cell.number_format = "@"
        return cell

    def file(self) -> IO[bytes]:
        """The whole, from its beginning."""
        file: IO[bytes] = TemporaryFile()  # noqa: SIM115  # it ends with the answer
        self._workbook.save(file)
        file.seek(0)
        return file


WRITERS: Mapping[str, type[CsvWriter | XlsxWriter]] = {CSV: CsvWriter, XLSX: XlsxWriter}


class RefusedRows:
    """The file on its way. `head` is that of the sender's table, `headings` says what they call our columns."""

    def __init__(
        self, writer: Writer, head: Sequence[str], headings: Mapping[str, Sequence[str]], language: Language
    ) -> None:
        self._writer = writer
        self._headings = headings
        self._language: Language = language
        self._skip = len(OURS) if tuple(head[: len(OURS)]) == OURS else 0
        theirs = head[self._skip :]
        writer.row([*(f"{it}_" if it in theirs else it for it in OURS), *theirs])

    def add(self, refusal: Refusal) -> None:
        """One more row."""
        fault = refusal.fault
        column = column_of(fault)
        called = "+".join(self._headings.get(column, ())) or column
        said = getattr(words(fault, called), self._language)
        self._writer.row([str(refusal.line), called, fault.why, said, *refusal.as_sent[self._skip :]])

    def file(self) -> IO[bytes]:
        """The whole, from its beginning."""
        return self._writer.file()
