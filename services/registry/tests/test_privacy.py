"""Who sees whom, for what, and on record; who is erased, and who is kept because the law asks for it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from contracts.common import Post
from edge.testing import client, in_post, token, told
from events.runtime import Runtime
from events.testing import eventually
from registry.domain.person import PERSON as PERSON_REGISTER
from registry.domain.person import Hold
from registry.domain.references import id_of
from registry.retention import KEPT, erase_who_left
from registry.service import application

from .conftest import COMMUNITY, Office, some_addresses

PERSON = id_of("person", "P0001")
NAME, NUMBER, PHONE = "谭瑞", "990502196503154658", "15496301248"
As = Callable[[str | None], AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
async def known(office: Office, runtime: Runtime) -> Office:
    """A community of eighty people, P0001 among them, who lives in G1."""
    for register, content in [
        ("grids", (COMMUNITY / "grids.geojson").read_bytes()),
        ("addresses", some_addresses()),
        ("households", head(COMMUNITY / "households.csv", 40)),
        ("people", head(COMMUNITY / "people.csv", 80)),
    ]:
        answer = await office.brings(register, content)
        assert not answer.bad
    await told(
        runtime.settings.database_url,
        in_post("here", Post.GRID_WORKER, "G1"),
        in_post("elsewhere", Post.GRID_WORKER, "G2"),
        in_post("officer", Post.COMMUNITY_OFFICER),
    )
    await office.sees(f"/people/{PERSON}")
    return office


def head(file: Path, rows: int) -> str:
    return "\n".join(file.read_text(encoding="utf-8").splitlines()[: rows + 1]) + "\n"


@pytest.fixture
def as_(known: Office, runtime: Runtime) -> As:
    """A client of somebody else."""
    return lambda who: client(application, runtime, who and token(who))


async def looks(as_: As, who: str | None, purpose: str | None) -> httpx2.Response:
    async with as_(who) as http:
        return await http.get(f"/people/{PERSON}", headers={"Purpose": purpose} if purpose else {})


def reason(answer: httpx2.Response) -> str:
    return answer.json()["type"].rpartition("/")[2]


async def test_for_a_purpose_the_fields_that_it_covers_are_open_and_no_others(as_: As) -> None:
    seen = (await looks(as_, "here", "visit")).json()
    assert (seen["name"], seen["phone"], seen["disclosed"]) == (NAME, PHONE, ["home_hours", "name", "phone"])
    assert (seen["id_number"], seen["sex"], seen["birth_date"]) == ("9905**********4658", None, None)
    checked = await looks(as_, "officer", "case_handling")
    assert (checked.json()["id_number"], checked.json()["birth_date"]) == (NUMBER, None)
    assert checked.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("who", "purpose", "status", "why"),
    [
        ("here", "registration", 403, "not-for-this-purpose"),
        ("here", "curiosity", 403, "not-for-this-purpose"),
        ("clerk", "visit", 403, "not-for-this-purpose"),
        ("elsewhere", "visit", 404, "not-found"),
        ("stranger", "visit", 403, "not-allowed"),
        (None, "visit", 401, "not-signed-in"),
        ("here", "Not a purpose", 422, "invalid-input"),
    ],
)
async def test_who_has_no_such_purpose_sees_nothing_and_leaves_no_trace_of_having_seen(
    as_: As, known: Office, who: str | None, purpose: str, status: int, why: str
) -> None:
    answer = await looks(as_, who, purpose)
    assert (answer.status_code, reason(answer)) == (status, why)
    for secret in (NAME, NUMBER, PHONE):
        assert secret not in answer.text
    assert await known.sees(f"/people/{PERSON}/disclosures") == {"items": [], "next": None}


async def test_the_person_concerned_can_be_told_who_has_seen_what_when_and_why(as_: As, runtime: Runtime) -> None:
    await looks(as_, "here", None)
    for who, purpose in (("here", "visit"), ("officer", "registration"), ("here", "rescue")):
        answer = await looks(as_, who, purpose)
    fresh = {"Consistency-Token": answer.headers["Consistency-Token"]}
    async with client(application, runtime, token("resident_portal", client_id="resident_portal")) as portal:
        looked = (await portal.get(f"/people/{PERSON}/disclosures", headers=fresh)).json()["items"]
    assert [(it["by"], it["purpose"]) for it in looked] == [
        ("here", "rescue"),
        ("officer", "registration"),
        ("here", "visit"),
    ]
    assert looked[1]["fields"] == ["birth_date", "id_number", "name", "phone", "sex"]
    assert all(it["trace"] or it["trace"] is None for it in looked)
    async with as_("here") as http:
        assert (await http.get(f"/people/{PERSON}/disclosures")).status_code == 403


async def test_the_person_concerned_gets_a_signed_copy_of_all_that_is_held_and_it_is_on_record(
    as_: As, known: Office, runtime: Runtime
) -> None:
    await looks(as_, "here", "visit")
    async with client(application, runtime, token("resident_portal", client_id="resident_portal")) as portal:
        answer = await portal.get(f"/people/{PERSON}/copy")
        (key,) = (await portal.get("/copies/keys")).json()["keys"]
        page = await portal.get(f"/people/{PERSON}/copy", headers={"Accept": "text/html"})
    copied = answer.json()["copied"]
    assert (copied["held"]["name"], copied["held"]["id_number"], copied["held"]["phone"]) == (NAME, NUMBER, PHONE)
    assert [it["what"] for it in copied["history"]] == ["person.registered"]
    signed = jwt.decode(answer.json()["jws"], jwt.PyJWK(key), algorithms=["EdDSA"])
    assert signed == copied
    assert answer.headers["Cache-Control"] == page.headers["Cache-Control"] == "no-store"
    assert NAME in page.text
    assert "<table>" in page.text

    async def three_looks() -> bool:
        shown = await known.sees(f"/people/{PERSON}/disclosures")
        return [it["purpose"] for it in shown["items"]] == ["copy", "copy", "visit"]

    await eventually(three_looks)
    async with as_("officer") as http:
        assert (await http.get(f"/people/{PERSON}/copy")).status_code == 403


@pytest.mark.parametrize(
    "number",
    [
        {"of": "id_number", "number": NUMBER},
        {"of": "id_number", "number": "９９０５０２ 19650315 4658"},
        {"of": "phone", "number": "+86 154-9630-1248"},
    ],
)
async def test_somebody_is_found_by_a_number_however_it_is_written(as_: As, number: dict[str, str]) -> None:
    async with as_("officer") as http:
        found = (await http.post("/people/search", json=number)).json()
    assert [it["person"] for it in found] == [PERSON]
    assert found[0]["name"] == "谭**"


async def test_a_number_of_nobody_finds_nobody_and_no_number_is_kept(as_: As, runtime: Runtime) -> None:
    async with as_("officer") as http:
        assert (await http.post("/people/search", json={"of": "phone", "number": "13800138000"})).json() == []
        assert (await http.post("/people/search", json={"of": "name", "number": "12345"})).status_code == 422
    async with as_("here") as http:
        assert (await http.post("/people/search", json={"of": "phone", "number": PHONE})).status_code == 403
    rows = await runtime.db.fetch("select p::text from person p")
    assert not any(PHONE in row[0] or NUMBER in row[0] for row in rows)


async def change(http: httpx2.AsyncClient, what: str, body: Any = None, version: int | str = "*") -> httpx2.Response:
    tag = version if version == "*" else f'"v{version}"'
    return await http.post(
        f"/people/{PERSON}/{what}",
        json=body or {},
        headers={"Idempotency-Key": f"{what}-{version}", "If-Match": str(tag)},
    )


async def test_who_was_erased_is_gone_and_cannot_be_entered_again(known: Office, runtime: Runtime) -> None:
    http = known.http
    erased = await change(http, "erasure", {"ground": "consent_withdrawn"})
    assert erased.status_code == 202, erased.text
    assert erased.json()["erased_at"]

    async def gone() -> bool:
        return (await http.get(f"/people/{PERSON}/erasure")).status_code == 200 and await runtime.db.fetchval(
            "select count(*) = 0 from person where id = $1", PERSON
        )

    await eventually(gone)

    async def confirmed_here() -> bool:
        return "registry" not in (await http.get(f"/people/{PERSON}/erasure")).json()["waiting_for"]

    await eventually(confirmed_here)
    report = (await http.get(f"/people/{PERSON}/erasure")).json()
    assert report["ground"] == "consent_withdrawn"
    assert report["waiting_for"] == ["assessment", "grid_tasks", "notifications"]
    answer = await http.get(f"/people/{PERSON}")
    assert (answer.status_code, reason(answer)) == (410, "erased")
    assert (await http.post("/people/search", json={"of": "phone", "number": PHONE})).json() == []
    again = await known.brings("people", head(COMMUNITY / "people.csv", 1))
    assert [(it[1], it[2]) for it in again.bad] == [("row", "erased")]
    assert (await change(http, "erasure", {"ground": "consent_withdrawn"})).status_code == 202, "a repetition"
    history = await runtime.db.fetch("select data::text from log.events where stream = $1", f"person-{PERSON}")
    assert not any(NAME in row[0] or NUMBER in row[0] for row in history)


async def test_whom_the_law_asks_to_be_kept_cannot_be_erased_until_released(known: Office) -> None:
    http = known.http
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    held = await change(http, "hold", {"legal_basis": "《刑事诉讼法》第一百四十一条", "until": until})
    assert held.json()["held_until"], held.text
    refused = await change(http, "erasure", {"ground": "purpose_achieved"}, 2)
    assert (refused.status_code, reason(refused)) == (409, "legal-hold")
    assert (await http.get(f"/people/{PERSON}")).status_code == 200
    assert (await change(http, "release", None, 2)).status_code == 200
    assert (await change(http, "erasure", {"ground": "purpose_achieved"}, 3)).status_code == 202


async def test_until_when_somebody_is_kept_is_a_time_and_no_number(known: Office) -> None:
    for until in (4102444800, "4102444800", "2099-12-31"):
        answer = await change(known.http, "hold", {"legal_basis": "x", "until": until})
        assert (answer.status_code, reason(answer)) == (422, "invalid-input"), until


async def test_nobody_but_the_registrar_erases_or_keeps(as_: As) -> None:
    for who, status in (("officer", 403), ("here", 403), (None, 401)):
        async with as_(who) as http:
            for what, body in (("erasure", {"ground": "unlawful"}), ("hold", {"legal_basis": "x", "until": "x"})):
                assert (await change(http, what, body)).status_code == status


async def test_floating_residents_are_erased_long_after_they_left_but_for_whom_the_law_keeps(
    known: Office, runtime: Runtime
) -> None:
    await known.brings(
        "people",
        "person_ref,name,id_number,sex,birth_date,phone,residency,household_ref,relation,address_ref,registered_until\n"
        "F1,赵一,990502198001011218,1,1980-01-01,,floating,,,A01-1-102,2026-06-30\n"
        "F2,钱二,990502198101011223,2,1981-01-01,,floating,,,A01-1-102,2026-06-30\n",
    )
    await known.sees("/people")
    floating = [row[0] for row in await runtime.db.fetch("select id from person where residency = 'floating'")]
    assert len(floating) == 2
    others = await runtime.db.fetchval("select count(*) from person where residency <> 'floating'")
    until = datetime.now(UTC) + timedelta(days=365 * 50)
    hold = Hold("《刑事诉讼法》第一百四十一条", until, datetime.now(UTC))
    await runtime.commands.execute(PERSON_REGISTER, floating[0], hold)
    soon = replace(runtime, clock=lambda: datetime.now(UTC))
    late = replace(runtime, clock=lambda: datetime.now(UTC) + KEPT * 10)
    assert await erase_who_left(soon) == 0
    assert await erase_who_left(late) == len(floating) - 1 > 0
    assert await erase_who_left(late) == 0
    left = await runtime.db.fetch("select id from person where residency = 'floating'")
    assert [row[0] for row in left] == [floating[0]]
    assert await runtime.db.fetchval("select count(*) from person where residency <> 'floating'") == others
