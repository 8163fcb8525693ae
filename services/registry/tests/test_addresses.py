"""An address is found however it is written, and by every name that it has or had; and no place is entered twice."""

from datetime import date
from typing import Any

import httpx2
import pytest
from contracts.common import Place
from contracts.registry import AddressChanged, AddressName, AddressRegistered, NameKind
from events import NotFound
from events.runtime import Runtime
from events.testing import eventually, given
from registry.domain.address import ADDRESS, Name, Rename
from registry.domain.entry import Register
from registry.domain.references import id_of
from registry.domain.writing import Parts
from registry.policies import renaming
from registry.read_models import address_names

from .conftest import Office
from .facts import FLAT

HERE = "990502001001"
ADDRESSES = "address_ref,division_code,street,number,building,unit,floor,room,longitude,latitude\n"
SOME = (
    ADDRESSES
    + f"A1,{HERE},蚕花路,6号,1栋,,,,120.5,30.5\n"
    + f"A1-301,{HERE},蚕花路,６,一幢,二单元,3楼,三〇一室,120.5,30.5\n"
    + f"A2-301,{HERE},蚕桑路,6,1,2,3,301,120.5,30.5\n"
    + f"A3,{HERE},桑园路,8,,,,,120.5,30.5\n"
)
OTHER_COMMUNITY = "B1,990502001002,蚕花路,6,1,,,,120.6,30.5\n"
HOUSEHOLDS = "household_ref,address_ref,address,division_code\n"


def id_of_address(reference: str) -> str:
    return id_of("address", reference)


async def looks_for(office: Office, text: str, division_code: str | None = HERE) -> list[tuple[str, int, str]]:
    """The candidates: id, score, and the first reason."""
    headers = {"Consistency-Token": office.token}
    body = {"text": text, "division_code": division_code}
    answer = await office.http.post("/addresses/search", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return [(it["address"], it["score"], it["reasons"][0]["en"]) for it in answer.json()["candidates"]]


async def test_the_parts_of_an_address_are_kept_in_one_way(office: Office) -> None:
    assert not (await office.brings("addresses", SOME)).bad
    shown = await office.sees(f"/addresses/{id_of_address('A1-301')}")
    parts = {name: shown[name] for name in ("street", "number", "building", "unit", "floor", "room")}
    assert parts == {"street": "蚕花路", "number": "6", "building": "1", "unit": "2", "floor": "3", "room": "301"}
    assert {row["written"] for row in await office.sees_all("/addresses")} == {
        "蚕花路6号1幢",
        "蚕花路6号1幢2单元301室",
        "蚕桑路6号1幢2单元301室",
        "桑园路8号",
    }


async def test_an_address_is_found_however_it_is_written_and_what_is_like_it_after(office: Office) -> None:
    await office.brings("addresses", SOME)
    flat, like, block = map(id_of_address, ("A1-301", "A2-301", "A1"))
    for text in ("蚕花路６號1栋二单元三〇一室", "蚕花路6-1-2-301", "浙江省湖州市吴兴区蚕花路6号1幢2-301"):
        assert await looks_for(office, text) == [
            (flat, 100, "its standard name"),
            (like, 83, "a street of a like name"),
            (block, 75, "the same street"),
        ]
        assert await looks_for(office, text, None) == [(flat, 100, "its standard name")]
    assert (await looks_for(office, "蚕花录6号1幢2单元301"))[0] == (flat, 83, "a street of a like name")
    assert await looks_for(office, "人民路999号") == []


async def test_candidates_say_why_in_both_languages_and_what_is_unclear_is_told(office: Office) -> None:
    await office.brings("addresses", SOME)
    answer = await office.http.post(
        "/addresses/search",
        json={"text": "蚕花路6号2-301", "division_code": HERE},
        headers={"Consistency-Token": office.token},
    )
    told = answer.json()
    assert told["unclear"] == "building"
    assert told["message"]["en"].startswith("cannot be read with certainty")
    assert {it["address"] for it in told["candidates"]} == set(map(id_of_address, ("A1", "A1-301", "A2-301")))
    assert told["candidates"][0]["reasons"][:2] == [
        {"zh": "街路名称相同", "en": "the same street"},
        {"zh": "门牌号相同", "en": "the same number"},
    ]


async def test_what_is_not_an_address_finds_nothing(office: Office) -> None:
    await office.brings("addresses", SOME)
    for text in ("?", "6号", "八" * 200, "%' or 1=1 --"):
        assert await looks_for(office, text) == []


async def test_a_place_that_has_another_reference_is_not_entered_twice(office: Office) -> None:
    await office.brings("addresses", SOME)
    again = (
        ADDRESSES
        + f"X1,{HERE},蚕花路,6,1幢,2,,301,120.5,30.5\n"
        + f"X2,{HERE},书院路,9,,,,,120.5,30.5\n"
        + f"X3,{HERE},书院路,九号,,,,,120.5,30.5\n"
        + OTHER_COMMUNITY
    )
    answer = await office.brings("addresses", again)
    assert answer.bad == [(2, "row", "same_address"), (4, "row", "same_address")]
    assert [it["same_as"] for it in answer.lines if "line" in it] == [id_of_address("A1-301"), id_of_address("X2")]
    assert answer.lines[0]["message_zh"] == "row：与另一编号的标准地址为同一处"
    assert answer.done["registered"] == 2


async def test_references_may_change_their_places_within_a_file(office: Office) -> None:
    first = f"P1,{HERE},书院路,1,,,,,120.5,30.5\n", f"P2,{HERE},书院路,2,,,,,120.5,30.5\n"
    await office.brings("addresses", ADDRESSES + "".join(first))
    swapped = f"P1,{HERE},书院路,2,,,,,120.5,30.5\n", f"P2,{HERE},书院路,1,,,,,120.5,30.5\n"
    answer = await office.brings("addresses", ADDRESSES + "".join(swapped))
    assert (answer.bad, answer.done["changed"]) == ([], 2)


async def test_a_row_may_name_its_address_by_how_it_is_written(office: Office) -> None:
    await office.brings("addresses", SOME + OTHER_COMMUNITY)
    answer = await office.brings(
        "households",
        HOUSEHOLDS
        + "H1,,蚕花路六号1栋2-301,\n"
        + "H2,A3,whatever stands here,\n"
        + f"H3,,蚕花路6号1幢,{HERE}\n"
        + "H4,,蚕花路6号1幢,\n"
        + "H5,,蚕花路66号,\n"
        + "H6,,,\n",
    )
    assert answer.bad == [
        (5, "address", "ambiguous_address"),
        (6, "address", "unknown_address"),
        (7, "address_ref", "missing"),
    ]
    rows = {row["household"]: row["written"] for row in await office.sees_all("/households")}
    assert rows == {
        id_of("household", "H1"): "蚕花路6号1幢2单元301室",
        id_of("household", "H2"): "桑园路8号",
        id_of("household", "H3"): "蚕花路6号1幢",
    }


async def test_people_units_and_buildings_are_placed_by_writing_too(office: Office) -> None:
    await office.brings("addresses", SOME)
    files = {
        "buildings": "building_ref,address_ref,name,kind,floors,built_year,address\n"
        "B1,,桑园新村1幢,residential,6,1999,蚕花路6号1栋\n",
        "people": "person_ref,name,id_number,sex,birth_date,phone,residency,household_ref,relation,address_ref,"
        "registered_until,address\nP1,谭瑞,990502196503154658,1,1965-03-15,,floating,,,,2027-11-23,蚕花路6-1-2-301\n",
        "units": "unit_ref,name,category,address_ref,credit_code,phone,address\n"
        "U1,万家棋牌室,chess_room,,92990502MA9K4MJ71U,,桑园路8号\n",
    }
    for register, content in files.items():
        answer = await office.brings(register, content)
        assert (answer.bad, answer.done["registered"]) == ([], 1), register
        again = await office.brings(register, content)
        assert again.done["unchanged"] == 1


async def renames(office: Office, key: str, **body: str) -> httpx2.Response:
    return await office.http.post("/streets/renamings", json=body, headers={"Idempotency-Key": key})


RENAMING = {"division_code": HERE, "from": "蚕花路", "to": "桑田路", "on": "2026-11-01"}


async def test_a_renamed_street_is_found_by_both_names(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renaming, "CHUNK", 1)
    await office.brings("addresses", SOME + OTHER_COMMUNITY)
    answer = await renames(office, "1", **RENAMING)
    assert answer.status_code == 201, answer.text
    assert RENAMING.items() <= (await office.http.get(answer.headers["Location"])).json().items()

    async def both() -> bool:
        return {row["written"] for row in await office.sees_all("/addresses")} >= {
            "桑田路6号1幢",
            "桑田路6号1幢2单元301室",
        }

    await eventually(both)
    flat = id_of_address("A1-301")
    shown = await office.sees(f"/addresses/{flat}")
    assert shown["names"] == [{"name": "蚕花路6号1幢2单元301室", "kind": "former", "until": "2026-11-01"}]

    async def by(text: str) -> bool:
        return (flat, 100) in [it[:2] for it in await looks_for(office, text)]

    await eventually(lambda: by("桑田路6号1幢2-301"))
    assert (await looks_for(office, "蚕花路6号1幢2-301"))[0] == (flat, 100, "a former name")
    elsewhere = await office.sees(f"/addresses/{id_of_address('B1')}")
    assert (elsewhere["street"], elsewhere["names"]) == ("蚕花路", [])  # another community's street of that name

    repeated = await renames(office, "1", **RENAMING)
    assert repeated.headers["Idempotency-Replayed"] == "true"
    answer = await office.brings("households", f"{HOUSEHOLDS}H1,,蚕花路6号1幢2单元301室,\n")
    assert answer.done["registered"] == 1  # an old list still finds it


async def test_a_file_that_still_writes_the_old_street_says_nothing_new(office: Office) -> None:
    await office.brings("addresses", SOME)
    await renames(office, "1", **RENAMING)

    async def renamed() -> bool:
        return (await office.sees(f"/addresses/{id_of_address('A1-301')}"))["street"] == "桑田路"

    await eventually(renamed)
    answer = await office.brings("addresses", SOME)
    assert (answer.bad, answer.done["unchanged"]) == ([], 4)
    answer = await office.brings("addresses", f"{ADDRESSES}X1,{HERE},蚕花路,6,1,2,,301,120.5,30.5\n")
    assert answer.bad == [(2, "row", "same_address")]


@pytest.mark.parametrize(
    ("wrong", "field", "why"),
    [
        ({"to": "蚕花路"}, "renamed", "same_street"),
        ({"on": "2999-01-01"}, "on", "in_future"),
        ({"division_code": "990502001000"}, "division_code", "division_code"),
        ({"from": "，，"}, "street", "missing"),
    ],
)
async def test_a_renaming_that_cannot_be_is_refused(
    office: Office, wrong: dict[str, str], field: str, why: str
) -> None:
    answer = await renames(office, "1", **(RENAMING | wrong))
    assert (answer.status_code, answer.json()["field"], answer.json()["why"]) == (422, field, why)


async def test_an_address_is_found_by_what_people_call_it(office: Office) -> None:
    await office.brings("addresses", SOME)
    block = id_of_address("A1")
    named = await office.http.post(
        f"/addresses/{block}/names",
        json={"name": "桑园小白楼", "kind": "alias"},
        headers={"Idempotency-Key": "1", "If-Match": '"v1"'},
    )
    assert named.status_code == 200, named.text
    office.token = named.headers["Consistency-Token"]
    assert await looks_for(office, "桑园 小白楼") == [(block, 100, "another name that it has")]
    await office.brings("addresses", SOME)
    assert (await office.sees(f"/addresses/{block}"))["names"][0][
        "name"
    ] == "桑园小白楼"  # a file does not take it away
    missing = await office.http.post(
        "/addresses/nowhere/names",
        json={"name": "x", "kind": "alias"},
        headers={"Idempotency-Key": "2", "If-Match": "*"},
    )
    assert missing.status_code == 404


def test_names_are_kept_once_and_the_own_name_is_none() -> None:
    known = AddressRegistered(**dict(FLAT))
    former = AddressName(name="新市路6号1幢1单元101室", kind=NameKind.FORMER)
    again = AddressName(name="新市路６号1栋1-101", kind=NameKind.ALIAS)
    named = AddressChanged(**dict(FLAT.model_copy(update={"names": (former,)})))
    given(ADDRESS, known).when(Name(former)).then(named)
    given(ADDRESS, known, named).when(Name(former)).then()
    given(ADDRESS, known, named).when(Name(again)).then(
        AddressChanged(**dict(FLAT.model_copy(update={"names": (again,)})))
    )
    given(ADDRESS, known).when(Name(AddressName(name="蚕花路6号1栋1-101", kind=NameKind.ALIAS))).then()
    given(ADDRESS).when(Name(former)).refused(NotFound)
    moved = FLAT.model_copy(update={"place": Place(longitude=120.1, latitude=30.1)})
    given(ADDRESS, known, named).when(Register(moved)).then(
        AddressChanged(**dict(moved.model_copy(update={"names": (former,)})))
    )


def test_an_address_on_another_street_is_not_renamed() -> None:
    known = AddressRegistered(**dict(FLAT))
    given(ADDRESS, known).when(Rename("书院路", "桑田路", date(2026, 11, 1))).then()
    given(ADDRESS).when(Rename("书院路", "桑田路", date(2026, 11, 1))).refused(NotFound)


async def plan(runtime: Runtime, query: str, *arguments: Any) -> str:
    async with runtime.db.acquire() as db, db.transaction():
        await db.execute("set local enable_seqscan = off")
        rows = await db.fetch(f"explain {query}", *arguments)
    return "\n".join(row[0] for row in rows)


async def test_no_search_reads_all_addresses(office: Office, runtime: Runtime) -> None:
    await office.brings("addresses", SOME)
    wanted = Parts("蚕花路", "6")
    plans = [
        await plan(runtime, address_names.NAMED, "x", HERE, 20),
        await plan(runtime, address_names.NAMED, "x", None, 20),
        await plan(runtime, address_names.NAMED_IN, [HERE], ["x"]),
        await plan(runtime, address_names.NAMED_ANYWHERE, ["x"]),
        await plan(runtime, address_names.STREETS, HERE),
        await plan(runtime, address_names.LIKELY, HERE, [wanted.street], wanted.number, "", "", "", 20),
        await plan(runtime, address_names.ON_STREET, HERE, wanted.street, "", 500),
    ]
    for told in plans:
        assert "Seq Scan" not in told, told
        assert "Index" in told
