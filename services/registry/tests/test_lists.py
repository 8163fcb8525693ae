"""What the registers show, to whom, and how someone leaves a post."""

from typing import Any

import httpx2
from events import store
from events.event import START
from events.runtime import Runtime
from registry.domain.references import id_of

from .conftest import COMMUNITY, Office, sample

IF_MATCH = {"Idempotency-Key": "1", "If-Match": '"v1"'}


async def test_lists_come_in_pages_that_neither_skip_nor_repeat(filled: Office) -> None:
    for path, key, count in [
        ("/people", "person", 80),
        ("/households", "household", 40),
        ("/buildings", "building", 20),
        ("/units", "unit", 30),
        ("/roster", "member", 33),
        ("/duties", "category", 22),
    ]:
        items = [item[key] for item in await filled.sees_all(path, limit=7)]
        assert items == sorted(set(items))
        assert len(items) == count


async def test_people_are_masked_in_lists_alone_and_in_the_tables(filled: Office, runtime: Runtime) -> None:
    person = id_of("person", "P0001")
    masked = {
        "person": person,
        "name": "谭**",
        "id_number": "9905**********4658",
        "residency": "permanent",
        "household": id_of("household", "H0001"),
        "relation": "head",
        "address": id_of("address", "A01-1-102"),
        "registered_until": None,
    }
    hidden: dict[str, Any] = {"sex": None, "birth_date": None, "phone": None, "home_hours": None, "disclosed": []}
    hidden |= {"document": "identity_card", "presence": "here", "no_contact": False, "since": None, "same_as": None}
    assert await filled.sees(f"/people/{person}") == masked | hidden
    listed = await filled.sees_all("/people", household=masked["household"])
    assert masked | {"grid": "G1"} in listed
    assert {it["household"] for it in listed} == {masked["household"]}
    rows = await runtime.db.fetch("select p::text from person p")
    assert not any("谭瑞" in row[0] or "990502196503154658" in row[0] for row in rows)


async def test_every_list_can_be_asked_for_one_grid(filled: Office) -> None:
    for path in ("/people", "/households", "/buildings", "/units", "/addresses"):
        everything = await filled.sees_all(path, limit=200)
        by_grid = [await filled.sees_all(path, limit=200, grid=f"G{n}") for n in range(1, 7)]
        assert {item["grid"] for item in everything} <= {f"G{n}" for n in range(1, 7)}
        assert sum(map(len, by_grid)) == len(everything) > 0
    assert await filled.sees_all("/people", grid="G99") == []


async def test_a_household_tells_how_many_live_in_it(filled: Office) -> None:
    households = await filled.sees_all("/households", limit=200)
    people = await filled.sees_all("/people", limit=200)
    first = next(it for it in households if it["household"] == id_of("household", "H0001"))
    assert first["people"] == sum(it["household"] == first["household"] for it in people) > 0
    assert first["written"] == "蚕花路6号1幢1单元102室"


async def test_a_place_has_the_grid_that_it_lies_in(filled: Office) -> None:
    for address in (await filled.sees_all("/addresses", limit=200))[::20]:
        assert await filled.sees("/grids/at", **address["place"]) == {"grid": address["grid"]}
    nowhere = await filled.http.get("/grids/at", params={"longitude": 100, "latitude": 30})
    assert nowhere.status_code == 404
    assert (await filled.http.get("/grids/at", params={"longitude": "nan", "latitude": 30})).status_code == 422


async def test_grids_are_shown_as_the_geojson_that_was_brought(filled: Office) -> None:
    shown = await filled.sees("/grids")
    assert shown["type"] == "FeatureCollection"
    assert [it["properties"]["code"] for it in shown["features"]] == [f"G{n}" for n in range(1, 7)]
    again = await filled.brings("grids", (await filled.http.get("/grids")).content)
    assert again.done["unchanged"] == 6
    one = await filled.sees("/grids/G1")
    assert one["boundary"] == shown["features"][0]["geometry"]["coordinates"][0]


async def test_single_things_are_found_by_their_id_and_others_are_not(filled: Office) -> None:
    found: list[tuple[str, dict[str, Any]]] = [
        (f"/addresses/{id_of('address', 'A01-1-101')}", {"street": "蚕花路", "room": "101", "grid": "G1"}),
        (f"/buildings/{id_of('building', 'B01')}", {"name": "桑园新村1幢", "floors": 6}),
        (f"/households/{id_of('household', 'H0001')}", {"address": id_of("address", "A01-1-102")}),
        (f"/units/{id_of('unit', 'U001')}", {"name": "万家棋牌室", "category": "chess_room"}),
        ("/duties/neighbour_noise", {"grid_duty": True, "deadline_minutes": 120}),
        ("/members/officer-1", {"post": "community_officer", "grid": None, "in_post": True}),
    ]
    for path, expected in found:
        assert expected.items() <= (await filled.sees(path)).items()
        missing = await filled.http.get(f"{path}-not")
        assert missing.status_code == 404
        assert missing.headers["content-type"] == "application/problem+json"
    assert "phone" not in await filled.sees(f"/units/{id_of('unit', 'U001')}")


async def test_the_duty_list_tells_what_is_on_the_grid_workers_list_and_whose_duty_the_rest_is(filled: Office) -> None:
    theirs = await filled.sees_all("/duties", grid_duty=True)
    others = await filled.sees_all("/duties", grid_duty=False)
    assert len(theirs) + len(others) == 22
    assert all(it["deadline_minutes"] for it in theirs)
    penalties = next(it for it in others if it["category"] == "parking_penalty")
    assert penalties["department"] == {"zh": "公安局交警大队", "en": "Traffic police"}


async def test_the_roster_shows_posts_by_grid_without_telephone_and_e_mail(filled: Office) -> None:
    workers = await filled.sees_all("/roster", grid="G1", post="grid_worker")
    assert len(workers) == 3
    assert not {"phone", "email", "training", "on_leave_since"} & {field for it in workers for field in it}


async def test_who_works_in_a_joint_office_is_found_by_it_and_by_each_post_and_grid_that_they_have(
    office: Office,
) -> None:
    row = "m-1,王安,community_officer,,an@example.org,,grid_leader,G1;G2,1-5 09:00-18:00,mediation,公安局,合室一组"
    head = "member_ref,name,post,grid_code,email,phone,further_posts,further_grids,hours,skills,body,team"
    assert not (await office.brings("grids", (COMMUNITY / "grids.geojson").read_text("utf-8"))).bad
    assert not (await office.brings("roster", f"{head}\n{row}\n")).bad
    asked = ({"team": "合室一组"}, {"grid": "G2"}, {"post": "grid_leader"}, {"post": "community_officer"})
    for query in asked:
        [found] = await office.sees_all("/roster", **query)
        assert (found["hours"], found["skills"], found["body"]) == ("1-5 09:00-18:00", ["mediation"], "公安局")
    assert not await office.sees_all("/roster", team="合室二组")


async def test_who_leaves_a_post_stands_on_the_roster_no_longer(filled: Office, runtime: Runtime) -> None:
    http = filled.http
    assert (await http.get("/members/officer-1")).headers["ETag"] == '"v1"'
    left = await http.post("/members/officer-1/dismissal", headers=IF_MATCH)
    assert left.status_code == 200
    assert left.json()["in_post"] is False
    filled.token = left.headers["Consistency-Token"]
    assert "officer-1" not in {it["member"] for it in await filled.sees_all("/roster")}
    assert (await filled.sees("/members/officer-1"))["in_post"] is False

    again = await http.post("/members/officer-1/dismissal", headers={"Idempotency-Key": "2", "If-Match": '"v2"'})
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "not-in-post")
    repeated = await http.post("/members/officer-1/dismissal", headers=IF_MATCH)
    assert repeated.headers["Idempotency-Replayed"] == "true"
    raws = await store.read_after(runtime.db, START, 10_000)
    assert [raw.type for raw in raws if raw.stream == "member-officer-1"][1:] == [
        "commongrid.registry.member.dismissed.v1"
    ]

    back = await filled.brings("roster", sample("roster.csv", 1))
    assert back.done["registered"] == 1
    assert "officer-1" in {it["member"] for it in await filled.sees_all("/roster")}


async def test_a_dismissal_says_who_asks_and_on_which_version(filled: Office, anonymous: httpx2.AsyncClient) -> None:
    path = "/members/officer-2/dismissal"
    assert (await anonymous.post(path, headers=IF_MATCH)).status_code == 401
    assert (await filled.http.post(path, headers={"Idempotency-Key": "3"})).status_code == 428
    assert (await filled.http.post(path, headers=IF_MATCH | {"If-Match": '"v7"'})).status_code == 412
    assert (await filled.http.post("/members/nobody/dismissal", headers=IF_MATCH)).status_code == 404


async def test_people_and_households_are_shown_to_known_callers_only(anonymous: httpx2.AsyncClient) -> None:
    for path in ("/people", "/people/x", "/households", "/households/x"):
        assert (await anonymous.get(path)).status_code == 401
    for path in ("/counts", "/grids", "/addresses", "/buildings", "/units", "/roster", "/duties"):
        assert (await anonymous.get(path)).status_code == 200


async def test_a_bad_cursor_or_filter_is_told(http: httpx2.AsyncClient) -> None:
    for path in ("/people?cursor=x", "/people?limit=0", "/units?category=karaoke", "/roster?post=mayor"):
        answer = await http.get(path)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
