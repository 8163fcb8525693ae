"""GIS read grids, buildings and units by OGC API - Features; what GDAL's driver is given here, QGIS is given too."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from contracts.common import Post
from edge.callers import Callers
from edge.testing import given, in_post, issuer, served, token, told
from events.runtime import Runtime
from events.testing import eventually
from registry.domain.references import id_of
from registry.service import application
from shapely.geometry import box, shape

from .conftest import EXAMPLES, Office

COMMUNITY = EXAMPLES / "community"
MANY = {"grids": 6, "buildings": 69, "units": 125}
GEOJSON = "application/geo+json"
OGRINFO = shutil.which("ogrinfo")
gdal = pytest.mark.skipif(OGRINFO is None, reason="GDAL's ogrinfo is not installed (Debian: gdal-bin)")


@pytest.fixture
async def filled(office: Office) -> Office:
    """A clerk who has brought what lies on the map."""
    await office.brings("grids", (COMMUNITY / "grids.geojson").read_bytes())
    for register in ("addresses", "buildings", "units"):
        assert not (await office.brings(register, (COMMUNITY / f"{register}.csv").read_bytes())).bad
    await office.sees("/units", limit=1)  # all of it can be read now
    await office.sees("/buildings", limit=1)
    return office


async def get(http: httpx2.AsyncClient, url: str, **query: Any) -> Any:
    answer = await http.get(url, params=query) if query else await http.get(url)
    assert answer.status_code == 200, answer.text
    return answer.json()


def link(document: Any, rel: str) -> str:
    [href] = [it["href"] for it in document["links"] if it["rel"] == rel]
    return href


async def everything(http: httpx2.AsyncClient, url: str) -> list[Any]:
    """All features, by the links to the next page."""
    found: list[Any] = []
    while url:
        page = await get(http, url)
        assert page["numberReturned"] == len(page["features"])
        found += page["features"]
        following = [it["href"] for it in page["links"] if it["rel"] == "next"]
        url = following[0] if following else ""
    return found


async def test_whoever_follows_the_links_gets_everything_once(filled: Office) -> None:
    http = filled.http
    landing = await get(http, "/ogc")
    assert {it["rel"] for it in landing["links"]} >= {"self", "service-desc", "conformance", "data"}
    assert all(it["href"].startswith("http://registry/") and it["type"] for it in landing["links"])
    conforms = (await get(http, link(landing, "conformance")))["conformsTo"]
    assert {it.rpartition("/")[2] for it in conforms} == {"core", "oas30", "geojson"}
    collections = (await get(http, link(landing, "data")))["collections"]
    assert [it["id"] for it in collections] == list(MANY)
    for collection in collections:
        assert await get(http, link(collection, "self")) == collection
        [extent] = collection["extent"]["spatial"]["bbox"]
        found = await everything(http, f"{link(collection, 'items')}?limit=4")
        assert len({it["id"] for it in found}) == len(found) == MANY[collection["id"]]
        for it in found:
            assert box(*extent).buffer(1e-6).covers(shape(it["geometry"]))


async def test_features_say_what_is_useful_and_nothing_personal(filled: Office) -> None:
    unit = await filled.http.get(f"/ogc/collections/units/items/{id_of('unit', 'U001')}")
    assert unit.headers["content-type"] == GEOJSON
    shown = unit.json()
    assert shown["properties"] == {
        "name": "万家棋牌室",
        "category": "chess_room",
        "address": "蚕花路2号",
        "grid": "G1",
    }
    assert shown["geometry"] == {"type": "Point", "coordinates": [120.093528, 30.873932]}
    building = await get(filled.http, f"/ogc/collections/buildings/items/{id_of('building', 'B01')}")
    assert set(building["properties"]) == {"name", "kind", "floors", "built_year", "address", "grid"}
    grid = await get(filled.http, "/ogc/collections/grids/items/G1")
    assert grid["geometry"] == (await filled.sees("/grids"))["features"][0]["geometry"]
    for path in ("units/items/nothing", "streets", "streets/items"):
        assert (await filled.http.get(f"/ogc/collections/{path}")).status_code == 404


async def test_a_box_gives_what_lies_in_it(filled: Office) -> None:
    west, south, east, north = 120.0935, 30.8725, 120.0965, 30.8745
    for collection in MANY:
        everywhere = await everything(filled.http, f"/ogc/collections/{collection}/items?limit=1000")
        wanted = {it["id"] for it in everywhere if box(west, south, east, north).intersects(shape(it["geometry"]))}
        assert 0 < len(wanted) < len(everywhere)
        for corners in ([west, south, east, north], [west, south, 0, east, north, 9]):
            text = ",".join(map(str, corners))
            page = await get(filled.http, f"/ogc/collections/{collection}/items", bbox=text, limit=1000)
            assert {it["id"] for it in page["features"]} == wanted
            assert page["numberMatched"] == len(wanted)
    nowhere = await get(filled.http, "/ogc/collections/units/items", bbox="10,50,11,51")
    assert (nowhere["features"], nowhere["numberMatched"]) == ([], 0)


async def test_pages_are_as_long_as_was_asked_and_no_longer_than_a_thousand(filled: Office) -> None:
    items = "/ogc/collections/units/items"
    assert (await get(filled.http, items))["numberReturned"] == 10
    assert (await get(filled.http, items, limit=100_000))["numberReturned"] == 125
    page = await get(filled.http, items, limit=7, datetime="2026-01-01T00:00:00Z/..", bbox="120,30,121,31")
    assert page["numberReturned"] == 7
    following = await get(filled.http, link(page, "next"))
    assert following["numberReturned"] == 7
    assert "bbox=120,30,121,31" in link(following, "next")


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "bbox=1,2,3", "bbox=a,b,c,d", "colour=red", "crs=EPSG:4490"])
async def test_a_parameter_that_is_wrong_or_unknown_is_a_bad_request(http: httpx2.AsyncClient, query: str) -> None:
    answer = await http.get(f"/ogc/collections/units/items?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_description_is_openapi_3_0_and_true(http: httpx2.AsyncClient) -> None:
    described = await http.get("/ogc/api")
    assert described.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = described.json()
    assert document["openapi"].startswith("3.0")
    [server] = document["servers"]
    for path in document["paths"]:
        if "{" not in path:
            assert (await http.get(server["url"] + path.rstrip("/"))).status_code == 200


async def test_collections_are_cut_to_reach_and_shown_to_whoever_may(filled: Office, runtime: Runtime) -> None:
    await told(
        runtime.settings.database_url,
        given("units.read", "grid_worker@own_grid"),
        given("buildings.read", "registrar"),
        in_post("li", Post.GRID_WORKER, "G1"),
    )
    http, worker = filled.http, {"Authorization": f"Bearer {token('li')}"}

    async def own_only() -> bool:
        page = (await http.get("/ogc/collections/units/items?limit=1000", headers=worker)).json()
        return {it["properties"]["grid"] for it in page["features"]} == {"G1"}

    await eventually(own_only)  # what ends is refused within a second
    answer = await http.get("/ogc/collections", headers=worker)
    assert [it["id"] for it in answer.json()["collections"]] == ["grids", "units"]
    assert (await http.get("/ogc/collections/buildings/items", headers=worker)).status_code == 403


@pytest.fixture
async def address(filled: Office, runtime: Runtime) -> AsyncGenerator[str]:
    """Where the service answers over the network, behind a proxy or not."""
    async with served(application.api(runtime, Callers(issuer())), proxy_headers=True) as url:
        yield url


async def test_links_are_right_behind_a_proxy(address: str) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        headers = {"Host": "grid.example", "X-Forwarded-Proto": "https"}
        landing = (await http.get(f"{address}/ogc", headers=headers)).json()
        assert link(landing, "data") == "https://grid.example/ogc/collections"
        page = (await http.get(f"{address}/ogc/collections/units/items", headers=headers)).json()
        assert link(page, "next").startswith("https://grid.example/ogc/collections/units/items?limit=10&cursor=")


async def run(*command: str) -> str:
    """What a program of GDAL says; it must not complain."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    text = output.decode()
    assert process.returncode == 0, text
    assert "ERROR" not in text, text
    return text


def counted(text: str) -> dict[str, int]:
    """Features by layer, as ogrinfo tells."""
    names = [line.removeprefix("Layer name: ") for line in text.splitlines() if line.startswith("Layer name: ")]
    counts = [int(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith("Feature Count: ")]
    return dict(zip(names, counts, strict=True))


@gdal
async def test_gdal_reads_all_of_it(address: str, tmp_path: Path) -> None:
    assert counted(await run("ogrinfo", "-al", "-so", f"OAPIF:{address}/ogc")) == MANY
    package = str(tmp_path / "community.gpkg")
    await run("ogr2ogr", "-f", "GPKG", package, f"OAPIF:{address}/ogc", "-oo", "PAGE_SIZE=20")
    text = await run("ogrinfo", "-al", "-so", package)
    assert counted(text) == MANY
    assert "Geometry: Polygon" in text
    for field in ("name", "category", "grid", "floors"):
        assert f"{field}: " in text


@gdal
async def test_gdal_asks_for_a_box_and_as_somebody(address: str, runtime: Runtime) -> None:
    await told(runtime.settings.database_url, given("units.read", "registrar"))
    head = ("--config", "GDAL_HTTP_HEADERS", f"Authorization: Bearer {token('clerk')}")
    spat = ("-spat", "120.0935", "30.8735", "120.0955", "30.8745")
    text = await run("ogrinfo", *head, "-so", *spat, f"OAPIF:{address}/ogc", "units")
    assert 0 < counted(text)["units"] < MANY["units"]
