"""A register is taken away as a file: all of one moment, within reach, and by any form that partners read."""

import csv
import gc
import io
import json
import tracemalloc
from importlib import import_module
from typing import Any

import httpx2
import pytest
from contracts.common import Post
from edge.callers import Callers
from edge.testing import client, founding, in_post, issuer, served, token, told
from events import store
from events.event import START, Position
from events.migrate import migrate
from events.runtime import Runtime, open_runtime
from events.settings import Settings
from events.testing import RING, eventually
from local.testing import database
from registry.api import snapshots
from registry.exporting.forms import Csv
from registry.read_models.snapshots import SNAPSHOTS, Column, reading
from registry.service import application, registry

from .conftest import NO_KAFKA, Office, at_work, sample

READ_AGAIN = ("addresses", "buildings", "households", "duties")


async def taken(office: Office, register: str, accept: str = "text/csv") -> httpx2.Response:
    answer = await office.http.get(
        f"/snapshots/{register}", headers={"Accept": accept, "Consistency-Token": office.token}
    )
    assert answer.status_code == 200, answer.text
    return answer


async def rows(office: Office, register: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((await taken(office, register)).text)))


async def test_every_register_is_given_out_in_every_form_with_the_same_rows(filled: Office) -> None:
    many = {"grids": 6, "buildings": 20, "households": 40, "people": 80, "units": 30, "roster": 33, "duties": 22}
    for register, count in many.items():
        table = await rows(filled, register)
        assert len(table) == count, register
        lines = await taken(filled, register, "application/x-ndjson")
        assert lines.headers["content-type"] == "application/x-ndjson"
        objects = [json.loads(line) for line in lines.text.splitlines()]
        as_text = [{name: "" if value is None else str(value) for name, value in it.items()} for it in objects]
        assert as_text == table
        parquet = await taken(filled, register, "application/vnd.apache.parquet")
        assert [{name: _plain(value) for name, value in it.items()} for it in read_parquet(parquet.content)] == objects
        if SNAPSHOTS[register].geometry:
            collection = (await taken(filled, register, "application/geo+json")).json()
            assert [it["properties"] for it in collection["features"]] == objects
            kind = "Polygon" if register == "grids" else "Point"
            assert {it["geometry"]["type"] for it in collection["features"]} == {kind}


def read_parquet(content: bytes) -> list[dict[str, Any]]:
    arrow: Any = import_module("pyarrow.parquet")
    return arrow.read_table(io.BytesIO(content)).to_pylist()


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


async def test_the_form_follows_from_what_is_accepted(filled: Office) -> None:
    for accept, media in [
        ("*/*", "text/csv"),
        ("text/html, */*;q=0.1", "text/csv"),
        ("text/csv;q=0.2, application/x-ndjson;q=0.9", "application/x-ndjson"),
        ("application/geo+json", "application/geo+json"),
    ]:
        assert (await taken(filled, "units", accept)).headers["content-type"].partition(";")[0] == media
    answer = await filled.http.get("/snapshots/units?format=ndjson", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    for url, accept in [("/snapshots/units", "image/png"), ("/snapshots/people", "application/geo+json")]:
        answer = await filled.http.get(url, headers={"Accept": accept})
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (406, "not-in-this-form")


async def test_what_can_be_read_again_changes_nothing_here_and_is_the_same_elsewhere(
    filled: Office, postgres_server: str
) -> None:
    files = {"grids": (await taken(filled, "grids", "application/geo+json")).content}
    files |= {register: (await taken(filled, register)).content for register in READ_AGAIN}
    for register, content in files.items():
        answer = await filled.brings(register, content)
        assert answer.bad == []
        assert answer.done["unchanged"] == answer.done["rows"] > 0
    async with database(postgres_server, "elsewhere") as url:
        settings = Settings(url, NO_KAFKA, keys=RING)
        await migrate(registry, settings)
        await told(url, *founding(), in_post("clerk", Post.REGISTRAR))
        async with (
            open_runtime(registry, settings) as other,
            at_work(other),
            client(application, other, token("clerk")) as http,
        ):
            office = Office(http)
            for register, content in files.items():
                assert (await office.brings(register, content)).bad == []
            for register in READ_AGAIN:
                assert (await taken(office, register)).content == files[register]


async def test_what_lacks_personal_columns_is_not_taken_for_the_register(filled: Office) -> None:
    for register in ("units", "people", "roster"):
        answer = await filled.http.put(f"/registers/{register}", content=(await taken(filled, register)).content)
        assert answer.status_code == 422  # it would take telephones and e-mails away


async def test_people_are_masked_and_contacts_left_out(filled: Office) -> None:
    everything = ""
    for register in SNAPSHOTS:
        everything += (await taken(filled, register)).text
    for file, columns in {
        "people.csv": ("name", "id_number", "phone"),
        "units.csv": ("phone",),
        "roster.csv": ("email", "phone"),
    }.items():
        for row in csv.DictReader(io.StringIO(sample(file, 30))):
            for column in columns:
                assert not row[column] or row[column] not in everything.replace(row.get("member_ref", "-"), "")
    assert "谭**" in everything


async def test_what_is_no_more_is_in_no_snapshot(filled: Office) -> None:
    closed = sample("units.csv", 1).replace("phone\n", "phone,closed\n") + ",yes"
    assert (await filled.brings("units", closed)).done["changed"] == 1
    dissolved = sample("households.csv", 1).replace("address_ref\n", "address_ref,dissolved\n") + ",yes"
    assert (await filled.brings("households", dissolved)).done["changed"] == 1
    assert len(await rows(filled, "units")) == 29
    assert len(await rows(filled, "households")) == 39
    page = await filled.sees("/ogc/collections/units/items", limit=100)
    assert page["numberReturned"] == 29


async def test_a_snapshot_is_cut_to_reach_and_is_on_record(filled: Office, runtime: Runtime) -> None:
    workers = {"li": ("G1", {"G1"}), "wang": ("G2", set[str]())}
    posts = [in_post(who, Post.GRID_WORKER, grid) for who, (grid, _) in workers.items()]
    await told(runtime.settings.database_url, *posts)
    for who, (_, seen) in workers.items():
        for register in ("people", "households"):
            headers = {"Authorization": f"Bearer {token(who)}"}
            answer = await filled.http.get(f"/snapshots/{register}", headers=headers)
            assert {row["grid_code"] for row in csv.DictReader(io.StringIO(answer.text))} == seen
    acts = [(it["act"], it["actor"]) for it in await filled.sees_all("/audit")]
    assert ("GET /snapshots/people", "li") in acts
    async with client(application, runtime) as nobody:
        assert (await nobody.get("/snapshots/people")).status_code == 401
        assert (await nobody.get("/snapshots/units")).status_code == 200


async def test_whoever_goes_on_from_the_position_misses_nothing(filled: Office, runtime: Runtime) -> None:
    answer = await taken(filled, "buildings")
    position = Position.parse(answer.headers["Snapshot-Position"])
    everything = await store.read_after(runtime.db, START, 100_000)
    assert {it.stream for it in everything if it.stream.startswith("building-") and it.position > position} == set()
    changed = sample("buildings.csv", 1).replace("桑园新村1幢", "桑园新村一号楼")
    assert (await filled.brings("buildings", changed)).done["changed"] == 1

    async def the_change_alone_is_later() -> bool:  # readers wait while anybody on the server writes
        later = await store.read_after(runtime.db, position, 100_000)
        types = [it.type for it in later if it.stream.startswith("building-")]
        return types == ["commongrid.registry.building.changed.v1"]

    await eventually(the_change_alone_is_later)


async def test_it_is_all_of_one_moment_while_others_write(filled: Office, runtime: Runtime) -> None:
    async with reading(runtime.db, SNAPSHOTS["buildings"], None) as found:
        batches = found.batches(5)
        first = await anext(batches)
        changed = sample("buildings.csv", 20).replace("桑园新村", "新村")
        assert (await filled.brings("buildings", changed)).done["changed"] > 10
        await filled.sees("/buildings")  # the register shows it
        rest = [row async for batch in batches for row in batch]
    assert len(first) == 5
    assert len(rest) == 15
    assert not [row for row in [*first, *rest] if row[2].startswith("新村")]


def test_what_a_spreadsheet_would_take_for_a_formula_is_kept_a_text() -> None:
    writer = Csv([Column("name", ""), Column("longitude", "", "number")])
    assert writer.begin() == b"name,longitude\r\n"
    for text in ("=1+1", "+1", "-1", "@x", "\tx"):
        assert writer.rows([(text, -1.5, None)]).decode() == f"'{text},-1.5\r\n"
    assert writer.rows([("王", None, None)]).decode() == "王,\r\n"


async def test_a_name_that_begins_as_a_formula_is_read_again_as_it_was(filled: Office) -> None:
    named = sample("buildings.csv", 1).replace("桑园新村1幢", "=桑园")
    assert (await filled.brings("buildings", named)).done["changed"] == 1
    snapshot = await taken(filled, "buildings")
    assert "'=桑园" in snapshot.text
    assert (await filled.brings("buildings", snapshot.content)).done["unchanged"] == 20


MEMBERS = """insert into member (id, name, post, further_posts, further_grids, hours, skills, body, team)
select 'member-' || n, 'the name of member ' || n, 'auxiliary', '{}', '{}', '', '{}', '', ''"""


async def test_a_city_stays_small_in_memory(idle: Runtime) -> None:
    await idle.db.execute(f"""{MEMBERS} from generate_series(1, 200000) n""")
    async with (
        served(application.api(idle, Callers(issuer()))) as url,
        httpx2.AsyncClient(trust_env=False) as http,
    ):
        for form, most in [("csv", 8_000_000), ("ndjson", 8_000_000), ("parquet", 15_000_000)]:
            await _peak(http, f"{url}/snapshots/duties?format={form}")  # what is loaded once is there
            peak, rows = await _peak(http, f"{url}/snapshots/roster?format={form}")
            assert peak < most, form
            assert form == "parquet" or rows >= 200_000


async def test_only_so_many_are_given_out_at_once_and_who_goes_away_makes_room(
    idle: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "AT_ONCE", 1)
    await idle.db.execute(f"""{MEMBERS} from generate_series(1, 300000) n""")
    async with (
        served(application.api(idle, Callers(issuer()))) as url,
        httpx2.AsyncClient(trust_env=False) as http,
    ):
        async with http.stream("GET", f"{url}/snapshots/roster") as reading:
            assert reading.status_code == 200
            other = await http.get(f"{url}/snapshots/duties")
            assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (503, "not-ready")
            assert other.headers["Retry-After"] == "5"

        async def given() -> bool:
            return (await http.get(f"{url}/snapshots/duties")).status_code == 200

        await eventually(given)
        assert not snapshots.in_hand


async def _peak(http: httpx2.AsyncClient, url: str) -> tuple[int, int]:
    """The most memory that was used meanwhile, and how many lines the answer has."""
    gc.collect()
    tracemalloc.start()
    try:
        async with http.stream("GET", url) as answer:
            assert answer.status_code == 200
            lines = sum([part.count(b"\n") async for part in answer.aiter_bytes()])
        return tracemalloc.get_traced_memory()[1], lines
    finally:
        tracemalloc.stop()
