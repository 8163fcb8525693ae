"""What stands in a cell, as what it means; raises Fault where it cannot mean that."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from math import isfinite
from typing import TypeVar

from registry.domain.faults import Fault, Why
from registry.importing.dates import day_in, is_serial

Cells = Mapping[str, str]
C = TypeVar("C", bound=StrEnum)

MAX_TEXT = 500
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
MADE_A_NUMBER = re.compile(r"[0-9]+\.[0-9]*(?:[eE]\+?[0-9]+)?|[0-9]+[eE]\+[0-9]+")
"""What spreadsheets make of a long row of digits: 13812345678.0, 1.10105194912310E+17."""


def text(cells: Cells, column: str) -> str:
    """What stands there, which may be nothing."""
    value = cells[column]
    if len(value) > MAX_TEXT:
        raise Fault(column, Why.TOO_LONG)
    if not value.isprintable() and CONTROL.search(value):
        raise Fault(column, Why.NOT_TEXT)
    return value


def needed(cells: Cells, column: str) -> str:
    """What stands there, which must be something."""
    value = text(cells, column)
    if not value:
        raise Fault(column, Why.MISSING)
    return value


def several(cells: Cells, column: str) -> tuple[str, ...]:
    """What stands there, parted by commas, semicolons or 、."""
    parts = re.split("[,;，；、]", text(cells, column))
    return tuple(it.strip() for it in parts if it.strip())


def digits(cells: Cells, column: str) -> str:
    """A number that is a name (identity number, telephone), without spaces and hyphens, letters as capitals, none of
    them of full width; an apostrophe in front only keeps spreadsheets from making a number of it."""
    value = unicodedata.normalize("NFKC", text(cells, column))
    if MADE_A_NUMBER.fullmatch(value):
        raise Fault(column, Why.NUMERIC_CELL)
    return value.removeprefix("'").replace(" ", "").replace("-", "").upper()


def needed_digits(cells: Cells, column: str) -> str:
    """The same, where there must be one."""
    needed(cells, column)
    return digits(cells, column)


def whole(cells: Cells, column: str, least: int, most: int) -> int | None:
    """A whole number from `least` to `most`, if there is one."""
    value = unicodedata.normalize("NFKC", text(cells, column))
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,15}", value):
        raise Fault(column, Why.NOT_A_NUMBER)
    if not least <= int(value) <= most:
        raise Fault(column, Why.OUT_OF_RANGE)
    return int(value)


def degrees(cells: Cells, column: str) -> float:
    """A longitude or latitude."""
    try:
        value = float(needed(cells, column))
    except ValueError:
        raise Fault(column, Why.NOT_A_NUMBER) from None
    if not isfinite(value):
        raise Fault(column, Why.NOT_A_NUMBER)
    if not -180 <= value <= 180:
        raise Fault(column, Why.OUT_OF_RANGE)
    return value


def day(cells: Cells, column: str) -> date | None:
    """A day, if there is one, however Chinese forms write it: see `dates`."""
    value = text(cells, column)
    if not value:
        return None
    if is_serial(value):
        raise Fault(column, Why.NUMERIC_CELL)
    found = day_in(value)
    if found is None:
        raise Fault(column, Why.NOT_A_DATE)
    return found


def choice(cells: Cells, column: str, choices: type[C], why: Why = Why.UNKNOWN_CHOICE) -> C:
    """One of the values to choose from."""
    value = needed(cells, column)
    try:
        return choices(value)
    except ValueError:
        raise Fault(column, why) from None
