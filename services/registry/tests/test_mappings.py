"""Columns by any name: headings of Chinese forms, mappings, what comes back from a file of refused rows; and which ids
have come by."""

import io
import tracemalloc
from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
import pytest
from edge.mapping import Mapped
from registry.domain.faults import Fault, Why
from registry.domain.formulas import disarmed, safe
from registry.importing.headings import HEADINGS, VALUES, heading, meant
from registry.importing.mapping import read_mapping
from registry.importing.reading import open_file
from registry.importing.seen import Firsts, Seen
from registry.importing.sheets import SHEETS
from registry.importing.table import NotATable, Row

COLUMNS = ["person_ref", "name", "sex", "phone"]


def cells(content: str, mapping: Mapping[str, Any] | None = None) -> list[dict[str, str]]:
    """Each row by our columns."""
    mapped = read_mapping(orjson.dumps({"columns": mapping})) if mapping else Mapped()
    table, plan = open_file(io.BytesIO(content.encode()), "people", COLUMNS, mapped, None)
    return [
        {column: row[column] for column in COLUMNS}
        for it in table.rows()
        if isinstance(it, Row)
        for row in [plan.cells(it.cells)]
    ]


ONE = {"person_ref": "1", "name": "王小明", "sex": "1", "phone": "2"}


@pytest.mark.parametrize(
    "content",
    [
        "person_ref,name,sex,phone\n1,王小明,1,2\n",
        "人员编号,姓名,性别,手机\n1,王小明,男,2\n",
        "人员编号*,姓 名,性别（必填）,联系电话：\n1,王小明,男性,2\n",
        "序号,phone,人口编码,姓名,性别\n9,2,1,王小明,1\n",
        "人口登记表,,,\n填表日期,,,\n\n人员编号,姓名,性别,手机\n1,王小明,男,2\n",
        '[{"姓名": "王小明", "性别": "男", "phone": 2, "person_ref": 1}]',
        '{"姓名": "王小明", "性别": "男", "phone": "2", "person_ref": "1"}\n',
    ],
)
def test_headings_and_words_of_chinese_forms_are_understood(content: str) -> None:
    assert cells(content) == [ONE]


def test_a_name_is_never_made_another() -> None:
    assert cells("人员编号,姓名,性别,手机\n1,Ｗang男,男,2\n")[0]["name"] == "Ｗang男"


def test_two_headings_for_one_column_are_not_guessed_at() -> None:
    content = "人员编号,姓名,性别,手机,联系电话\n1,王小明,男,2,3\n"
    with pytest.raises(NotATable, match="both 手机 and 联系电话 could be phone"):
        cells(content)
    assert cells(content, {"phone": "联系电话"})[0]["phone"] == "3"


def test_a_mapping_takes_joins_and_says_what_is_always_so() -> None:
    content = "a,b,c,d\n1,王小明,M,2\n,,,\n3,,F,4\n"
    assert cells(
        content,
        {
            "person_ref": {"join": ["a", "d"], "with": "-"},
            "name": "b",
            "sex": {"from": "c", "values": {"M": "1"}},
            "phone": {"value": "0"},
        },
    ) == [
        {"person_ref": "1-2", "name": "王小明", "sex": "1", "phone": "0"},
        {"person_ref": "3-4", "name": "", "sex": "F", "phone": "0"},
    ]


def test_a_reference_that_has_lost_digits_is_found() -> None:
    with pytest.raises(Fault) as fault:
        cells("person_ref,name,sex,phone\n2.02611E+11,王小明,1,\n")
    assert (fault.value.field, fault.value.why) == ("person_ref", Why.NUMERIC_CELL)


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (b"{", "mapping"),
        (b"[]", "mapping"),
        (b" " * 70_000, "64 KiB"),
        (b'{"source": "a b"}', "mapping.source"),
        (b'{"columns": {"name": {"join": ["a"]}}}', "mapping.columns.name.join"),
        (b'{"columns": {"name": {"value": "x", "values": {}, "with": "-"}}}', "`with` goes with `join`"),
        (b'{"columns": {"name": {"value": "x", "values": {"a": "b"}}}}', "`values` goes with `from`"),
        (b'{"columns": {"name": 7}}', "mapping.columns.name"),
    ],
)
def test_what_is_no_mapping_is_refused_and_named(mapping: bytes, words: str) -> None:
    with pytest.raises(NotATable) as error:
        read_mapping(mapping)
    assert words in error.value.said.en
    assert error.value.said.zh != error.value.said.en


def test_every_column_of_every_register_has_a_heading_of_its_own() -> None:
    for register, sheet in SHEETS.items():
        called = [heading(register, column) for column in sheet.columns]
        assert len(set(called)) == len(called)
        assert meant(register, called) == dict(zip(called, sheet.columns, strict=True))


def test_no_heading_means_two_columns() -> None:
    for register, columns in HEADINGS.items():
        names = [name for many in columns.values() for name in many.split()]
        assert len(set(names)) == len(names), register


def test_no_word_stands_for_what_is_no_value() -> None:
    for (register, column), words in VALUES.items():
        assert column in HEADINGS[register]
        assert not set(words) & set(words.values())


@pytest.mark.parametrize("cell", ["=1+1", "+86", "-5", "@x", "＝1", " =1", "\t=1", "\r=1"])
def test_no_formula_goes_out_and_what_comes_back_is_what_it_was(cell: str) -> None:
    assert safe(cell).startswith("'")
    assert disarmed(safe(cell)) == cell
    assert safe(safe(cell)) == safe(cell)


@pytest.mark.parametrize("cell", ["", "a=b", "'quoted'", "'", "3-5"])
def test_what_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert safe(cell) == cell == disarmed(cell)


def test_a_code_may_have_digits_of_full_width() -> None:
    assert cells("人员编号,姓名,性别,手机\n1,王小明,１,2\n") == [ONE]


def test_the_ids_of_five_million_rows_take_no_more_than_they_are_said_to() -> None:
    tracemalloc.start()
    try:
        Seen(5_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 68_000_000


def test_each_id_is_new_once_however_many_there_are() -> None:
    seen = Seen(10)
    assert [seen.add(f"id-{nth}") for nth in range(5_000)] == [True] * 5_000
    assert [seen.add(f"id-{nth}") for nth in range(5_000)] == [False] * 5_000


def test_who_took_a_place_first_has_it_however_many_there_are() -> None:
    firsts = Firsts()
    ids = {f"place-{nth}": str(uuid5(NAMESPACE_URL, f"{nth}")) for nth in range(5_000)}
    assert [firsts.take(place, id_) for place, id_ in ids.items()] == list(ids.values())
    other = str(uuid5(NAMESPACE_URL, "other"))
    assert {place: firsts.take(place, other) for place in ids} == {place: firsts.get(place) for place in ids} == ids
    assert firsts.get("nowhere") is None


def test_the_places_of_eight_hundred_thousand_addresses_take_less_than_80_mb() -> None:
    tracemalloc.start()
    try:
        firsts, id_ = Firsts(), str(uuid5(NAMESPACE_URL, "one"))
        for nth in range(800_000):
            firsts.take(f"place-{nth}", id_)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 80_000_000
