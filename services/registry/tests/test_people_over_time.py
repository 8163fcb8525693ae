"""People move, die, were entered twice and found to be one; households split and merge; sources differ."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest
from registry.domain.references import id_of

from .conftest import Office

GRID = """{"type": "FeatureCollection", "features": [{"type": "Feature", "properties":
{"code": "G1", "name_zh": "样例", "name_en": "Sample"}, "geometry": {"type": "Polygon", "coordinates":
[[[120, 30], [120.01, 30], [120.01, 30.01], [120, 30.01], [120, 30]]]}}]}"""
ADDRESSES = """address_ref,division_code,street,number,building,unit,floor,room,longitude,latitude
A1,990502001001,样例路,1,,,,,120.005,30.005
A2,990502001001,样例路,2,,,,,120.006,30.005
"""
HOUSEHOLDS = "household_ref,address_ref\nH1,A1\nH2,A2\n"
HEAD = "person_ref,name,id_number,sex,birth_date,phone,residency,household_ref,relation,address_ref,registered_until"
TAN_RUI = "谭瑞,990502196503154658,1,1965-03-15,15496301248,permanent,H1,head,A1,"
YAN = "颜桂香,990502196805243920,2,1968-05-24,15439953962,permanent,H1,spouse,A1,"


def people(*rows: str) -> str:
    return "\n".join((HEAD, *(f"P{nth},{row}" for nth, row in enumerate(rows, 1)))) + "\n"


P1, P2, P3 = (id_of("person", f"P{nth}") for nth in (1, 2, 3))
A1, A2 = (id_of("address", it) for it in ("A1", "A2"))
H1, H2 = (id_of("household", it) for it in ("H1", "H2"))


@pytest.fixture
async def town(office: Office) -> Office:
    """A grid with two homes and a couple in the first."""
    await office.brings("grids", GRID)
    await office.brings("addresses", ADDRESSES)
    await office.brings("households", HOUSEHOLDS)
    answer = await office.brings("people", people(TAN_RUI, YAN))
    assert answer.bad == []
    return office


async def does(office: Office, path: str, body: dict[str, Any], status: int = 200, key: str = "") -> httpx2.Response:
    """A command on the version that is there now."""
    headers = {"Idempotency-Key": key or uuid4().hex, "Consistency-Token": office.token}
    if status != 201 and not path.startswith("/households"):
        seen = await office.http.get(path.rpartition("/")[0], headers=headers)
        headers["If-Match"] = seen.headers["ETag"]
    answer = await office.http.post(path, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    office.token = answer.headers.get("Consistency-Token") or office.token
    return answer


async def finds(office: Office, path: str, sought: dict[str, Any]) -> httpx2.Response:
    return await office.http.post(path, json=sought, headers={"Consistency-Token": office.token})


async def names_in(office: Office, household: str, **when: str) -> list[tuple[str, str]]:
    return [(it["name"][0], it["relation"]) for it in await office.sees(f"/households/{household}/members", **when)]


async def test_who_moves_out_is_here_no_more_and_was_before(town: Office) -> None:
    before = await town.sees("/grids/G1/counts")
    await does(town, f"/people/{P2}/moves", {"on": "2026-11-20"})
    assert [it["person"] for it in await town.sees_all("/people")] == [P1]
    assert (await town.sees("/grids/G1/counts"))["people"]["total"] == before["people"]["total"] - 1
    assert (await town.sees(f"/people/{P2}"))["presence"] == "moved_out"
    assert (await town.sees("/grids/G1/counts", known_at=before["known_at"]))["people"]["total"] == 2

    await does(town, f"/people/{P2}/moves", {"on": "2026-11-25", "to": A2, "household": H2, "relation": "head"})
    assert await names_in(town, H2) == [("颜", "head")]
    assert len(await town.sees_all("/people")) == 2


async def test_who_has_died_is_counted_no_more(town: Office) -> None:
    await does(town, f"/people/{P1}/death", {"on": "2026-11-21"})
    assert (await town.sees("/counts"))["people"] == {"permanent": 1}
    assert (await does(town, f"/people/{P1}/death", {"on": "2030-01-01"}, 422)).json()["why"] == "in_future"


async def test_a_household_splits_and_merges_again(town: Office) -> None:
    body = {"on": "2026-11-20", "members": {P2: "head"}, "to": A2}
    answer = await does(town, f"/households/{H1}/split", body, 201, key="once")
    again = await does(town, f"/households/{H1}/split", body, 201, key="once")
    new = answer.json()["household"]
    assert again.json() == answer.json()
    assert (await names_in(town, H1), await names_in(town, new)) == ([("谭", "head")], [("颜", "head")])
    assert (await does(town, f"/households/{H1}/split", body, 422)).json()["why"] == "not_of_this_household"

    await does(town, f"/households/{new}/merger", {"on": "2026-11-25", "into": H1, "relations": {P2: "spouse"}})
    assert await names_in(town, H1) == [("谭", "head"), ("颜", "spouse")]
    assert new not in {it["household"] for it in await town.sees_all("/households")}
    assert (await town.sees(f"/people/{P2}"))["address"] == A1


async def test_who_was_entered_twice_is_shown_with_reasons_merged_and_parted(town: Office) -> None:
    # The same person once more, by another reference, under a name that sounds the same.
    again = TAN_RUI.replace("谭瑞", "谭锐").replace("15496301248", "15496301249")
    await town.brings("people", people(TAN_RUI, YAN, again))
    [pair] = await town.sees_all("/duplicates")
    assert {pair["one"]["person"], pair["other"]["person"]} == {P1, P3}
    assert {it["code"] for it in pair["reasons"]} >= {"same_number", "sounds_alike", "same_birth_date", "same_address"}
    assert "谭瑞" not in str(pair)

    await does(town, f"/people/{P3}/merger", {"into": P1, "take": ["phone"]})
    assert (await town.sees(f"/people/{P3}"))["same_as"] == P1
    assert {it["person"] for it in await town.sees_all("/people")} == {P1, P2}
    assert (await town.sees("/grids/G1/counts"))["people"]["total"] == 2
    assert await town.sees_all("/duplicates") == []
    found = await finds(town, "/people/search", {"of": "phone", "number": "15496301249"})
    assert [it["person"] for it in found.json()] == [P1]

    await does(town, f"/people/{P3}/parting", {"other": P1})
    assert (await town.sees("/grids/G1/counts"))["people"]["total"] == 3
    assert await town.sees_all("/duplicates") == []  # looked at, and not shown again


async def test_people_are_found_by_what_is_remembered_of_them(town: Office) -> None:
    for sought in ({"name": "谭瑞"}, {"name": "tan rui"}, {"name": "tr"}, {"name": "tan"}, {"phone_tail": "1248"}):
        answer = await finds(town, "/people/find", sought)
        assert [it["person"] for it in answer.json()["items"]] == [P1], sought
    both = await finds(town, "/people/find", {"name": "ygx", "phone_tail": "1248"})
    assert both.json()["items"] == []
    assert (await finds(town, "/people/find", {"grid": "G1"})).json()["items"] == []


async def test_where_sources_differ_a_rule_settles_it_or_a_person_decides(town: Office) -> None:
    await town.brings("people", people(TAN_RUI.replace("谭瑞", "谭睿"), YAN), source="police")
    rules = {"rules": {"phone": "ask", "name": ["police", "hospital"]}}
    assert (await does(town, "/source-rules", {"of": "people", **rules}, 201)).json() == rules
    other = TAN_RUI.replace("15496301248", "15496301249").replace("谭瑞", "谭锐")
    answer = await town.brings("people", people(other), source="hospital")
    assert (answer.done["unchanged"], answer.lines[-1]["disputed"]) == (1, 1)
    [row] = await town.sees_all("/disputes")
    assert (row["id"], row["source"], sorted(row["fields"])) == (P1, "hospital", ["name", "phone"])

    seen = await town.http.get(f"/disputes/people/{P1}", headers={"Consistency-Token": town.token})
    assert {it["field"]: it["said"] for it in seen.json()["differences"]} == {
        "name": {"hospital": "谭锐"},
        "phone": {"hospital": "15496301249"},
    }
    await does(town, f"/disputes/people/{P1}/decision", {"believe": "hospital", "fields": ["phone"]})
    assert await town.sees_all("/disputes") == []
    # Neither undoes what was decided by saying it again.
    await town.brings("people", people(TAN_RUI))
    await town.brings("people", people(other), source="hospital")
    assert await town.sees_all("/disputes") == []
    found = await finds(town, "/people/search", {"of": "phone", "number": "15496301249"})
    assert [it["person"] for it in found.json()] == [P1]


async def test_a_rule_names_fields_that_there_are(town: Office) -> None:
    for rules, why in (({"colour": "ask"}, "not_a_field"), ({"phone": ["a", "a"]}, "not_a_rule")):
        headers = {"Idempotency-Key": uuid4().hex}
        answer = await town.http.post("/source-rules", json={"of": "people", "rules": rules}, headers=headers)
        assert (answer.status_code, answer.json()["why"]) == (422, why)
