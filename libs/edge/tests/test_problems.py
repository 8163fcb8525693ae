"""Everything that is not done is answered with a problem: its type stable, its field named, no value repeated."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from edge import Application
from edge.handlers import problem_of
from edge.problems import BASE, KNOWN, HttpProblem
from edge.testing import client
from events import Conflict, Event, EventTooLarge, Service
from events.runtime import Runtime

JSON = {"Content-Type": "application/json"}
Act = Callable[[], Awaitable[None]]
ID_NUMBER = "99010119900307421X"


def key(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


def assert_problem(response: httpx2.Response, status: int, reason: str) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == BASE + reason
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


async def test_wrong_input_names_each_field_and_repeats_no_value(http: httpx2.AsyncClient) -> None:
    body = {"text": "", "phone": ID_NUMBER, "religion": "x"}
    response = await http.post("/suggestions", json=body, headers=key("1"))
    problem = assert_problem(response, 422, "invalid-input")
    assert problem["errors"] == [
        {"place": "body", "field": "text", "message": "String should have at least 1 character"},
        {"place": "body", "field": "phone", "message": "String should match pattern '^1\\d{10}$'"},
        {"place": "body", "field": "religion", "message": "there is no such field"},
    ]
    assert ID_NUMBER not in response.text


async def test_wrong_input_is_explained_in_chinese_to_whoever_asks_for_it(http: httpx2.AsyncClient) -> None:
    body = {"text": "", "phone": ID_NUMBER, "religion": "x"}
    response = await http.post("/suggestions", json=body, headers=key("1") | {"Accept-Language": "zh-CN,en;q=0.5"})
    problem = assert_problem(response, 422, "invalid-input")
    assert response.headers["content-language"] == "zh"
    assert problem["detail"] == "有误：text、phone、religion"
    assert problem["errors"] == [
        {"place": "body", "field": "text", "message": "至少 1 个字符"},
        {"place": "body", "field": "phone", "message": "格式应为 ^1\\d{10}$"},
        {"place": "body", "field": "religion", "message": "没有这个字段"},
    ]


async def test_a_field_that_is_itself_personal_is_not_repeated(http: httpx2.AsyncClient) -> None:
    response = await http.post("/suggestions", json={"text": "x", ID_NUMBER: 1}, headers=key("1"))
    assert_problem(response, 422, "invalid-input")
    assert ID_NUMBER not in response.text


async def test_a_wrong_query_parameter_is_named(http: httpx2.AsyncClient) -> None:
    problem = assert_problem(await http.get("/suggestions", params={"limit": "many"}), 422, "invalid-input")
    assert problem["detail"] == "not valid: limit"
    assert problem["errors"] == [
        {
            "place": "query",
            "field": "limit",
            "message": "Input should be a valid integer, unable to parse string as an integer",
        }
    ]


@pytest.mark.parametrize("body", [b'{"text": ', b"\xff\xfe", b"[" * 20, b'{"text": "\\ud800', b'{"text": NaN}'])
async def test_what_is_not_good_json_is_said_to_be_so(http: httpx2.AsyncClient, body: bytes) -> None:
    headers = key("1") | {"Content-Type": "application/json"}
    response = await http.post("/suggestions", content=body, headers=headers)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] in (BASE + "bad-json", BASE + "bad-request")
    assert response.status_code == 400


async def test_a_text_that_could_not_be_kept_is_refused_with_its_field(http: httpx2.AsyncClient) -> None:
    for text in ('{"text": "a\\u0000"}', '{"text": "\\\\\\u0000"}'):
        response = await http.post("/suggestions", content=text.encode(), headers=key("1") | JSON)
        problem = assert_problem(response, 422, "invalid-input")
        assert problem["errors"] == [
            {"place": "body", "field": "text", "message": "text may not hold the character U+0000"}
        ]
    harmless = b'{"text": "\\\\u0000 NaN"}'
    assert (await http.post("/suggestions", content=harmless, headers=key("1") | JSON)).status_code == 201
    nested = b'{"text": "x", "deep": [{"a\\u0000b": 1}]}'
    response = await http.post("/suggestions", content=nested, headers=key("2") | JSON)
    assert_problem(response, 422, "invalid-input")
    response = await http.get("/suggestions", params={"word": "a\0b"})
    assert_problem(response, 422, "invalid-input")


async def test_another_media_type_is_refused(http: httpx2.AsyncClient) -> None:
    headers = key("1") | {"Content-Type": "text/csv"}
    assert_problem(await http.post("/suggestions", content=b"text", headers=headers), 415, "media-type-not-supported")


async def test_a_large_body_is_refused_whether_or_not_it_says_how_large(http: httpx2.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    headers = key("1") | {"Content-Type": "application/json"}
    assert_problem(await http.post("/suggestions", content=b" " * 2_000_000, headers=headers), 413, "body-too-large")
    assert_problem(await http.post("/suggestions", content=chunks(), headers=headers), 413, "body-too-large")


async def test_addresses_and_methods_that_are_not_there(http: httpx2.AsyncClient) -> None:
    assert_problem(await http.get("/nowhere"), 404, "not-found")
    assert_problem(await http.get("/suggestions/"), 404, "not-found")
    response = await http.delete("/suggestions")
    assert_problem(response, 405, "method-not-allowed")
    assert "POST" in response.headers["allow"]
    assert_problem(await http.get("/suggestions/0199"), 404, "not-found")
    assert_problem(await http.get("/suggestions/%00"), 404, "not-found")


async def test_a_rule_of_the_trade_is_a_conflict_unless_the_service_says_otherwise(http: httpx2.AsyncClient) -> None:
    made = await http.post("/suggestions", json={"text": "a bench"}, headers=key("1"))
    address = f"{made.headers['location']}/answer"
    problem = assert_problem(
        await http.post(address, json={"answer": "no"}, headers=key("2") | {"If-Match": '"v1"'}), 422, "not-an-answer"
    )
    assert problem["least"] == 1
    assert problem["title"] == "Not an answer"
    assert (
        await http.post(address, json={"answer": "yes"}, headers=key("3") | {"If-Match": '"v1"'})
    ).status_code == 200
    again = await http.post(address, json={"answer": "yes"}, headers=key("4") | {"If-Match": "*"})
    assert_problem(again, 409, "answered-already")


async def test_a_problem_of_the_service_itself(http: httpx2.AsyncClient) -> None:
    problem = assert_problem(await http.get("/teapot"), 418, "not-a-pot")
    assert problem["cup"] == 1


async def test_a_fault_of_ours_tells_nothing_of_the_inside(http: httpx2.AsyncClient) -> None:
    response = await http.get("/broken", params={"name": "王小明"})
    assert_problem(response, 500, "internal-error")
    assert "KeyError" not in response.text
    assert "王小明" not in response.text


async def test_the_database_away_is_said_so_and_passes(
    application: Application, wired: Runtime, cut: Act, mend: Act
) -> None:
    async with client(application, wired) as http:
        assert (await http.post("/suggestions", json={"text": "a bench"}, headers=key("1"))).status_code == 201
        await cut()
        response = await http.post("/suggestions", json={"text": "a bench"}, headers=key("1"))
        assert_problem(response, 503, "database-away")
        assert response.headers["retry-after"] == "1"
        await mend()
        response = await http.post("/suggestions", json={"text": "a bench"}, headers=key("1"))
        assert response.status_code == 201
        assert response.headers["idempotency-replayed"] == "true"


def test_what_only_many_at_once_or_much_text_bring_about() -> None:
    class Said(Event, type="commongrid.suggestions.suggestion.said.v1"):
        text: str

    conflict = problem_of(Conflict(), {})
    assert conflict
    assert (conflict.status, conflict.reason, conflict.headers) == (409, "conflict", {"Retry-After": "1"})
    large = problem_of(EventTooLarge(Said(text=""), 900_000), {})
    assert large
    assert (large.status, large.reason) == (413, "event-too-large")


def test_a_problem_of_nobodys_needs_a_status_of_the_callers() -> None:
    with pytest.raises(TypeError, match="give its status"):
        HttpProblem("not-a-pot", "this is a cup")
    with pytest.raises(TypeError, match="is 4xx, not 500"):
        Application(Service("x"), statuses={"not-a-pot": 500})


def test_the_documented_problems_are_the_ones_there_are() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    for reason, (status, title) in KNOWN.items():
        assert f"| `{reason}` | {status} | {title} |" in readme
