"""Tables as offices send them: whatever the encoding, with the line of each row that cannot be read."""

import io
from collections.abc import Sequence
from contextlib import nullcontext

import pytest
from registry.domain.faults import Fault, Why
from registry.importing.table import (
    MAX_COLUMNS,
    MAX_LINE,
    MAX_LINES,
    MAX_LINES_OF_A_ROW,
    NotATable,
    Row,
    open_csv,
    open_table,
)

HEAD = "ref,name,note"


def told(content: bytes | str, required: Sequence[str] = ("ref", "name", "note")) -> list[object]:
    """What each row says, or the reason why it cannot be read, by line."""
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return [
        (row.line, row.cells) if isinstance(row, Row) else (row[0], row[1].why)
        for row in open_table(file, required).rows()
    ]


@pytest.mark.parametrize(
    ("encoding", "end"), [("utf-8", "\n"), ("utf-8-sig", "\r\n"), ("gb18030", "\r\n"), ("gbk", "\n"), ("utf-8", "\r")]
)
def test_a_table_reads_the_same_in_every_encoding(encoding: str, end: str) -> None:
    text = end.join([HEAD, "1,王小明,联通", "2,䶮,", ""] if encoding != "gbk" else [HEAD, "1,王小明,联通", "2,龚,", ""])
    second = "龚" if encoding == "gbk" else "䶮"
    assert told(text.encode(encoding)) == [
        (2, {"ref": "1", "name": "王小明", "note": "联通"}),
        (3, {"ref": "2", "name": second, "note": ""}),
    ]


def test_a_line_that_looks_like_utf_8_by_chance_does_not_hide_that_the_file_is_gb18030() -> None:
    content = f"{HEAD}\n1,谭,\n2,王小明,\n3,陈芳,\n".encode("gb18030")
    assert "1,谭,".encode("gb18030").decode("utf-8") != "1,谭,"  # it does look like it
    assert [row[1]["name"] for row in told(content)] == ["谭", "王小明", "陈芳"]  # type: ignore[index]


def test_one_damaged_line_in_utf_8_is_told_and_turns_no_other_into_other_characters() -> None:
    content = f"{HEAD}\n1,王小明,\n2,".encode() + b"\xe7\x8e" + ",\n3,陈芳,\n4,李伟,\n".encode()
    assert told(content)[1] == (3, Why.ENCODING)
    assert told(content)[2] == (4, {"ref": "3", "name": "陈芳", "note": ""})


def test_columns_may_stand_in_any_order_and_others_are_passed_over() -> None:
    assert told("name,extra,ref\n甲,x,1\n", ["ref", "name"]) == [(2, {"name": "甲", "extra": "x", "ref": "1"})]


def test_spaces_around_cells_and_blank_rows_mean_nothing() -> None:
    assert told(f"{HEAD}\n\n 1 ,\u3000王 小明\u3000,\n,,\n") == [(3, {"ref": "1", "name": "王 小明", "note": ""})]


def test_a_cell_may_hold_commas_quotation_marks_and_line_breaks() -> None:
    content = f'{HEAD}\n1,"甲,乙","a ""b""\nc"\n2,丙,\n'
    assert told(content) == [
        (2, {"ref": "1", "name": "甲,乙", "note": 'a "b" c'}),
        (4, {"ref": "2", "name": "丙", "note": ""}),
    ]


def test_a_quotation_mark_that_nobody_closes_costs_one_row() -> None:
    rows = "".join(f"{n},丙,\n" for n in range(2 * MAX_LINES_OF_A_ROW))
    found = told(f'{HEAD}\n1,"甲,\n{rows}')
    assert found[0] == (2, Why.QUOTES)
    assert len(found) == 1 + 2 * MAX_LINES_OF_A_ROW
    closed_far_below = f'{HEAD}\n1,"甲,\n{rows}x",乙\n'
    assert len(told(closed_far_below)) == 2 + 2 * MAX_LINES_OF_A_ROW
    assert told(f'{HEAD}\n1,甲,\n2,"乙,\n')[1] == (3, Why.QUOTES)
    assert told(f'{HEAD}\n1,"甲"乙,\n2,丙,\n') == [(2, Why.QUOTES), (3, {"ref": "2", "name": "丙", "note": ""})]


def test_a_row_with_more_or_fewer_cells_than_the_head_is_told() -> None:
    assert told(f"{HEAD}\n1,甲\n2,乙,,\n3,丙,\n")[:2] == [(2, Why.COLUMNS), (3, Why.COLUMNS)]


def test_an_endless_line_is_cut_and_told() -> None:
    assert told(f"{HEAD}\n1,{'甲' * 3 * MAX_LINE},\n2,乙,\n") == [
        (2, Why.TOO_LONG),
        (3, {"ref": "2", "name": "乙", "note": ""}),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "must name the columns: ref,name,note"),
        (b"ref,note\n1,2\n", "missing in the first line: name"),
        (b"ref,name,note,name\n", "twice"),
        (b"PK\x03\x04\x14\x00", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old kind"),
        (HEAD.encode("utf-16"), "UTF-16"),
        (b'ref,"name,note\n', "must name the columns"),
    ],
)
def test_what_is_no_table_is_refused_with_what_would_be_right(content: bytes, words: str) -> None:
    with pytest.raises(NotATable, match=words):
        told(content)


def test_the_reasons_are_faults_of_the_row() -> None:
    [(line, fault, cells)] = open_table(io.BytesIO(b"ref\n1,2\n"), ["ref"]).rows()  # type: ignore[misc]
    assert (line, cells) == (2, ["1", "2"])
    assert isinstance(fault, Fault)
    assert fault.field == "row"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (HEAD + "\n" * (MAX_LINES + 1), "more than 5000000 lines"),
        (HEAD + "," + ",".join(f"c{nth}" for nth in range(MAX_COLUMNS)) + "\n", "more than 100 columns"),
    ],
    ids=["lines", "columns"],
)
def test_a_table_that_is_larger_than_any_register_is_refused_whole(content: str, sentence: str) -> None:
    with pytest.raises(NotATable, match=sentence):
        told(content)


def test_a_table_as_large_as_is_allowed_is_read() -> None:
    for lines, taken in ((100, True), (101, False)):
        file = io.BytesIO((HEAD + "\n" + "1,a,b\n" * (lines - 1)).encode())
        with nullcontext() if taken else pytest.raises(NotATable, match="more than 100 lines"):
            assert len(list(open_csv(file, ["ref"], {"ref"}.issubset, most=100).rows())) == 99
