"""Every refused and every privileged act is on record, without a word that is not for the record."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from contracts.common import Post
from edge import Application
from edge.audit import READ, Audit, Entry, entries
from edge.callers import Callers
from edge.main import operated
from edge.refusals import Occurrence, Refusal, Refusals
from edge.testing import given, in_post, issuer, token, told
from events.runtime import Runtime
from events.testing import eventually

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
EQUAL = Refusal("li", None, "cases.read", "GET /cases/{case}", "not-allowed", 403)
OUT_OF_REACH = Refusal("li", None, "cases.read", "GET /cases/{case}", "not-found", 404)


@dataclass
class Desk:
    """The service as callers meet it, and the refusals that wait in its process."""

    http: httpx2.AsyncClient
    runtime: Runtime
    refusals: Refusals

    async def asks(self, path: str, who: str | None = "li", **headers: str) -> httpx2.Response:
        authorization = {"Authorization": f"Bearer {token(who)}"} if who else {}
        return await self.http.get(path, headers={**authorization, **headers})

    async def on_record(self) -> list[Entry]:
        return await entries(self.runtime.db, None, None, None, None, 1000)

    async def shows(self, count: int) -> list[Entry]:
        """Writes, and waits until so many entries are shown, newest first."""
        await self.refusals.write()

        async def shown() -> bool:
            return len(await self.on_record()) >= count

        await eventually(shown, 20)
        return await self.on_record()


@pytest.fixture
async def desk(application: Application, runtime: Runtime, database: str) -> AsyncGenerator[Desk]:
    powers = given(READ, "registrar"), given("suggestions.local", "grid_worker@own_grid")
    await told(database, *powers, in_post("wang", Post.REGISTRAR))
    app = application.api(runtime, Callers(issuer()))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://desk") as http:
        yield Desk(http, runtime, app.state.refusals)


async def handed_in(desk: Desk) -> str:
    made = await desk.http.post("/suggestions", json={"text": "x"}, headers={"Idempotency-Key": uuid4().hex})
    return made.json()["id"]


async def test_who_has_not_the_power_is_on_record(desk: Desk) -> None:
    answer = await desk.asks("/audit?actor=somebody")
    assert answer.status_code == 403
    [entry] = await desk.shows(1)
    assert (entry.outcome, entry.actor, entry.power, entry.act) == ("refused", "li", READ, "GET /audit")
    assert (entry.reason, entry.status, entry.times) == ("not-allowed", 403, 1)
    assert entry.trace == answer.json()["trace"]
    assert entry.until == entry.at


async def test_who_does_not_say_who_they_are_or_says_it_wrongly_is_on_record(desk: Desk) -> None:
    assert (await desk.asks("/audit", None)).status_code == 401
    assert (await desk.asks("/suggestions", None, Authorization="Bearer x")).status_code == 401
    found = await desk.shows(2)
    assert {(it.actor, it.act, it.reason) for it in found} == {
        (None, "GET /audit", "not-signed-in"),
        (None, "GET /suggestions", "token-not-accepted"),
    }


async def test_what_scope_put_out_of_reach_is_on_record_and_what_is_not_there_is_not(desk: Desk) -> None:
    suggestion = await handed_in(desk)
    assert (await desk.asks("/theirs/no-such-thing")).status_code == 404
    assert (await desk.asks("/no-such-address")).status_code == 404
    assert (await desk.asks(f"/theirs/{suggestion}")).status_code == 404
    [entry] = await desk.shows(1)
    assert (entry.act, entry.reason, entry.status) == ("GET /theirs/{suggestion}", "not-found", 404)
    assert entry.thing == f"suggestion-{suggestion}"


async def test_neither_paths_nor_queries_nor_bodies_nor_addresses_get_there(desk: Desk) -> None:
    await desk.asks("/audit?actor=13800138000")
    await desk.asks("/theirs/990502196503154658", None)
    await desk.http.post(
        "/suggestions/wang@example.org/answer", json={"answer": "secret"}, headers={"Authorization": "x"}
    )
    await desk.shows(3)
    stored = await desk.runtime.db.fetchval("select string_agg(data::text, ' ') from log.events")
    for word in ("13800138000", "990502196503154658", "wang@example.org", "secret", "127.0.0.1", "testclient"):
        assert word not in stored


async def test_what_is_handed_out_is_on_record_before_it_is(desk: Desk) -> None:
    assert (await desk.asks("/handed-out/s1")).json() == "here"
    assert await desk.runtime.db.fetchval("select count(*) from log.events where type like '%.audit.done.v1'") == 1
    [entry] = await desk.shows(1)
    assert (entry.outcome, entry.actor, entry.act) == ("done", "li", "GET /handed-out/{suggestion}")
    assert (entry.thing, entry.purpose, entry.power) == ("suggestion-s1", "a_test", "suggestions.use")
    row = await desk.runtime.db.fetchrow("select actor, correlation from log.events where type like '%.done.v1'")
    assert row
    assert (row["actor"], row["correlation"]) == ("li", entry.trace)


async def test_what_cannot_be_put_on_record_is_not_handed_out(
    desk: Desk, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(Audit, "write", fails)
    assert (await desk.asks("/handed-out/s1")).status_code == 503


async def test_whoever_may_reads_it_by_time_and_actor_in_pages(desk: Desk) -> None:
    for nth in range(5):
        occurrence = Occurrence(None, None, NOW + timedelta(minutes=nth))
        desk.refusals.note(EQUAL._replace(actor="li" if nth % 2 else "zhao", act=f"GET /{nth}"), occurrence)
    await desk.shows(5)

    async def acts(query: str) -> tuple[list[str], str | None]:
        answer = await desk.asks(f"/audit?{query}", "wang")
        assert answer.status_code == 200, answer.text
        return [it["act"] for it in answer.json()["items"]], answer.json()["next"]

    assert await acts("") == (["GET /4", "GET /3", "GET /2", "GET /1", "GET /0"], None)
    assert await acts("actor=li") == (["GET /3", "GET /1"], None)
    assert await acts("since=2026-11-25T09:01:00Z&until=2026-11-25T09:03:00Z") == (["GET /2", "GET /1"], None)
    first, cursor = await acts("limit=3")
    assert first == ["GET /4", "GET /3", "GET /2"]
    assert await acts(f"limit=3&cursor={cursor}") == (["GET /1", "GET /0"], None)


@asynccontextmanager
async def writing(refusals: Refusals) -> AsyncGenerator[None]:
    task = asyncio.create_task(refusals.keep_writing())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def stored(runtime: Runtime) -> list[tuple[int, str | None]]:
    rows = await runtime.db.fetch(
        """select (data->>'times')::int, data->>'thing' from log.events
           where type like '%.audit.refused.v1' order by incarnation, tx, position"""
    )
    return [(row[0], row[1]) for row in rows]


async def test_a_refusal_is_on_record_within_a_second(desk: Desk) -> None:
    async with writing(desk.refusals):
        await desk.asks("/audit")
        await asyncio.sleep(1)
        assert await stored(desk.runtime) == [(1, None)]


async def test_what_waits_is_written_when_the_process_ends(desk: Desk) -> None:
    async with writing(desk.refusals):
        await asyncio.sleep(0)
        for _ in range(3):
            await desk.asks("/audit")
    assert await stored(desk.runtime) == [(3, None)]


def it(thing: str | None = None, seconds: float = 0) -> Occurrence:
    return Occurrence(thing, None, NOW + timedelta(seconds=seconds))


async def test_a_flood_of_one_caller_costs_two_entries_a_minute(desk: Desk) -> None:
    seconds = 0.0
    desk.refusals.clock = lambda: seconds
    for nth in range(1200):
        seconds = nth / 10
        desk.refusals.note(EQUAL, it(seconds=seconds))
        if nth % 5 == 0:
            await desk.refusals.write()
    seconds += 60
    await desk.refusals.write()
    times = [times for times, _ in await stored(desk.runtime)]
    assert sum(times) == 1200, "none is lost"
    assert len(times) == 4


async def test_each_caller_operation_and_reason_is_told_apart(desk: Desk) -> None:
    others = [
        EQUAL._replace(actor="zhao"),
        EQUAL._replace(client="fire"),
        EQUAL._replace(act="GET /people"),
        EQUAL._replace(power="people.read"),
        EQUAL._replace(reason="not-found", status=404),
    ]
    for refusal in (EQUAL, *others):
        desk.refusals.note(refusal, it())
    await desk.refusals.write()
    assert await stored(desk.runtime) == [(1, None)] * 6
    pages = await desk.runtime.db.fetchval("select count(distinct stream) from log.events where stream like 'audit-%'")
    assert pages == 1, "they are written together"


async def test_the_thing_is_named_where_it_was_one(desk: Desk) -> None:
    for thing in ("case-1", "case-1"):
        desk.refusals.note(OUT_OF_REACH, it(thing))
    for thing in ("case-1", "case-2", "case-1"):
        desk.refusals.note(OUT_OF_REACH._replace(actor="zhao"), it(thing))
    await desk.refusals.write()
    assert await stored(desk.runtime) == [(2, "case-1"), (3, None)]


async def test_what_cannot_be_written_while_the_database_is_away_is_written_once_when_it_is_back(
    wired: Runtime, cut: Callable[[], Awaitable[None]], mend: Callable[[], Awaitable[None]], application: Application
) -> None:
    assert application.audit
    refusals = Refusals(application.audit, wired.commands)
    refusals.note(EQUAL, it())
    await cut()
    await refusals.write()
    refusals.note(EQUAL._replace(actor="zhao"), it())
    await refusals.write()
    assert refusals.waiting == 2
    await mend()
    await refusals.write()
    assert refusals.waiting == 0
    await refusals.write()
    assert await stored(wired) == [(1, None), (1, None)]


async def test_a_page_is_written_once_though_its_writer_does_not_know(desk: Desk, application: Application) -> None:
    assert application.audit
    page = [application.audit.done(audit="p", act="x", at=NOW)]
    for _ in range(2):
        await application.audit.write(desk.runtime.commands, "p", page)
    assert await desk.runtime.db.fetchval("select count(*) from log.events where stream = 'audit-p'") == 1


async def test_what_an_operator_does_is_on_record_by_their_login(
    desk: Desk, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "zhang")
    await operated(application.audit)(desk.runtime, "events rebuild box", None)
    [entry] = await desk.shows(1)
    assert (entry.outcome, entry.actor, entry.act) == ("done", "operator:zhang", "events rebuild box")


def test_a_service_with_an_audit_log_must_hold_its_parts(application: Application) -> None:
    more: dict[str, Any] = (
        {"audit": Audit(application.audit.refused, application.audit.done)} if application.audit else {}
    )
    with pytest.raises(TypeError, match="has an audit log: its aggregate and read model must be the service's"):
        Application(application.service, application.routers, **more)
