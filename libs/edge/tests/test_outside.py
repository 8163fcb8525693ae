"""What comes from outside is held to limits; what goes out lets no browser do more than it must."""

import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest
from edge import Application
from edge.body import MOST_DEEP, too_deep
from edge.outside import MOST_HEADERS, MOST_VALUES
from events.runtime import Runtime
from hypothesis import given
from hypothesis import strategies as st

from libs.edge.tests.test_problems import assert_problem

JSON = {"Content-Type": "application/json", "Idempotency-Key": "1"}


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def depth_of(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(depth_of, value.values()), default=0)  # pyright: ignore
        case list():
            return 1 + max(map(depth_of, value), default=0)  # pyright: ignore
        case _:
            return 0


@pytest.mark.parametrize(
    "kind", ["application/json", "application/JSON", "application/merge-patch+json; charset=utf-8"]
)
@pytest.mark.parametrize("depth", [MOST_DEEP + 1, 200, 500_000])
async def test_json_that_is_nested_too_deeply_is_refused_by_name(
    http: httpx2.AsyncClient, depth: int, kind: str
) -> None:
    body = f'{{"text": "x", "more": {nested(depth)}}}'
    answer = await http.post("/suggestions", content=body, headers=JSON | {"Content-Type": kind})
    assert_problem(answer, 400, "too-deep")


async def test_json_that_is_as_deep_as_is_allowed_is_read(http: httpx2.AsyncClient) -> None:
    body = f'{{"text": "x", "more": {nested(MOST_DEEP - 1)}}}'
    assert_problem(await http.post("/suggestions", content=body, headers=JSON), 422, "invalid-input")


async def test_brackets_in_a_text_are_no_depth(http: httpx2.AsyncClient) -> None:
    text = "[{" * 100 + '"\\' + "[" * 100
    answer = await http.post("/suggestions", content=json.dumps({"text": text}), headers=JSON)
    assert (answer.status_code, answer.json()["text"]) == (201, text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be"])
async def test_json_in_another_encoding_than_utf_8_is_refused(http: httpx2.AsyncClient, encoding: str) -> None:
    answer = await http.post("/suggestions", content='{"text": "x"}'.encode(encoding), headers=JSON)
    assert_problem(answer, 400, "bad-json")


@given(
    value=st.recursive(
        st.text() | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=60,
    ),
    around=st.integers(0, 40),
)
def test_the_depth_that_is_found_is_that_of_the_value_that_is_read(value: Any, around: int) -> None:
    for nth in range(around):
        value = [value, "]"] if nth % 2 else {"}": value}
    assert too_deep(json.dumps(value).encode()) is (depth_of(value) > MOST_DEEP)


@given(body=st.text(alphabet='[]{}"\\,:a', max_size=400))
def test_what_is_let_through_never_overflows_the_reader_however_broken_it_is(body: str) -> None:
    if not too_deep(body.encode()):
        with contextlib.suppress(json.JSONDecodeError):  # any other error is the reader's end
            json.loads(body)
    else:
        assert body.count("[") + body.count("{") > MOST_DEEP


@pytest.mark.parametrize("body", ["[]," * 300_000, '"\\"' * 300_000, '"' * 900_000, "[" * 900_000, '["' * 400_000])
def test_looking_takes_no_longer_than_reading_would(body: str) -> None:
    too_deep(body.encode())  # the time limit of the test is the assertion: what is quadratic takes minutes


async def test_a_query_with_too_many_values_is_refused(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get("/suggestions?" + "&".join(["word=x"] * MOST_VALUES))).status_code == 200
    answer = await anonymous.get("/suggestions?" + "&".join(["word=x"] * (MOST_VALUES + 1)))
    assert_problem(answer, 400, "too-many-values")


async def test_a_request_with_too_many_headers_is_refused(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.get("/suggestions", headers=[(f"X-{nth}", "x") for nth in range(MOST_HEADERS + 1)])
    assert_problem(answer, 431, "head-too-large")


@pytest.mark.parametrize("path", ["/suggestions", "/suggestions/none", "/nowhere", "/broken?name=x", "/openapi.json"])
async def test_no_answer_lets_a_browser_run_frame_guess_or_keep_it(anonymous: httpx2.AsyncClient, path: str) -> None:
    headers = (await anonymous.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


async def test_a_page_and_its_files_say_themselves_what_they_need(anonymous: httpx2.AsyncClient) -> None:
    page = await anonymous.get("/docs")
    policy = page.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert "script-src 'self' 'sha256-" in policy[0]
    assert "http" not in policy[0]
    assert "unsafe-inline" not in policy[0].partition("script-src")[2].partition(";")[0]
    script = await anonymous.get("/docs/swagger-ui-bundle.js")
    assert script.headers["cache-control"] == "public, max-age=86400"


ORIGIN = "https://grid.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}


async def test_no_other_origins_page_may_call_unless_it_is_listed(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.get("/suggestions", headers={"Origin": ORIGIN})
    assert "access-control-allow-origin" not in answer.headers
    preflight = await anonymous.options("/suggestions", headers={"Origin": ORIGIN, **PREFLIGHT})
    assert preflight.status_code == 405
    assert "access-control-allow-origin" not in preflight.headers


@pytest.fixture
async def shared(application: Application, runtime: Runtime) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of the service, which shares with one origin."""
    app = application.api(runtime, origins=[ORIGIN])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://suggestions") as http:
        yield http


async def test_a_listed_origins_page_may_call_and_read_what_it_needs(shared: httpx2.AsyncClient) -> None:
    preflight = await shared.options("/suggestions", headers={"Origin": ORIGIN, **PREFLIGHT})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    answer = await shared.get("/suggestions/none", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://grid.example.evil.example", "null", "http://grid.example"]
)
async def test_a_listed_origin_opens_nothing_to_another(shared: httpx2.AsyncClient, origin: str) -> None:
    answer = await shared.get("/suggestions", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    preflight = await shared.options("/suggestions", headers={"Origin": origin, **PREFLIGHT})
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
