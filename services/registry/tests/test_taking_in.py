"""Registers are taken in from whatever a stranger sends: workbooks, foreign headings, JSON; looked at before, broken
off and gone on with, and what is refused comes back as a file to be mended.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any

import httpx2
import orjson
import pytest
from edge.callers import Callers
from edge.testing import issuer, served, token
from events.runtime import Runtime
from events.testing import eventually
from openpyxl import Workbook, load_workbook
from registry.importing import bringing
from registry.importing.refused import CSV, XLSX
from registry.service import application

from .conftest import EXAMPLES, FILES, Answer, Office

COMMUNITY = EXAMPLES / "community"
HEAD = [
    "人员编号",
    "姓名",
    "身份证号",
    "性别",
    "出生日期",
    "手机",
    "人员类别",
    "户编号",
    "与户主关系",
    "地址编码",
    "登记有效期至",
]
ADDRESSES = "address_ref,division_code,street,number,building,unit,floor,room,longitude,latitude\n"
HERE = f"{ADDRESSES}A1,990502001001,样例路,1,,,,,120.5,30.5\n"
HOUSEHOLD = "household_ref,address_ref\nH1,A1\n"
TAN = ["P1", "谭瑞", "990502196503154658", "男", date(1965, 3, 15), "15412345678", "常住", "H1", "户主", "A1", None]


def workbook(*rows: Sequence[Any], title: str = "人口") -> bytes:
    """A workbook with these rows; nothing in it is a formula."""
    file = io.BytesIO()
    book = Workbook()
    sheet: Any = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for cell in (it for row in sheet.iter_rows() for it in row if it.data_type == "f"):
        cell.data_type = "s"
    book.save(file)
    return file.getvalue()


def but(row: Sequence[Any], **others: Any) -> list[Any]:
    """The same row with other cells, by heading."""
    return [others.get(heading, cell) for heading, cell in zip(HEAD, row, strict=True)]


async def settle(office: Office) -> None:
    """One address and one household."""
    await office.brings("addresses", HERE)
    await office.brings("households", HOUSEHOLD)


def sheet_of(content: bytes) -> list[list[Any]]:
    """All rows of a workbook."""
    sheet: Any = load_workbook(io.BytesIO(content)).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


async def sends(office: Office, register: str, content: bytes | str, **options: Any) -> Answer:
    """Imports with further options."""
    response = await office.http.put(f"/registers/{register}", content=content, **options)
    assert response.status_code == 200, response.text
    return Answer([orjson.loads(line) for line in response.text.splitlines()])


async def test_a_chinese_workbook_is_understood_as_it_is(office: Office) -> None:
    await settle(office)
    content = workbook(["样例社区人口登记表"], ["填表说明：如实填写"], HEAD, TAN)
    answer = await office.brings("people", content)
    assert answer.bad == []
    assert answer.done == {"rows": 1, "registered": 1, "changed": 0, "unchanged": 0, "refused": 0}
    assert (await office.sees("/counts"))["people"] == {"permanent": 1}
    assert (await office.brings("people", content)).done["unchanged"] == 1


async def test_what_a_workbook_has_made_of_numbers_is_told_by_its_row(office: Office) -> None:
    await settle(office)
    lost = but(TAN, 人员编号="P2", 身份证号=990502196503154658)
    short = but(TAN, 人员编号="P3", 手机=1541234567.5)
    exact = but(TAN, 人员编号="P4", 手机=15412345678)
    far = but(TAN, 人员编号="P5", 出生日期=46349)
    answer = await office.brings("people", workbook(["登记表"], HEAD, TAN, [], lost, short, exact, far))
    assert answer.bad == [
        (5, "id_number", "numeric_cell"),
        (6, "phone", "numeric_cell"),
        (8, "birth_date", "numeric_cell"),
    ]
    assert answer.done["registered"] == 2


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=a", b"x", 400),
        ("multipart/form-data; boundary=a", b"--a\r\n\r\nx\r\n--a--\r\n", 400),
        (
            "multipart/form-data; boundary=a",
            b'--a\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--a--',
            422,
        ),
        ("application/json", b"[", 422),
        ("application/json", b"[" * 300 + b"]" * 300, 422),
        ("application/json", b'[{"' + b'":1,"'.join(b"%d" % nth for nth in range(101)) + b'":1}]', 422),
        ("application/x-ndjson", b"", 422),
    ],
)
async def test_what_is_no_file_of_its_kind_is_refused(office: Office, kind: str, body: bytes, status: int) -> None:
    response = await office.http.put("/registers/addresses", content=body, headers={"Content-Type": kind})
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


async def test_another_sheet_is_read_when_it_is_named(office: Office) -> None:
    file = io.BytesIO()
    book = Workbook()
    book.create_sheet("地址").append(HERE.splitlines()[0].split(","))
    book["地址"].append(HERE.splitlines()[1].split(","))
    book.save(file)
    assert (await sends(office, "addresses", file.getvalue(), params={"sheet": "地址"})).done["registered"] == 1
    for params, words in (({}, "must name"), ({"sheet": "x"}, "no sheet of this name")):
        response = await office.http.put("/registers/addresses", content=file.getvalue(), params=params)
        assert response.status_code == 422
        assert words in response.json()["detail"]


FOREIGN = "编号,名,证件,男女,生日,住所,楼,室\n7,谭瑞,990502196503154658,M,1965.3.15,H1,A,1\n"
MAPPING: Mapping[str, Any] = {
    "source": "psb",
    "columns": {
        "person_ref": "编号",
        "name": "名",
        "id_number": "证件",
        "sex": {"from": "男女", "values": {"M": "1", "F": "2"}},
        "birth_date": "生日",
        "phone": {"value": ""},
        "residency": {"value": "permanent"},
        "household_ref": "住所",
        "relation": {"value": "head"},
        "address_ref": {"join": ["楼", "室"]},
        "registered_until": {"value": ""},
    },
}


def a_form(content: bytes, mapping: Any) -> dict[str, Any]:
    """A form with a file and its mapping."""
    return {"files": {"file": ("p.csv", content)}, "data": {"mapping": orjson.dumps(mapping).decode()}}


async def test_a_mapping_beside_the_file_says_what_its_columns_mean(office: Office) -> None:
    await settle(office)
    response = await office.http.put("/registers/people", **a_form(FOREIGN.encode("gb18030"), MAPPING))
    answer = Answer([orjson.loads(line) for line in response.text.splitlines()])
    assert (answer.bad, answer.done["registered"]) == ([], 1)
    office.token = answer.lines[-1]["consistency_token"]
    [brought, *_] = (await office.sees("/imports"))["items"]
    assert (brought["source"], brought["into"], brought["brought_by"]) == ("psb", "people", "clerk")


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"columns": {"names": "名"}}, "mapping.columns.names: there is no such column"),
        ({"columns": {"name": "名字"}}, "mapping.columns.name: the file has no column 名字"),
        ({"columns": {"name": {"from": "名", "value": "x"}}}, "say one of `from`, `value` and `join`"),
        ({"columns": {"name": {"form": "名"}}}, "mapping.columns.name.form"),
        ({"column": {}}, "mapping.column: Extra inputs"),
    ],
)
async def test_a_mapping_that_is_not_right_is_refused_and_names_what_is_wrong(
    office: Office, mapping: Any, words: str
) -> None:
    for language in ("en", "zh-CN"):
        response = await office.http.put(
            "/registers/people", **a_form(FOREIGN.encode(), mapping), headers={"Accept-Language": language}
        )
        assert response.status_code == 422
        [error] = response.json()["errors"]
        if language == "en":
            assert words in error["message"]
        else:
            assert "：" in error["message"]
            assert response.headers["content-language"] == "zh"


async def test_json_and_ndjson_go_the_same_way(office: Office) -> None:
    address = dict(zip(HERE.splitlines()[0].split(","), HERE.splitlines()[1].split(","), strict=True))
    numbers = address | {"address_ref": "A2", "longitude": 120.5, "latitude": 30.5, "number": 7, "room": None}
    wrong = [7, address | {"address_ref": "A3", "street": None}, address | {"address_ref": "A4", "floor": [1]}]
    wrong.append({})
    faults = [("row", "not_an_object"), ("street", "missing"), ("row", "nested"), ("address_ref", "missing")]
    answer = await sends(
        office, "addresses", orjson.dumps([address, numbers, *wrong]), headers={"Content-Type": "application/json"}
    )
    assert answer.bad == [(line, *fault) for line, fault in enumerate(faults, 3)]
    assert answer.done["registered"] == 2
    lines = b"\n".join([orjson.dumps(address), b"", orjson.dumps(numbers), b"{", *map(orjson.dumps, wrong)])
    answer = await office.brings("addresses", lines)
    assert answer.bad == [(4, "row", "not_an_object"), *((line, *fault) for line, fault in enumerate(faults, 5))]
    assert answer.done["unchanged"] == 2


async def test_a_preview_tells_what_would_change_and_changes_nothing(office: Office, runtime: Runtime) -> None:
    await office.brings("addresses", HERE)
    content = (
        HERE.replace("样例路,1,", "样例路,9,") + "A2,990502001001,样例路,2,,,,,120.5,30.5\nA3,1,x,2,,,,,120.5,30.5\n"
    )
    before = await runtime.db.fetchval("select count(*) from log.events")
    answer = await sends(office, "addresses", content, params={"preview": True})
    assert [it for it in answer.lines if "would" in it] == [
        {"line": 2, "would": "change", "fields": ["number"]},
        {"line": 3, "would": "register"},
    ]
    assert [it["error"] for it in answer.lines if "error" in it] == ["division_code"]
    would = answer.done
    assert (answer.lines[-1]["preview"], answer.lines[-1]["consistency_token"]) == (True, None)
    assert await runtime.db.fetchval("select count(*) from log.events") == before
    assert (await office.brings("addresses", content)).done == would
    assert would == {"rows": 3, "registered": 1, "changed": 1, "unchanged": 0, "refused": 1}


async def test_a_preview_of_people_names_fields_and_no_values(office: Office) -> None:
    await settle(office)
    await office.brings("people", workbook(HEAD, TAN))
    answer = await sends(office, "people", workbook(HEAD, but(TAN, 手机="15487654321")), params={"preview": True})
    assert [it for it in answer.lines if "would" in it] == [{"line": 2, "would": "change", "fields": ["phone"]}]
    assert "15487654321" not in str(answer.lines)


async def test_the_refused_rows_come_back_as_a_file_which_mended_goes_in(office: Office) -> None:
    await settle(office)
    formula = but(TAN, 人员编号="P2", 姓名="=HYPERLINK(1)", 手机="-", 出生日期="1965年3月15日", 性别="不详")
    rows = [
        HEAD,
        but(TAN, 出生日期="19650315"),
        but(formula, 登记有效期至=""),
        but(TAN, 人员编号="P3", 登记有效期至="", 出生日期="民国54年"),
    ]
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    response = await office.http.put(
        "/registers/people", content=file.getvalue().encode(), headers={"Accept": CSV, "Accept-Language": "zh-CN"}
    )
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(CSV)
    assert response.content.startswith(b"\xef\xbb\xbf")
    told = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert told[0] == ["line", "column", "error", "message", *HEAD]
    assert [row[:3] for row in told[1:]] == [["3", "性别", "unknown_choice"], ["4", "出生日期", "not_a_date"]]
    assert told[1][3] == "性别：不是可选的值：男、女、未知、未说明"
    assert told[1][5] == "'=HYPERLINK(1)"
    assert told[1][9] == "'-"
    assert told[2][4:] == rows[3]
    brought = await office.sees(response.headers["content-location"])
    assert {name: brought[name] for name in ("rows", "registered", "changed", "unchanged", "refused")} == {
        "rows": 3,
        "registered": 1,
        "changed": 0,
        "unchanged": 0,
        "refused": 2,
    }
    assert brought["ended_at"]

    mended = response.content.decode("utf-8-sig").replace("不详", "男").replace("民国54年", "1965年3月15日")
    again = await office.http.put("/registers/people", content=mended.encode(), headers={"Accept": CSV})
    assert len(again.content.decode("utf-8-sig").splitlines()) == 1

    async def all_counted() -> bool:  # a file for people to mend has no token in it
        return (await office.sees("/counts"))["people"] == {"permanent": 3}

    await eventually(all_counted)


async def test_a_refused_file_that_is_not_mended_comes_back_the_same(office: Office) -> None:
    content = f"{ADDRESSES}A1,x,'-5,1,,,,,120.5,30.5\nA2,990502001001,+路\n"
    first = await office.http.put("/registers/addresses", content=content.encode(), headers={"Accept": CSV})
    again = await office.http.put("/registers/addresses", content=first.content, headers={"Accept": CSV})
    rows = [list(csv.reader(io.StringIO(it.content.decode("utf-8-sig")))) for it in (first, again)]
    assert [row[4:] for row in rows[0]] == [row[4:] for row in rows[1]]
    assert [row[1:3] for row in rows[0]] == [row[1:3] for row in rows[1]]


async def test_the_refused_rows_come_back_as_a_workbook_too(office: Office) -> None:
    await settle(office)
    content = workbook(HEAD, but(TAN, 姓名="=1+1", 性别="X"))
    response = await office.http.put("/registers/people", content=content, headers={"Accept": XLSX})
    told = sheet_of(response.content)
    assert told[0] == ["line", "column", "error", "message", *HEAD]
    assert told[1][:3] == ["2", "性别", "unknown_choice"]
    assert told[1][5] == "=1+1"
    assert told[1][6] == "990502196503154658"
    assert (await office.brings("people", response.content)).bad == [(2, "sex", "unknown_choice")]


async def test_the_form_of_each_register_is_understood_when_it_comes_back(office: Office) -> None:
    for register in ("addresses", "buildings", "households", "people", "units", "roster", "duties"):
        response = await office.http.get(f"/registers/{register}/form")
        assert response.headers["content-type"] == XLSX
        assert (await office.brings(register, response.content)).done["rows"] == 0
    book = load_workbook(io.BytesIO((await office.http.get("/registers/people/form")).content))
    sheet: Any = book.active
    [cell] = [it for it in sheet[1] if it.value == "公民身份号码"]
    assert cell.comment.text == "id_number"
    assert sheet.column_dimensions[cell.column_letter].number_format == "@"
    assert (await office.http.get("/registers/grids/form")).status_code == 404


def rows(count: int) -> str:
    """Addresses, of which the second is wrong and the last stands twice."""
    numbers = [*range(count - 1), 0]
    return ADDRESSES + "".join(f"A{n},{'x' if n == 1 else '990502001001'},样例路,{n},,,,,120.5,30.5\n" for n in numbers)


async def until_it_breaks(office: Office, runtime: Runtime, content: str, after: int) -> None:
    """Brings a file until so many rows are in; then the store fails."""
    await runtime.db.execute(
        f"""create function break_() returns trigger language plpgsql as
            $$begin if (select count(*) from log.events where stream like 'address-%') >= {after}
              then raise 'broken'; end if; return new; end$$;
            create trigger break_ before insert on log.events for each row execute function break_()"""
    )
    answer = await office.brings("addresses", content)
    assert "failed" in answer.lines[-1]
    await runtime.db.execute("drop trigger break_ on log.events; drop function break_()")


@pytest.mark.parametrize("bad", [True, False], ids=["with rows refused before", "with none"])
async def test_an_import_that_broke_off_goes_on_where_it_was(
    office: Office, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, bad: bool
) -> None:
    monkeypatch.setattr(bringing, "ON_RECORD_EVERY", 1_000)
    content = rows(3_000) if bad else rows(3_000).replace("A1,x", "A1,990502001001")
    await until_it_breaks(office, runtime, content, 2_200)
    broken: dict[str, Any] = {}

    async def on_record() -> bool:
        broken.update((await office.sees("/imports"))["items"][0])
        return (broken["rows"], broken["ended_at"]) == (2_000, None)

    await eventually(on_record)

    answer = await office.brings("addresses", content)
    assert answer.lines[0] == {"resumed": {"line": 2_001, "rows": 2_000}}
    faults = [(3, "division_code", "division_code")] if bad else []
    assert answer.bad == [*faults, (3_001, "row", "duplicate")]
    refused = len(answer.bad)
    assert answer.done == {
        "rows": 3_000,
        "registered": 3_000 - refused - answer.done["unchanged"],
        "changed": 0,
        "unchanged": answer.done["unchanged"],
        "refused": refused,
    }
    assert answer.done["unchanged"] <= 500, "what was entered after the counts were put on record"
    [ended] = (await office.sees("/imports"))["items"]
    assert (ended["import_id"], ended["rows"], ended["refused"]) == (broken["import_id"], 3_000, refused)
    assert ended["ended_at"]
    assert "resumed" not in (await office.brings("addresses", content)).lines[0]


async def test_a_row_that_was_refused_before_the_break_and_is_right_by_now_goes_in(
    office: Office, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "ON_RECORD_EVERY", 500)
    await office.brings("addresses", ADDRESSES + "A1,990502001001,样例路,1,,,,,120.5,30.5\n")
    content = "household_ref,address_ref\nH0,A2\n" + "".join(f"H{n},A1\n" for n in range(1, 1_200))
    await runtime.db.execute(
        """create function break_() returns trigger language plpgsql as
            $$begin if (select count(*) from log.events where stream like 'household-%') > 900
              then raise 'broken'; end if; return new; end$$;
            create trigger break_ before insert on log.events for each row execute function break_()"""
    )
    assert (await office.brings("households", content)).bad == [(2, "address_ref", "unknown_address")]
    await runtime.db.execute("drop trigger break_ on log.events; drop function break_()")
    await office.brings("addresses", ADDRESSES + "A2,990502001001,样例路,2,,,,,120.5,30.5\n")
    answer = await office.brings("households", content)
    assert "resumed" in answer.lines[0]
    assert answer.bad == []
    assert answer.done["registered"] + answer.done["unchanged"] == answer.done["rows"] == 1_200
    assert (await office.sees("/counts"))["households"] == 1_200


async def test_after_another_file_an_import_that_broke_off_begins_anew(
    office: Office, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "ON_RECORD_EVERY", 500)
    content = rows(1_500)
    await until_it_breaks(office, runtime, content, 900)
    await office.brings("addresses", HERE)
    answer = await office.brings("addresses", content)
    assert "resumed" not in answer.lines[0]
    assert answer.done["rows"] == 1_500


async def test_whoever_asks_for_chinese_is_told_in_chinese(http: httpx2.AsyncClient) -> None:
    headers = {"Accept-Language": "en;q=0.3, zh-CN"}
    response = await http.put("/registers/households", content=b"household_ref\nH1\n", headers=headers)
    problem = response.json()
    assert response.headers["content-language"] == "zh"
    assert problem["detail"] == problem["errors"][0]["message"] == "表头缺少这些列：address_ref（地址编码）"
    response = await http.put("/registers/households", content=HOUSEHOLD, headers=headers)
    [fault] = [it for it in map(orjson.loads, response.text.splitlines()) if "error" in it]
    assert fault["message"] == fault["message_zh"] == "address_ref：标准地址未登记"


async def test_imports_are_listed_the_latest_first_page_by_page(office: Office) -> None:
    for nth in range(3):
        await office.brings("addresses", HERE.replace("A1", f"B{nth}"))
    listed = await office.sees_all("/imports", limit=2)
    assert len({it["import_id"] for it in listed}) == 3
    assert [it["begun_at"] for it in listed] == sorted((it["begun_at"] for it in listed), reverse=True)
    assert await office.sees(f"/imports/{listed[0]['import_id']}") == listed[0]


async def test_two_who_bring_the_same_file_at_once_double_nothing(office: Office) -> None:
    async def brings() -> Answer:
        return await sends(office, "addresses", rows(1_200))

    one, other = await asyncio.gather(brings(), brings())
    for answer in (one, other):
        done = answer.done
        assert done["rows"] == done["registered"] + done["changed"] + done["unchanged"] + done["refused"]
    assert one.done["registered"] + other.done["registered"] == 1_198


async def test_a_workbook_with_two_cells_far_apart_is_refused_before_it_is_laid_out(office: Office) -> None:
    file = io.BytesIO()
    book = Workbook()
    sheet: Any = book.active
    sheet["A1"], sheet["XFD1048576"] = "address_ref", "x"
    book.save(file)
    response = await office.http.put("/registers/addresses", content=file.getvalue())
    assert response.status_code == 422
    assert "too large" in response.json()["detail"]


async def streamed(text: str) -> AsyncIterator[bytes]:
    """A body that comes bit by bit."""
    for start in range(0, len(text), 1000):
        yield text[start : start + 1000].encode()


async def test_a_file_that_comes_bit_by_bit_is_the_same_file(office: Office) -> None:
    content = rows(100)
    await office.brings("addresses", content)
    assert (await office.brings("addresses", streamed(content))).done["unchanged"] == 98
    one, other = (await office.sees("/imports"))["items"]
    assert one["file"] == other["file"]


async def test_the_sample_of_a_foreign_file_comes_in_by_its_mapping(office: Office) -> None:
    for register in ("grids", "addresses", "households"):
        await office.brings(register, (COMMUNITY / FILES[register]).read_bytes())
    people = (COMMUNITY / "people.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    await office.brings("people", "".join(people[:4]))
    folder = EXAMPLES / "mappings"
    files = {"file": (folder / "police.csv").read_bytes(), "mapping": (folder / "police.json").read_bytes()}
    response = await office.http.put("/registers/people", files=files)
    answer = Answer([orjson.loads(line) for line in response.text.splitlines()])
    assert answer.bad == [(6, "birth_date", "not_a_date")]
    assert answer.done == {"rows": 4, "registered": 0, "changed": 1, "unchanged": 2, "refused": 1}


async def test_who_goes_away_in_the_middle_and_comes_back_goes_on(
    office: Office, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "ON_RECORD_EVERY", 500)
    content = rows(20_000).replace("A1,x", "A1,990502001001")
    app = application.api(runtime, Callers(issuer()))
    as_clerk = {"Authorization": f"Bearer {token('clerk')}"}
    async with (
        served(app) as url,
        httpx2.AsyncClient(base_url=url, headers=as_clerk) as away,
        away.stream("PUT", "/registers/addresses", content=content) as response,
    ):
        async for line in response.aiter_lines():
            if orjson.loads(line)["progress"]["rows"] >= 2_000:
                break

    async def far() -> bool:  # what was put on record is shown a little later
        return any(it["rows"] >= 1_500 for it in (await office.sees("/imports"))["items"])

    await eventually(far)
    [broken] = (await office.sees("/imports"))["items"]
    assert broken["rows"] < 20_000
    assert broken["ended_at"] is None
    answer = await office.brings("addresses", content)
    assert answer.lines[0]["resumed"]["rows"] >= broken["rows"]
    assert answer.lines[1]["progress"]["rows"] == 500, "whoever waits hears that it goes on"
    assert answer.done["rows"] == 20_000
    assert answer.done["registered"] + answer.done["unchanged"] == 19_999
    assert (await office.sees("/counts"))["addresses"] == 19_999
