"""What stands in a cell, and what spreadsheets have done to it."""

from collections.abc import Callable
from datetime import date

import pytest
from registry.domain.faults import Fault, Why
from registry.importing.cells import day, degrees, digits, needed, text, whole


def why(read: Callable[[], object]) -> Why:
    with pytest.raises(Fault) as fault:
        read()
    assert fault.value.field == "cell"
    return fault.value.why


@pytest.mark.parametrize("cell", ["13812345678.0", "1.1010519491231E+17", "9.93402198604120e+17", "1E+17", "110105.5"])
def test_a_number_that_a_spreadsheet_made_of_digits_is_found(cell: str) -> None:
    assert why(lambda: digits({"cell": cell}, "cell")) is Why.NUMERIC_CELL


@pytest.mark.parametrize(
    ("cell", "meant"),
    [("138 1234 5678", "13812345678"), ("0572-8888888", "05728888888"), ("11010519491231002x", "11010519491231002X")],
)
def test_digits_are_read_without_spaces_and_hyphens(cell: str, meant: str) -> None:
    assert digits({"cell": cell}, "cell") == meant


def test_a_credit_code_with_an_e_is_no_number() -> None:
    assert digits({"cell": "9133010010000E1234"}, "cell") == "9133010010000E1234"


@pytest.mark.parametrize(
    ("cell", "meant"), [("2026-11-23", date(2026, 11, 23)), ("2026/1/5", date(2026, 1, 5)), ("", None)]
)
def test_days(cell: str, meant: date | None) -> None:
    assert day({"cell": cell}, "cell") == meant


@pytest.mark.parametrize("cell", ["1995-02-30", "20261123", "23.11.2026", "２026-11-23", "45000"])
def test_no_days(cell: str) -> None:
    assert why(lambda: day({"cell": cell}, "cell")) is Why.NOT_A_DATE


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("六", Why.NOT_A_NUMBER), ("6.5", Why.NOT_A_NUMBER), ("0", Why.OUT_OF_RANGE), ("９", Why.NOT_A_NUMBER)],
)
def test_whole_numbers(cell: str, reason: Why) -> None:
    assert whole({"cell": "6"}, "cell", 1, 200) == 6
    assert whole({"cell": ""}, "cell", 1, 200) is None
    assert why(lambda: whole({"cell": cell}, "cell", 1, 200)) is reason


@pytest.mark.parametrize("cell", ["nan", "inf", "120°", ""])
def test_degrees(cell: str) -> None:
    assert degrees({"cell": "120.0936"}, "cell") == 120.0936
    assert why(lambda: degrees({"cell": cell}, "cell")) in (Why.NOT_A_NUMBER, Why.MISSING)


def test_texts() -> None:
    assert text({"cell": ""}, "cell") == ""
    assert why(lambda: needed({"cell": ""}, "cell")) is Why.MISSING
    assert why(lambda: text({"cell": "a\x00b"}, "cell")) is Why.NOT_TEXT
    assert why(lambda: text({"cell": "长" * 501}, "cell")) is Why.TOO_LONG
