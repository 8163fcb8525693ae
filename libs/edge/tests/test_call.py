"""A command takes effect once, on the version that its sender saw, and who wrote can read it."""

import asyncio

import httpx2
import pytest
from edge import Application
from edge.testing import client, token
from events import Token
from events.event import Position
from events.runtime import Runtime

BASE = "https://commongrid.example/problems/"


def keyed(value: str, if_match: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": value} | ({"If-Match": if_match} if if_match else {})


async def handed_in(http: httpx2.AsyncClient, text: str = "a bench", key: str = "first") -> httpx2.Response:
    response = await http.post("/suggestions", json={"text": text}, headers=keyed(key))
    assert response.status_code == 201, response.text
    return response


async def events_in(runtime: Runtime) -> int:
    count: int = await runtime.db.fetchval("select count(*) from log.events")
    return count


async def test_making_something_answers_with_it_its_address_its_version_and_a_token(http: httpx2.AsyncClient) -> None:
    response = await handed_in(http)
    body = response.json()
    assert body["text"] == "a bench"
    assert response.headers["location"] == f"/suggestions/{body['id']}"
    assert response.headers["etag"] == '"v1"'
    assert Token.parse(response.headers["consistency-token"]).service == "suggestions"
    found = await http.get(response.headers["location"])
    assert found.json() == body
    assert found.headers["etag"] == '"v1"'


async def test_what_happened_says_who_did_it_and_why(http: httpx2.AsyncClient, runtime: Runtime) -> None:
    await handed_in(http)
    row = await runtime.db.fetchrow("select actor, correlation, causation from log.events")
    assert row is not None
    assert row["actor"] == "li"
    assert len(row["correlation"]) == 32
    assert row["causation"].startswith("request-")


async def test_a_repeated_request_gets_the_first_answer_and_no_second_effect(
    http: httpx2.AsyncClient, runtime: Runtime
) -> None:
    first = await handed_in(http)
    again = await http.post("/suggestions", content=b'{ "text":  "a bench" }', headers=keyed("first") | JSON)
    assert again.content == first.content
    for header in ("etag", "location", "consistency-token"):
        assert again.headers[header] == first.headers[header]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await events_in(runtime) == 1


JSON = {"Content-Type": "application/json"}


async def test_the_first_answer_is_given_again_even_when_the_thing_has_moved_on(http: httpx2.AsyncClient) -> None:
    first = await handed_in(http)
    address = f"{first.headers['location']}/answer"
    answered = await http.post(address, json={"answer": "yes"}, headers=keyed("second", '"v1"'))
    assert answered.json()["version"] == 2
    assert (await http.post("/suggestions", json={"text": "a bench"}, headers=keyed("first"))).json() == first.json()
    again = await http.post(address, json={"answer": "yes"}, headers=keyed("second", '"v1"'))
    assert again.status_code == 200
    assert again.content == answered.content
    assert again.headers["idempotency-replayed"] == "true"


async def test_twins_at_the_same_moment_have_one_effect_and_one_answer(
    http: httpx2.AsyncClient, runtime: Runtime
) -> None:
    twins = await asyncio.gather(*(handed_in(http, key="twins") for _ in range(20)))
    assert len({twin.content for twin in twins}) == 1
    assert await events_in(runtime) == 1
    assert sum("idempotency-replayed" not in twin.headers for twin in twins) == 1

    address = f"{twins[0].headers['location']}/answer"
    changes = await asyncio.gather(
        *(http.post(address, json={"answer": "yes"}, headers=keyed("change", '"v1"')) for _ in range(20))
    )
    assert {change.status_code for change in changes} == {200}
    assert len({change.content for change in changes}) == 1
    assert await events_in(runtime) == 2


async def test_a_key_is_its_callers_own_and_for_one_request(
    http: httpx2.AsyncClient, application: Application, runtime: Runtime
) -> None:
    mine = await handed_in(http)
    async with client(application, runtime, token("wang")) as another:
        assert (await handed_in(another)).json()["id"] != mine.json()["id"]
    other = await http.post("/suggestions", json={"text": "two benches"}, headers=keyed("first"))
    assert other.status_code == 422
    assert other.json()["type"] == BASE + "idempotency-key-reused"
    quoted = await http.post("/suggestions", json={"text": "a bench"}, headers=keyed('"first"'))
    assert quoted.json() == mine.json()


async def test_a_key_is_required_and_must_be_readable(http: httpx2.AsyncClient) -> None:
    response = await http.post("/suggestions", json={"text": "a bench"})
    assert (response.status_code, response.json()["type"]) == (400, BASE + "idempotency-key-missing")
    for bad in ("", "   ", "x" * 201, "with space", "ключ".encode()):
        response = await http.post("/suggestions", json={"text": "a"}, headers={"Idempotency-Key": bad})  # type: ignore[dict-item]
        assert (response.status_code, response.json()["type"]) == (400, BASE + "idempotency-key-malformed")


async def test_a_change_says_which_version_it_was_decided_on(http: httpx2.AsyncClient) -> None:
    address = f"{(await handed_in(http)).headers['location']}/answer"
    answer = {"answer": "yes"}

    missing = await http.post(address, json=answer, headers=keyed("a"))
    assert (missing.status_code, missing.json()["type"]) == (428, BASE + "if-match-missing")
    for bad in ('W/"v1"', "v1", '"v1", "v2"', '"v0"', '"v99999999999"'):
        malformed = await http.post(address, json=answer, headers=keyed("b", bad))
        assert (malformed.status_code, malformed.json()["type"]) == (400, BASE + "if-match-malformed")

    stale = await http.post(address, json=answer, headers=keyed("c", '"v7"'))
    assert (stale.status_code, stale.json()["type"]) == (412, BASE + "version-mismatch")
    assert stale.headers["etag"] == '"v1"'
    assert stale.json()["current"] == 1

    assert (await http.post(address, json=answer, headers=keyed("d", '"v1"'))).headers["etag"] == '"v2"'


async def test_any_version_will_do_for_a_star_but_there_must_be_one(http: httpx2.AsyncClient) -> None:
    address = f"{(await handed_in(http)).headers['location']}/answer"
    assert (await http.post(address, json={"answer": "yes"}, headers=keyed("a", "*"))).status_code == 200
    for if_match in ("*", '"v1"'):
        nothing = await http.post("/suggestions/0199/answer", json={"answer": "yes"}, headers=keyed("b", if_match))
        assert (nothing.status_code, nothing.json()["type"]) == (404, BASE + "not-found")


async def test_of_two_who_decided_on_the_same_version_one_is_told_to_look_again(http: httpx2.AsyncClient) -> None:
    address = f"{(await handed_in(http)).headers['location']}/answer"
    answers = await asyncio.gather(
        *(http.post(address, json={"answer": f"yes {n}"}, headers=keyed(f"k{n}", '"v1"')) for n in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9


async def test_what_has_not_changed_is_not_sent_again(http: httpx2.AsyncClient) -> None:
    location = (await handed_in(http)).headers["location"]
    same = await http.get(location, headers={"If-None-Match": '"v9", "v1"'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"v1"')
    assert (await http.get(location, headers={"If-None-Match": '"v2"'})).status_code == 200


async def test_who_just_wrote_can_read_it(http: httpx2.AsyncClient) -> None:
    for n in range(20):
        made = await handed_in(http, key=f"k{n}")
        listed = await http.get("/suggestions", headers={"Consistency-Token": made.headers["consistency-token"]})
        assert made.json()["id"] in [row["id"] for row in listed.json()["items"]]


async def test_what_has_not_arrived_is_said_to_be_so(
    application: Application, wired: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.call.PATIENCE", 0.05)  # nothing projects here, so nothing ever arrives
    async with client(application, wired) as http:
        made = await handed_in(http)
        response = await http.get("/suggestions", headers={"Consistency-Token": made.headers["consistency-token"]})
        assert (response.status_code, response.json()["type"]) == (503, BASE + "not-yet")
        assert response.headers["retry-after"] == "1"


async def test_a_token_that_is_none_is_refused(http: httpx2.AsyncClient) -> None:
    too_far = str(Token("suggestions", "suggestion-1", Position(2**40, 1, 1)))
    for bad in ("nonsense", too_far):
        response = await http.get("/suggestions", headers={"Consistency-Token": bad})
        assert (response.status_code, response.json()["type"]) == (400, BASE + "consistency-token-malformed")
