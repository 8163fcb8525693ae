"""What stands in a cell, and what spreadsheets have done to it."""

from collections.abc import Callable
from datetime import date

import pytest
from contracts.registry import DueKind, DutyFacts
from registry.domain.faults import Fault, Why
from registry.importing.cells import day, degrees, digits, needed, text, whole
from registry.importing.headings import VALUES
from registry.importing.sheets import duty


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
    [
        ("138 1234 5678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("'13812345678", "13812345678"),
        ("0572-8888888", "05728888888"),
        ("11010519491231002x", "11010519491231002X"),
    ],
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


@pytest.mark.parametrize(
    "cell", ["1995-02-30", "23.11.2026", "26-11-23", "2026-11", "2026.11", "2026年11月", "民国115年11月23日", "1995"]
)
def test_no_days(cell: str) -> None:
    assert why(lambda: day({"cell": cell}, "cell")) is Why.NOT_A_DATE


@pytest.mark.parametrize("cell", ["46349", "46349.5"])
def test_a_day_that_a_spreadsheet_has_counted_is_no_day(cell: str) -> None:
    assert why(lambda: day({"cell": cell}, "cell")) is Why.NUMERIC_CELL


@pytest.mark.parametrize(
    "cell",
    [
        "2026-11-23",
        "2026/11/23",
        "2026.11.23",
        "20261123",
        "2026年11月23日",
        "2026 年 11 月 23 号",
        "２０２６年１１月２３日",
        "二〇二六年十一月二十三日",
        "二零二六年十一月二十三日",
        "2026/11/23 0:00",
        "2026-11-23 00:00:00",
    ],
)
def test_a_day_is_read_however_chinese_forms_write_it(cell: str) -> None:
    assert day({"cell": cell}, "cell") == date(2026, 11, 23)


def test_tens_are_read_as_one_says_them() -> None:
    for said, meant in {"十月十日": (10, 10), "一月二十日": (1, 20), "十二月三十一日": (12, 31)}.items():
        assert day({"cell": f"二〇〇八年{said}"}, "cell") == date(2008, *meant)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("六", Why.NOT_A_NUMBER), ("6.5", Why.NOT_A_NUMBER), ("0", Why.OUT_OF_RANGE)],
)
def test_whole_numbers(cell: str, reason: Why) -> None:
    assert whole({"cell": "6"}, "cell", 1, 200) == whole({"cell": "６"}, "cell", 1, 200) == 6
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


A_DUTY = dict.fromkeys(["clock", "role", "skills", "photos", "weight", "look_percent", "urgent", "rule"], "") | {
    "category": "lapse",
    "title_zh": "登记到期",
    "title_en": "Registration lapsed",
    "department_zh": "派出所",
    "department_en": "Police station",
    "grid_duty": "yes",
    "deadline_minutes": "4320",
    "standard_zh": "已续登",
    "standard_en": "Renewed",
    "legal_basis": "《居住证暂行条例》",
}


def test_a_duty_names_what_is_a_case_when_its_day_has_passed_or_nothing() -> None:
    facts = duty(A_DUTY | {"rule": VALUES["duties", "rule"]["流动人口登记到期"]}).facts
    assert isinstance(facts, DutyFacts)
    assert facts.rule is DueKind.REGISTRATION
    without = duty(A_DUTY).facts
    assert isinstance(without, DutyFacts)
    assert without.rule is None
    with pytest.raises(Fault) as fault:
        duty(A_DUTY | {"rule": "birthday"})
    assert (fault.value.field, fault.value.why) == ("rule", Why.UNKNOWN_CHOICE)
