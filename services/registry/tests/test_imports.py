"""Files come in: good rows are entered, bad ones told by line and reason, and twice is as good as once."""

import csv
import gc
import tracemalloc
from collections.abc import AsyncIterator

import httpx2
from events import store
from events.event import START
from events.rebuild import rebuild
from events.runtime import Runtime
from events.testing import eventually
from registry.service import registry
from shapely import Point
from shapely.geometry import shape

from .conftest import EXAMPLES, FILES, Office

COMMUNITY = EXAMPLES / "community"
DEFECTS = EXAMPLES / "defects"

GROUND = """{"type": "FeatureCollection", "features": [{"type": "Feature",
"properties": {"code": "%s", "name_zh": "样例", "name_en": "Sample"}, "geometry": {"type": "Polygon", "coordinates":
[[[120, 30], [%s, 30], [%s, 30.01], [120, 30.01], [120, 30]]]}}]}"""
FACTS = "select count(*) from log.events where stream not like 'import-%'"
"""What is known; that somebody brought a file again is on record besides."""
ADDRESSES = "address_ref,division_code,street,number,building,unit,floor,room,longitude,latitude\n"


async def tables(runtime: Runtime) -> dict[str, list[str]]:
    """Every row of every read model."""
    names = ["address", "building", "household", "person", "unit", "grid", "member", "duty"]
    return {
        name: [row[0] for row in await runtime.db.fetch(f"select t::text from {name} t order by 1")] for name in names
    }


async def test_the_sample_community_comes_in_and_a_second_time_changes_nothing(
    office: Office, runtime: Runtime
) -> None:
    first = await office.brings_all(COMMUNITY)
    assert {register: answer.bad for register, answer in first.items()} == {register: [] for register in FILES}
    assert await office.sees("/counts") == {
        "grids": 6,
        "addresses": 3016,
        "buildings": {
            "residential": 65,
            "park": 1,
            "maternity_hospital": 1,
            "elderly_centre": 1,
            "youth_centre": 1,
        },
        "households": 1850,
        "people": {"permanent": 4250, "floating": 3500},
        "units": {"shop": 106, "hotel": 1, "chess_room": 15, "foot_bath": 3},
    }
    grounds = {it["id"]: shape(it["geometry"]) for it in (await office.sees("/grids"))["features"]}
    for row in await office.sees_all("/addresses", limit=200):
        assert grounds[row["grid"]].covers(Point(row["place"]["longitude"], row["place"]["latitude"]))
    everything, events = await tables(runtime), await runtime.db.fetchval(FACTS)

    for answer in (await office.brings_all(COMMUNITY)).values():
        assert answer.done["unchanged"] == answer.done["rows"] > 0
    assert await tables(runtime) == everything
    assert await runtime.db.fetchval(FACTS) == events

    for read_model in registry.read_models:
        if not registry.foreign_topics(read_model, "any"):
            await rebuild(runtime, read_model)
    assert await tables(runtime) == everything


async def test_each_bad_row_is_told_by_line_and_reason_and_the_good_ones_go_in(office: Office) -> None:
    answers = await office.brings_all(DEFECTS)
    with (DEFECTS / "expected.csv").open(encoding="utf-8", newline="") as file:
        expected = sorted((row["file"], int(row["line"]), row["reason"]) for row in csv.DictReader(file))
    found = [(FILES[register], line, why) for register, answer in answers.items() for line, _, why in answer.bad]
    assert sorted(found) == expected
    for answer in answers.values():
        assert answer.done["registered"] == answer.done["rows"] - len(answer.bad) > 0
    assert (await office.sees("/counts"))["people"] == {"permanent": 1, "floating": 1}
    assert [row["name"] for row in await office.sees_all("/units")] == ["样例便利店"]  # from GB18030


async def test_no_personal_value_is_repeated(office: Office) -> None:
    answers = await office.brings_all(DEFECTS)
    with (DEFECTS / "people.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = str([it for answer in answers.values() for it in answer.lines if "line" in it])
    for row in rows:
        for column in ("name", "id_number", "phone", "birth_date", "person_ref"):
            assert not row[column] or row[column] not in told


async def test_every_bad_row_is_explained_in_both_languages(office: Office) -> None:
    answer = await office.brings("duties", (DEFECTS / "duties.csv").read_bytes())
    assert [it for it in answer.lines if it.get("line") == 3] == [
        {
            "line": 3,
            "field": "deadline_minutes",
            "error": "missing",
            "message": "deadline_minutes must be filled in",
            "message_en": "deadline_minutes must be filled in",
            "message_zh": "deadline_minutes：必填，不能为空",
        }
    ]


async def test_progress_is_told_after_each_chunk(office: Office) -> None:
    rows = "".join(f"A{n},990502001001,样例路,{n},,,,,120.5,30.5\n" for n in range(1200))
    answer = await office.brings("addresses", ADDRESSES + rows)
    told = [it["progress"] for it in answer.lines if "progress" in it]
    assert told == [
        {"rows": 500, "line": 501, "lines": 1201},
        {"rows": 1000, "line": 1001, "lines": 1201},
        {"rows": 1200, "line": 1201, "lines": 1201},
    ]


async def test_a_row_that_says_something_else_is_a_change(office: Office) -> None:
    await office.brings("addresses", f"{ADDRESSES}A1,990502001001,样例路,1,,,,,120.5,30.5\n")
    answer = await office.brings(
        "addresses", f"{ADDRESSES}A1,990502001001,新样例路,1,,,,,120.5,30.5\nA2,990502001001,样例路,2,,,,,120.5,30.5\n"
    )
    assert answer.done == {"rows": 2, "registered": 1, "changed": 1, "unchanged": 0, "refused": 0}
    assert {row["written"] for row in await office.sees_all("/addresses")} == {"新样例路1号", "样例路2号"}


async def test_a_reference_that_stands_twice_in_a_file_is_told_and_the_first_one_holds(office: Office) -> None:
    same = "A1,990502001001,样例路,{},,,,,120.5,30.5\n"
    content = ADDRESSES + same.format(1) + same.format(2)
    assert (await office.brings("addresses", content)).bad == [(3, "row", "duplicate")]
    assert (await office.brings("addresses", content)).done == {
        "rows": 2,
        "registered": 0,
        "changed": 0,
        "unchanged": 1,
        "refused": 1,
    }


async def test_addresses_follow_their_grid_when_it_is_redrawn(office: Office, runtime: Runtime) -> None:
    await office.brings("grids", GROUND % ("G1", "120.01", "120.01"))
    near, far = "A1,990502001001,样例路,1,,,,,120.005,30.005\n", "A2,990502001001,样例路,2,,,,,120.015,30.005\n"
    await office.brings("addresses", ADDRESSES + near + far)

    async def in_grid() -> set[str]:
        return {row["written"] for row in await office.sees_all("/addresses", grid="G1")}

    assert await in_grid() == {"样例路1号"}
    answer = await office.brings("grids", GROUND % ("G1", "120.02", "120.02"))
    assert answer.done["changed"] == 1

    async def both() -> bool:
        return await in_grid() == {"样例路1号", "样例路2号"}

    await eventually(both)
    answer = await office.brings("addresses", ADDRESSES + near + far)
    assert answer.done["unchanged"] == 2  # what the file would say is what is known already


async def test_a_grid_may_not_overlap_one_that_stands(office: Office) -> None:
    await office.brings("grids", GROUND % ("G1", "120.01", "120.01"))
    answer = await office.brings("grids", GROUND % ("G2", "120.02", "120.02"))
    assert answer.bad == [(1, "boundary", "overlap")]
    assert [it["id"] for it in (await office.sees("/grids"))["features"]] == ["G1"]


async def test_odd_geojson_is_told_feature_by_feature(office: Office) -> None:
    corners = "[[120, 30], [121, 30], [121, 31], [120, 30]]"
    many = ",".join(["[120, 30]"] * 2001)
    properties = '"properties": {"code": "%s", "name_zh": "样", "name_en": "S"}'
    odd = [
        "7",
        '{"properties": {"code": "A B", "name_zh": "样", "name_en": "S"}, "geometry": null}',
        f'{{{properties % "B"}, "geometry": null}}',
        f'{{{properties % "C"}, "geometry": {{"type": "MultiPolygon", "coordinates": [[{corners}]]}}}}',
        f'{{{properties % "D"}, "geometry": {{"type": "Polygon", "coordinates": [{corners}, {corners}]}}}}',
        f'{{{properties % "E"}, "geometry": {{"type": "Polygon", "coordinates": [[["x", 30], [1], [2], [3]]]}}}}',
        f'{{{properties % "F"}, "geometry": {{"type": "Polygon", "coordinates": [[]]}}}}',
        f'{{{properties % "G"}, "geometry": {{"type": "Polygon", "coordinates": [{corners}]}}}}',
        f'{{{properties % "G"}, "geometry": {{"type": "Polygon", "coordinates": [{corners}]}}}}',
        f'{{{properties % "H"}, "geometry": {{"type": "Polygon", "coordinates": [[{many}]]}}}}',
    ]
    answer = await office.brings("grids", f'{{"type": "FeatureCollection", "features": [{",".join(odd)}]}}')
    assert answer.bad == [
        (1, "geometry", "not_a_polygon"),
        (2, "code", "code"),
        (3, "geometry", "not_a_polygon"),
        (4, "geometry", "not_a_polygon"),
        (5, "geometry", "not_a_polygon"),
        (6, "boundary", "not_a_number"),
        (7, "boundary", "too_few_corners"),
        (9, "code", "duplicate"),
        (10, "boundary", "too_many_corners"),
    ]
    assert answer.done["registered"] == 1


async def test_what_is_no_register_is_refused_at_once(http: httpx2.AsyncClient, anonymous: httpx2.AsyncClient) -> None:
    for register, content, words in [
        ("people", b"PK\x03\x04", "workbook"),
        ("households", b"household_ref\nH1\n", "address_ref"),
        ("grids", b"[", "not JSON"),
        ("grids", b'{"type": "Feature"}', "FeatureCollection"),
        ("grids", b"[" * 300 + b"]" * 300, "nested too deeply"),
        ("grids", b'{"type": "FeatureCollection", "features": [' + b"0," * 1000 + b"0]}", "more than 1000 grids"),
        ("powers", b"[" * 300 + b"]" * 300, "nested too deeply"),
        ("powers", b"[" + b"0," * 1000 + b"0]", "more than 1000 powers"),
    ]:
        response = await http.put(f"/registers/{register}", content=content)
        assert response.status_code == 422
        assert response.headers["content-type"] == "application/problem+json"
        assert words in response.json()["errors"][0]["message"]
    assert (await http.put("/registers/opinions", content=b"")).status_code == 422
    assert (await http.put("/registers/people", content=b"x\n")).status_code == 422
    too_much = {"Content-Length": str(1024 * 1024 * 1024 + 1)}
    assert (await http.put("/registers/people", content=b"x", headers=too_much)).status_code == 413
    assert (await http.put("/registers/powers", content=b" " * (16 * 1024 * 1024 + 1))).status_code == 413
    assert (await anonymous.put("/registers/people", content=b"")).status_code == 401


async def test_a_failure_on_the_way_is_told_at_the_end(office: Office, runtime: Runtime) -> None:
    await runtime.db.execute("alter function log.append rename to gone")
    answer = await office.brings("duties", (COMMUNITY / "duties.csv").read_bytes())
    assert "done" not in answer.lines[-1]
    assert answer.lines[-1]["failed"]["error"] == "internal-error"


async def test_ten_thousand_rows_stay_small_in_memory(idle_office: Office) -> None:
    remark = "备注" * 250

    async def rows() -> AsyncIterator[bytes]:
        yield ADDRESSES.replace("\n", ",remarks\n").encode()
        for n in range(10_000):
            yield f"A{n},990502001001,样例路,{n},,,,,120.5,30.5,{remark}\n".encode()

    await idle_office.sees("/counts")  # what a process holds in any case is there
    gc.collect()
    tracemalloc.start()
    try:
        answer = await idle_office.brings("addresses", rows())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.done["registered"] == 10_000
    assert peak < 8_000_000  # the file has more than 15 MB; of each row its reference and its place are remembered


async def test_the_whole_history_of_an_import_names_who_brought_it(office: Office, runtime: Runtime) -> None:
    await office.brings("duties", (COMMUNITY / "duties.csv").read_bytes())

    async def all_by_the_clerk() -> bool:  # readers wait while anybody on the server writes
        raws = await store.read_after(runtime.db, START, 100)
        return {raw.actor for raw in raws} == {"clerk"}

    await eventually(all_by_the_clerk)
