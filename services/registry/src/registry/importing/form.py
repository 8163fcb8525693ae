"""An empty form for a register: a workbook whose headings are understood when it comes back, filled in.

Its cells are text, so that no spreadsheet makes numbers of identity numbers or days of house numbers.
"""

from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import IO, Any, cast

from registry.importing.headings import VALUES, WORDS_FOR, heading

NUMBERS = frozenset({"longitude", "latitude", "floors", "built_year", "deadline_minutes"})
ROWS = 10_000
"""For how many rows a list of the words to choose from is offered."""
WIDTH = 18


def form(register: str, columns: Sequence[str]) -> IO[bytes]:
    """The form as XLSX: each heading in Chinese, our own name of the column in a comment on it."""
    # Here, and not above: it takes 20 MB, which no idle service is to pay for.
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.cell_range import MultiCellRange
    from openpyxl.worksheet.datavalidation import DataValidation

    workbook = Workbook()
    sheet = cast("Any", workbook.active)
    sheet.title = register
    for nth, column in enumerate(columns, 1):
        letter = get_column_letter(nth)
        cell = sheet.cell(1, nth, heading(register, column))
        cell.font = Font(bold=True)
        cell.comment = Comment(column, "commongrid")
        sheet.column_dimensions[letter].width = WIDTH
        if column not in NUMBERS:
            sheet.column_dimensions[letter].number_format = "@"
        if words := WORDS_FOR.get(column, {}).values() if (register, column) in VALUES else ():
            choice = DataValidation("list", formula1=f'"{",".join(words)}"', allow_blank=True)
            choice.sqref = MultiCellRange(f"{letter}2:{letter}{ROWS}")
            sheet.add_data_validation(choice)
    sheet.freeze_panes = "A2"
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115  # it ends with the answer
    workbook.save(file)
    file.seek(0)
    return file
