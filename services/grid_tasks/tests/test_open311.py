"""Open311 GeoReport v2 over HTTP: what the standard asks for, in both forms, and what is kept from everybody."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx2
import orjson
import pytest
from contracts.common import Title
from contracts.grid_tasks import CaseReported, ReporterKind
from contracts.registry import DutyChanged
from edge.callers import Callers
from edge.patience import Protocol
from edge.settings import SettingsError
from edge.testing import client, in_post, issuer, served, token, told
from events.runtime import Runtime
from events.testing import eventually
from grid_tasks.api.open311.settings import by_environment
from grid_tasks.domain.case import CASE
from grid_tasks.read_models.case_board import case_board
from grid_tasks.read_models.duties import duties
from grid_tasks.service import application
from prometheus_client import REGISTRY

from .conftest import Trade
from .test_api import POSTS, Desk
from .trade import GRID, LEADER, LI, NOISE

WORDS = "楼上深夜装修"
FORM: dict[str, str] = {
    "service_code": "neighbour_noise",
    "lat": "30.8723",
    "long": "120.0945",
    "description": WORDS,
    "email": "resident@example.org",
}
V2 = "/open311/v2"


class Apps:
    """Where apps of residents ask, and people of the grid in their own way."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.desk = Desk(http)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.http.get(V2 + path, headers=headers)

    async def post(self, form: dict[str, str], ending: str = "json", **headers: str) -> httpx2.Response:
        return await self.http.post(f"{V2}/requests.{ending}", data=form, headers=headers)

    async def reported(self, **changes: str) -> dict[str, Any]:
        answer = await self.post(FORM | changes)
        assert answer.status_code == 201, answer.text
        return answer.json()[0]

    async def listed(self, query: str = "") -> list[str]:
        answer = await self.get(f"/requests.json?{query}")
        assert answer.status_code == 200, answer.text
        return [it["service_request_id"] for it in answer.json()]


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GRID_TASKS_JURISDICTION", "grid.example")
    by_environment.cache_clear()
    yield
    by_environment.cache_clear()


@pytest.fixture
async def apps(runtime: Runtime) -> AsyncGenerator[Apps]:
    await told(runtime.settings.database_url, *(in_post(who, post, GRID) for who, post in POSTS.items()))
    async with client(application, runtime) as http:
        yield Apps(http)


def assert_refused(answer: httpx2.Response, status: int, *words: str) -> None:
    """It is told in the standard's form (section Errors)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    errors = answer.json()
    assert {it["code"] for it in errors} == {status}
    for word in words:
        assert any(word in it["description"] for it in errors), errors


def root_of(answer: httpx2.Response) -> ET.Element:
    return ET.fromstring(answer.content)  # noqa: S314  # ours


def values(element: ET.Element) -> dict[str, str | None]:
    return {it.tag: it.text for it in element}


# What there is.


@pytest.mark.parametrize("path", ["/open311/discovery", "/open311/v2/discovery"])
async def test_discovery_names_the_endpoint_and_both_forms(apps: Apps, path: str) -> None:
    found = (await apps.http.get(f"{path}.json")).json()
    assert found.keys() == {"changeset", "contact", "key_service", "endpoints"}
    (endpoint,) = found["endpoints"]
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"] == "http://grid_tasks/open311/v2"
    assert endpoint["type"] == "production"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    root = root_of(await apps.http.get(f"{path}.xml"))
    assert [it.text for it in root.iterfind("endpoints/endpoint/formats/format")] == endpoint["formats"]


async def test_the_services_are_the_duties_of_the_grid_in_the_callers_language(apps: Apps) -> None:
    (english,) = (await apps.get("/services.json")).json()
    assert english == {
        "service_code": "neighbour_noise",
        "service_name": "Noise from neighbours",
        "description": "Noise from neighbours",
        "metadata": False,
        "type": "realtime",
        "keywords": "邻里噪声扰民, Police station",
        "group": "Police station",
    }
    answer = await apps.get("/services.xml", **{"Accept-Language": "zh-CN"})
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.headers["content-language"] == "zh"
    assert answer.content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    root = root_of(answer)
    assert (root.tag, root[0].tag, len(root)) == ("services", "service", 1)
    chinese = values(root[0])
    assert (chinese["service_name"], chinese["metadata"]) == ("邻里噪声扰民", "false")


async def test_a_service_has_no_attributes_and_what_is_no_service_is_not_found(apps: Apps) -> None:
    assert (await apps.get("/services/neighbour_noise.json")).json() == {
        "service_code": "neighbour_noise",
        "attributes": [],
    }
    root = root_of(await apps.get("/services/neighbour_noise.xml"))
    assert (root.tag, values(root)) == ("service_definition", {"service_code": "neighbour_noise", "attributes": None})
    assert_refused(await apps.get("/services/ufo.json"), 404, "service_code")
    assert_refused(await apps.get("/services/business_licence_check.json"), 404, "Market supervision bureau")


async def test_another_jurisdiction_is_not_found_wherever_it_is_named(apps: Apps) -> None:
    other = "jurisdiction_id=elsewhere.example"
    for path in ("/services", "/services/neighbour_noise", "/requests", "/requests/x", "/tokens/x"):
        assert_refused(await apps.get(f"{path}.json?{other}"), 404, "jurisdiction_id")
    assert_refused(await apps.post(FORM | {"jurisdiction_id": "elsewhere.example"}), 404, "jurisdiction_id")
    in_query = await apps.http.post(f"{V2}/requests.json?{other}", data=FORM)
    assert_refused(in_query, 404, "jurisdiction_id")
    assert (await apps.get("/services.json?jurisdiction_id=grid.example")).status_code == 200
    assert (await apps.get("/services.json?jurisdiction_id=")).status_code == 200


async def test_where_no_jurisdiction_is_set_it_is_passed_over(apps: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRID_TASKS_JURISDICTION")
    by_environment.cache_clear()
    assert (await apps.get("/services.json?jurisdiction_id=elsewhere.example")).status_code == 200


def test_a_jurisdiction_that_no_address_can_hold_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_TASKS_JURISDICTION", "a place")
    by_environment.cache_clear()
    with pytest.raises(SettingsError, match="GRID_TASKS_JURISDICTION"):
        by_environment()


# Reporting.


async def test_a_report_is_a_case_like_any_other_and_its_receipt_is_good_for_it(apps: Apps, runtime: Runtime) -> None:
    made = await apps.reported()
    assert made.keys() == {"service_request_id", "service_notice", "account_id", "extended_attributes"}
    case, receipt = made["service_request_id"], made["extended_attributes"]["receipt"]

    async def somebody_has_it() -> bool:
        return (await apps.desk.get(f"/cases/{case}")).json()["worker"] is not None

    await eventually(somebody_has_it)
    seen = (await apps.desk.get(f"/cases/{case}", Receipt=receipt)).json()
    assert seen["description"] == WORDS
    reported = (await runtime.commands.history(CASE, case))[0].data
    assert isinstance(reported, CaseReported)
    assert (reported.reporter_kind, reported.contact) == (ReporterKind.OPEN311, "resident@example.org")
    await apps.desk.do(seen, "withdraw", None, Receipt=receipt)


async def test_a_report_is_answered_in_xml_too(apps: Apps) -> None:
    answer = await apps.post(FORM, "xml")
    assert (answer.status_code, answer.headers["content-type"]) == (201, "text/xml; charset=utf-8")
    root = root_of(answer)
    assert (root.tag, root[0].tag) == ("service_requests", "request")
    assert (await apps.get(f"/requests/{root.findtext('request/service_request_id')}.xml")).status_code == 200
    assert root.findtext("request/extended_attributes/receipt")


async def test_names_and_numbers_of_the_sender_are_kept_nowhere(apps: Apps, runtime: Runtime) -> None:
    sent = {"first_name": "Xiaoming", "last_name": "Wangsome", "phone": "5551234567", "device_id": "tt222111"}
    sent |= {"account_id": "acc-4711", "media_url": "http://example.org/p.jpg", "api_key": "xyzzy", "attribute[A]": "b"}
    case = (await apps.reported(**sent))["service_request_id"]
    state, _ = await runtime.commands.load(CASE, case)
    kept = "".join(str(it.data) for it in await runtime.commands.history(CASE, case)) + str(state)
    assert WORDS in kept
    assert not [value for value in sent.values() if len(value) > 3 and value in kept]


async def test_numbers_of_people_are_blotted_out_and_an_address_is_added(apps: Apps, runtime: Runtime) -> None:
    made = await apps.reported(description="他的电话13800138000", address_string="凤凰路 1 号")
    state, _ = await runtime.commands.load(CASE, made["service_request_id"])
    assert state.description == "他的电话▇▇▇\n凤凰路 1 号"


async def test_without_words_the_name_of_the_service_stands_for_them(apps: Apps, runtime: Runtime) -> None:
    made = await apps.reported(description="")
    state, _ = await runtime.commands.load(CASE, made["service_request_id"])
    assert state.description == NOISE.title.zh


async def test_text_is_utf_8_also_where_it_is_not_escaped(apps: Apps, runtime: Runtime) -> None:
    body = f"service_code=neighbour_noise&lat=30.8723&long=120.0945&description={WORDS}".encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    made = (await apps.http.post(f"{V2}/requests.json", content=body, headers=kind)).json()[0]
    state, _ = await runtime.commands.load(CASE, made["service_request_id"])
    assert state.description == WORDS
    assert_refused(await apps.http.post(f"{V2}/requests.json", content=body + b"%ff", headers=kind), 400, "UTF-8")


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"service_code": ""}, 400, "service_code"),
        ({"service_code": "ufo"}, 404, "service_code"),
        ({"service_code": "business_licence_check"}, 404, "市场监督管理局"),
        ({"lat": "", "long": "", "address_string": "凤凰路 1 号"}, 400, "lat and long"),
        ({"lat": "", "long": "", "address_id": "a1"}, 400, "lat and long"),
        ({"long": ""}, 400, "long"),
        ({"lat": "91"}, 400, "lat"),
        ({"lat": "nan"}, 400, "lat"),
        ({"email": "nobody"}, 400, "email"),
        ({"description": "x" * 4001}, 400, "description"),
        ({"description": "a\0b"}, 400, "description"),
    ],
)
async def test_what_is_wrong_with_a_report_is_told_by_field(
    apps: Apps, change: dict[str, str], status: int, words: str
) -> None:
    assert_refused(await apps.post(FORM | change), status, words)


async def test_a_body_that_is_no_form_is_refused(apps: Apps) -> None:
    assert_refused(await apps.http.post(f"{V2}/requests.json", json=FORM), 400, "application/x-www-form-urlencoded")


@pytest.fixture
async def port(runtime: Runtime) -> AsyncGenerator[int]:
    """Of a server that answers over TCP."""
    await told(runtime.settings.database_url, *(in_post(who, post, GRID) for who, post in POSTS.items()))
    async with served(application.api(runtime, Callers(issuer())), http=Protocol) as address:
        yield int(address.rpartition(":")[2])


async def sent(
    port: int, line: bytes, *headers: bytes, body: bytes = b"", ends: bool = False
) -> tuple[int, str, bytes]:
    """Status, kind and content of the answer to these bytes. `ends`: nothing more will come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\r\n".join([line + b" HTTP/1.1", b"Host: grid.example", b"Connection: close", *headers, b"", body]))
    if ends:
        writer.write_eof()
    head, _, content = (await asyncio.wait_for(reader.read(), 30)).partition(b"\r\n\r\n")
    writer.close()
    first, *rest = head.decode().lower().split("\r\n")
    kind = next((it.partition(": ")[2] for it in rest if it.startswith("content-type:")), "")
    return int(first.split()[1]) if first else 0, kind, content


FORMS = b"Content-Type: application/x-www-form-urlencoded"


def a_post(form: bytes, *headers: bytes, kind: bytes = b"application/x-www-form-urlencoded") -> dict[str, Any]:
    said = b"Content-Type: " + kind, b"Content-Length: %d" % len(form), *headers
    return {"line": b"POST /open311/v2/requests.xml", "headers": said, "body": form}


def a_get(target: bytes, *headers: bytes) -> dict[str, Any]:
    return {"line": b"GET /open311/v2" + target, "headers": headers, "body": b""}


WHOLE = b"service_code=neighbour_noise&lat=30.8723&long=120.0945"


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        (a_post(WHOLE + b"&description=\xe9"), 400, "UTF-8"),
        (a_post(WHOLE + b"&description=%E9"), 400, "UTF-8"),
        (a_post(b"\x1f\x8b", b"Content-Encoding: gzip"), 400, "UTF-8"),
        (a_post(WHOLE + b"&description=%00"), 400, "description: "),
        (a_post(WHOLE + b"&a=1" * 300), 400, "more than 200 fields"),
        (a_post(WHOLE, kind=b"text/plain"), 400, "application/x-www-form-urlencoded"),
        (a_post(WHOLE, kind=b"multipart/form-data; boundary=x"), 400, "application/x-www-form-urlencoded"),
        (a_post(b"[" * 5000, kind=b"application/json"), 400, "application/x-www-form-urlencoded"),
        (a_post(WHOLE) | {"headers": [FORMS, b"Content-Length: 9999999"]}, 400, "larger than"),
        (a_post(WHOLE, b"Idempotency-Key: \xff"), 400, "Idempotency-Key"),
        (a_post(WHOLE, b"Authorization: Bearer \xff"), 403, "token"),
        (a_get(b"/requests.xml?service_code=%00"), 400, "U+0000"),
        (a_get(b"/requests.xml?service_code=" + b"a" * 5000), 400, "service_code: "),
        (a_get(b"/requests.xml?" + b"a=1&" * 300), 400, "at most 100 values"),
        (a_get(b"/requests.xml", *[b"X: 1"] * 150), 400, "at most 100 headers"),
        (a_get(b"/requests.xml", b"Consistency-Token: x"), 400, "Consistency-Token"),
        (a_get(b"/requests/%00.xml"), 400, "U+0000"),
        (a_get(b"/requests/%E9.xml"), 404, "no such case"),
        (a_get(b"/requests/a%2Fb.xml"), 404, "Not Found"),
        (a_get(b"/requests/%zz.xml"), 404, "no such case"),
        (a_get(b"/nothing.xml"), 404, "Not Found"),
        (a_get(b"/../../x.xml"), 404, "Not Found"),
    ],
)
async def test_what_cannot_be_read_is_told_in_the_standards_form(
    port: int, asked: dict[str, Any], status: int, words: str
) -> None:
    answered, kind, content = await sent(port, asked["line"], *asked["headers"], body=asked["body"])
    assert (answered, kind) == (status, "text/xml; charset=utf-8"), content
    errors = ET.fromstring(content)  # noqa: S314  # ours
    assert [it.findtext("code") for it in errors] == [str(status)]
    assert words in (errors.findtext("error/description") or "")
    assert "function" not in content.decode(), "that would be ours, and nobody's business"


async def test_what_is_not_in_a_form_at_all_is_told_in_json(port: int) -> None:
    answered, kind, content = await sent(port, b"GET /open311/v2/")
    assert (answered, kind) == (404, "application/json; charset=utf-8")
    assert orjson.loads(content) == [{"code": 404, "description": "Not Found"}]


async def test_a_form_that_breaks_off_is_no_fault_of_ours(port: int) -> None:
    before = {status: times_answered(status) for status in (400, 500)}
    await sent(port, b"POST /open311/v2/requests.xml", FORMS, b"Content-Length: 1000", body=WHOLE, ends=True)

    async def it_is_noted() -> bool:
        return times_answered(400) == before[400] + 1

    await eventually(it_is_noted)
    assert times_answered(500) == before[500]


def times_answered(status: int) -> float:
    """How many reports were answered so: nobody is there to be told."""
    asked = {"http_request_method": "POST", "http_route": "/open311/v2/requests.{format}"}
    name = "http_server_request_duration_seconds_count"
    return REGISTRY.get_sample_value(name, asked | {"http_response_status_code": str(status)}) or 0


@pytest.mark.parametrize(
    "line",
    [
        b"BREW /open311/v2/requests.xml",
        b"GET /open311/v2/requests.xml?service_code=\xe9",
        b"GET /open311/v2/requests.xml?service_code=a b",
        b"GET http://[::x/open311/v2/requests.xml",
    ],
)
async def test_what_is_no_http_the_server_itself_answers(port: int, line: bytes) -> None:
    assert await sent(port, line) == (400, "text/plain; charset=utf-8", b"Invalid HTTP request received.")


async def test_what_is_empty_to_nobody_but_python_is_not_empty(apps: Apps) -> None:
    assert_refused(await apps.post(FORM | {"service_code": "\x1f"}), 404, "service_code")


async def test_an_error_is_told_in_xml_to_who_asks_for_xml_and_in_chinese_to_who_asks_for_chinese(apps: Apps) -> None:
    answer = await apps.post(
        {"service_code": "neighbour_noise", "address_string": "x"}, "xml", **{"Accept-Language": "zh"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/xml; charset=utf-8")
    root = root_of(answer)
    assert (root.tag, root[0].tag, root.findtext("error/code")) == ("errors", "error", "400")
    assert "请提供经纬度" in (root.findtext("error/description") or "")


async def test_without_a_key_each_report_is_a_case_and_with_the_same_key_they_are_one(apps: Apps) -> None:
    assert (await apps.reported())["service_request_id"] != (await apps.reported())["service_request_id"]
    first, again = [await apps.post(FORM, **{"Idempotency-Key": "mine"}) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = await apps.post(FORM | {"lat": "30.8724"}, **{"Idempotency-Key": "mine"})
    assert_refused(other, 400, "Idempotency-Key")


async def test_who_is_not_known_is_told_in_the_standards_form_and_goes_on_the_audit_log(
    apps: Apps, runtime: Runtime
) -> None:
    app = application.api(runtime, Callers(issuer()))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://grid_tasks") as http:
        answer = await http.post(f"{V2}/requests.json", data=FORM, headers={"Authorization": "Bearer x"})
    assert_refused(answer, 403, "token")
    await app.state.refusals.write(everything=True)
    recorded = await runtime.db.fetchval("select data::text from log.events where type like '%audit.refused%'")
    assert "cases.report" in recorded


# Following.


async def test_a_request_is_open_until_its_case_ends(apps: Apps, runtime: Runtime, trade: Trade) -> None:
    case = await apps.desk.dispatched()
    address = f"/requests/{case['case']}.json"
    (seen,) = (await apps.get(address)).json()
    assert (seen["status"], seen["service_name"], seen["address"]) == ("open", "Noise from neighbours", "网格 G1")
    assert seen["requested_datetime"] == "2026-11-24T01:00:00Z"
    assert seen["expected_datetime"] == "2026-11-24T03:00:00Z"
    trade.advance(minutes=30)
    await apps.desk.do(case, "start", case["worker"])
    await apps.desk.do(case, "hand-in", case["worker"], {"result": "已劝阻"})
    assert (await apps.get(address)).json()[0]["status"] == "open"
    await apps.desk.do(case, "verify", LEADER)
    (seen,) = (await apps.get(address, **{"Accept-Language": "zh"})).json()
    assert (seen["status"], seen["status_notes"]) == ("closed", "已结案")
    assert seen["updated_datetime"] == "2026-11-24T01:30:00Z"
    await runtime.commands.caught_up(case_board)
    (listed,) = (await apps.get("/requests.json", **{"Accept-Language": "zh"})).json()
    assert listed == seen


async def test_words_and_place_are_for_those_concerned_only_and_never_in_a_list(apps: Apps, runtime: Runtime) -> None:
    made = await apps.reported()
    address = f"/requests/{made['service_request_id']}.json"
    await runtime.commands.caught_up(case_board)
    for path in (address, "/requests.json"):
        for headers in ({}, {"Authorization": f"Bearer {token('a-citizen')}"}):
            (seen,) = (await apps.get(path, **headers)).json()
            assert {seen[it] for it in ("description", "lat", "long", "media_url")} == {None}
    receipt = {"Receipt": made["extended_attributes"]["receipt"]}
    for headers in ({"Authorization": f"Bearer {token(LI)}"}, receipt):
        answer = await apps.get(address, **headers)
        (seen,) = answer.json()
        assert (seen["description"], seen["lat"], seen["long"]) == (WORDS, 30.8723, 120.0945)
        assert {"Receipt", "Authorization"} <= set(answer.headers["vary"].split(", "))
    (seen,) = (await apps.get("/requests.json", **receipt)).json()
    assert (seen["description"], seen["lat"]) == (None, None)
    assert_refused(await apps.get(address, Receipt="guessed"), 403, "Receipt")
    await apps.desk.do({"case": made["service_request_id"]}, "withdraw", None, **receipt)
    (seen,) = (await apps.get(address, **receipt)).json()
    assert (seen["status"], seen["lat"], seen["long"]) == ("closed", None, None)


async def test_lists_are_cut_by_service_status_and_time(apps: Apps, runtime: Runtime, trade: Trade) -> None:
    first = (await apps.reported())["service_request_id"]
    trade.advance(seconds=1)
    withdrawn = await apps.reported()
    second = withdrawn["service_request_id"]
    receipt = withdrawn["extended_attributes"]["receipt"]
    await apps.desk.do({"case": second}, "withdraw", None, Receipt=receipt)
    trade.advance(days=60)
    third = (await apps.reported())["service_request_id"]
    await runtime.commands.caught_up(case_board)
    assert await apps.listed() == [third, second, first]
    assert await apps.listed("status=open") == [third, first]
    assert await apps.listed("status=closed") == [second]
    assert await apps.listed("status=open,closed&service_code=") == [third, second, first]
    assert await apps.listed("service_code=ufo,neighbour_noise") == [third, second, first]
    assert await apps.listed("service_code=ufo") == []
    assert await apps.listed("start_date=2026-11-24T01:00:00Z&end_date=2026-12-01T00:00:00Z") == [second, first]
    assert await apps.listed(f"start_date={quote('2026-12-01T08:00:00+08:00')}") == [third]
    assert await apps.listed("end_date=2026-12-01T00:00:00Z&start_date=") == [second, first]
    assert await apps.listed(f"service_request_id={first},x,{third}&status=closed") == [third, first]
    assert await apps.listed("page_size=2") == [third, second]
    assert await apps.listed("page_size=2&page=2") == [first]
    trade.advance(days=31)
    assert await apps.listed() == [third]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z", "90 days"),
        ("start_date=2026-06-01T00:00:00Z&end_date=2026-05-31T00:00:00Z", "before"),
        ("start_date=yesterday", "start_date"),
        ("start_date=2026-06-01T00:00:00", "start_date"),
        ("status=lost", "status"),
        ("page=0", "page"),
        ("service_request_id=%00", ""),
    ],
)
async def test_what_cannot_be_searched_for_is_refused(apps: Apps, query: str, words: str) -> None:
    assert_refused(await apps.get(f"/requests.json?{query}"), 400, words)


async def test_a_category_that_left_the_list_stands_for_its_name(apps: Apps, runtime: Runtime) -> None:
    made = await apps.reported()
    await runtime.db.execute("truncate duty")
    (seen,) = (await apps.get(f"/requests/{made['service_request_id']}.json")).json()
    assert seen["service_name"] == "neighbour_noise"


async def test_what_done_means_is_the_notice(apps: Apps, runtime: Runtime) -> None:
    standard = Title(zh="当场劝阻", en="They are asked to stop")
    changed = DutyChanged(**NOISE.model_copy(update={"standard": standard}).model_dump())
    await runtime.db.execute("truncate duty")
    await told(runtime.settings.database_url, changed, by=duties)
    made = await apps.reported()
    assert made["service_notice"] == "They are asked to stop"
    (seen,) = (await apps.get(f"/requests/{made['service_request_id']}.json")).json()
    assert seen["service_notice"] == "They are asked to stop"


async def test_an_id_is_its_own_token(apps: Apps) -> None:
    case = (await apps.reported())["service_request_id"]
    assert (await apps.get(f"/tokens/{case}.json")).json() == [{"service_request_id": case, "token": case}]
    assert_refused(await apps.get("/tokens/nobody-has-this.json"), 404)
    assert_refused(await apps.get("/requests/nobody-has-this.json"), 404)
    assert_refused(await apps.get("/requests/x.yaml"), 404)


async def test_what_no_xml_may_hold_is_replaced(apps: Apps) -> None:
    made = await apps.reported(description="a\x0bb < c")
    case, receipt = made["service_request_id"], made["extended_attributes"]["receipt"]
    root = root_of(await apps.get(f"/requests/{case}.xml", Receipt=receipt))
    assert root.findtext("request/description") == "a\ufffdb < c"
