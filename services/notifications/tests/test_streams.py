"""What a browser sees: notifications as they happen, and events as they pass between the services."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.common import ErasureGround
from contracts.registry import PersonErased, PersonRegistered, PowerWithdrawn
from edge import Application
from edge.testing import served, told
from events import Event, Position
from events.event import Raw
from events.runtime import Runtime
from events.settings import Settings
from events.testing import eventually, publish
from httpx2 import AsyncClient, Timeout
from local.kafka import Kafka
from local.testing import NewDatabase
from notifications.live.tail import WAITING_AT_MOST, Passed, State, Tail, Viewer, as_json, passed
from notifications.live.topology import EVENTS, SERVICES, topology

from services.notifications.tests.conftest import (
    Mailbox,
    World,
    all_of,
    by,
    dispatched,
    email,
    http,
    li,
    reported,
    street_light,
)


@dataclass
class Told:
    """A server-sent event."""

    event: str
    id: str
    data: Any


class Browser:
    """Collects what a stream tells, in the background."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.ended = asyncio.Event()

    def of(self, *kinds: str) -> list[Told]:
        return [it for it in self.told if it.event in kinds]

    async def sees(self, kind: str, count: int) -> list[Told]:
        async def enough() -> bool:
            assert len(self.of(kind)) >= count, self.told
            return True

        await eventually(enough)
        return self.of(kind)

    async def listen(self, url: str, headers: dict[str, str]) -> None:
        async with (
            AsyncClient(timeout=Timeout(5, read=60)) as client,
            client.stream("GET", url, headers={"Accept": "text/event-stream"} | headers) as response,
        ):
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            told: dict[str, str] = {}
            async for line in response.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    told[name] = value
                elif "data" in told:
                    self.told.append(Told(told.get("event", ""), told.get("id", ""), json.loads(told["data"])))
                    told = {}
                else:
                    self.told.append(Told("nothing", told.get("id", ""), None))
                    told = {}
            self.ended.set()


@asynccontextmanager
async def browsing(url: str, **headers: str) -> AsyncGenerator[Browser]:
    browser = Browser()
    listening = asyncio.create_task(browser.listen(url, headers))
    try:
        await eventually(lambda: _begun(browser, listening))
        yield browser
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _begun(browser: Browser, listening: asyncio.Task[None]) -> bool:
    if listening.done():
        listening.result()
    return bool(browser.told)


def api(application: Application, runtime: Runtime) -> Any:
    return served(application.api(runtime))


async def confirmed(runtime: Runtime) -> bool:
    return await runtime.db.fetchval("select count(*) > 0 from log.events where type like '%.erasure.confirmed.v1'")


async def test_a_stream_ends_when_the_power_does(world: World, mailbox: Mailbox) -> None:
    application = by(email(mailbox))
    async with (
        world.running(application) as runtime,
        api(application, runtime) as url,
        browsing(f"{url}/stream") as browser,
    ):
        await told(runtime.settings.database_url, PowerWithdrawn(power="events.watch"))
        await asyncio.wait_for(browser.ended.wait(), 30)


async def test_a_browser_sees_what_happens_to_notifications_and_goes_on_without_a_gap(
    world: World, mailbox: Mailbox
) -> None:
    application = by(email(mailbox))
    await world.registry(li(), street_light())
    async with world.running(application) as runtime, api(application, runtime) as url:
        async with browsing(f"{url}/stream") as browser:
            await world.grid_tasks(reported("c1"), dispatched("c1"))
            (delivered,) = await browser.sees("delivered", 1)
            (requested,) = browser.of("requested")
        erased = PersonErased(person="p1", ground=ErasureGround.UNLAWFUL, at=datetime.now(UTC))
        await world.registry(("p1", erased))
        await eventually(lambda: confirmed(runtime))  # which is an event of this service's, but no notification
        assert requested.data["recipient"] == "member-li"
        assert delivered.data["notification"] == requested.data["notification"]
        await world.grid_tasks(reported("c2"), dispatched("c2"))

        async def delivered_meanwhile() -> bool:
            return [row.state for row in await all_of(runtime)] == ["delivered"] * 2

        await eventually(delivered_meanwhile)
        async with browsing(f"{url}/stream", **{"Last-Event-ID": requested.id}) as again:
            await again.sees("delivered", 2)
            assert [it.event for it in again.told if it.data] == ["delivered", "requested", "delivered"]
        assert "@" not in json.dumps([it.data for it in browser.told + again.told])


async def test_an_id_that_is_none_is_answered_with_what_would_be_right(world: World) -> None:
    application = by()
    async with world.running(application, work=False) as runtime, http(application, runtime) as client:
        for wrong in ("yesterday", "1.2", "1.2.x", "-1.0.0", "1.99999999999999999999999.1"):
            response = await client.get("/stream", headers={"Last-Event-ID": wrong})
            assert response.status_code == 422, wrong
            assert response.json()["errors"][0]["field"] == "Last-Event-ID"


async def test_operators_see_notifications_page_by_page_without_addresses(world: World, mailbox: Mailbox) -> None:
    application = by(email(mailbox))
    await world.registry(li(), street_light())
    cases = ["c1", "c2", "c3"]
    await world.grid_tasks(*(event for case in cases for event in (reported(case), dispatched(case))))
    async with world.running(application) as runtime, http(application, runtime) as client:

        async def delivered() -> bool:
            return [row.state for row in await all_of(runtime)] == ["delivered"] * 3

        await eventually(delivered)
        first = (await client.get("/notifications", params={"limit": 2, "state": "delivered"})).json()
        second = (
            await client.get("/notifications", params={"limit": 2, "state": "delivered", "cursor": first["next"]})
        ).json()
        shown = first["items"] + second["items"]
        assert {it["case"] for it in shown} == set(cases)
        assert second["next"] is None
        assert (await client.get("/notifications", params={"state": "parked"})).json()["items"] == []
        assert (await client.get("/notifications", params={"channel": "webhook"})).json()["items"] == []
        one = await client.get(f"/notifications/{shown[0]['id']}")
        assert one.json() == shown[0]
        assert "@" not in json.dumps(shown)
        assert (await client.get("/notifications/nothing")).status_code == 404
        channels = (await client.get("/channels")).json()
        configured = [(it["channel"], it["configured"]) for it in channels]
        assert configured == [("email", True), ("webhook", False), ("partner", False)]
    assert channels[0]["notifications"]["delivered"] == 3


async def test_the_live_view_shows_events_of_every_service_as_they_pass_and_nothing_that_they_say(
    world: World, mailbox: Mailbox
) -> None:
    application = by(email(mailbox))
    async with world.running(application) as runtime:
        await world.registry(li(), street_light(), person())
        await world.grid_tasks(reported("c0"))
        async with api(application, runtime) as url, browsing(f"{url}/live/events") as browser:

            async def connected() -> bool:
                return browser.of("state")[-1].data["kafka"] == "connected"

            await eventually(connected)
            await world.grid_tasks(reported("c1"), dispatched("c1"))
            await world.registry(person("p2"))

            async def all_passed() -> bool:
                seen = {it.data["type"].removeprefix("commongrid.").removesuffix(".v1") for it in browser.of("passed")}
                assert seen == {
                    "grid_tasks.case.reported",
                    "grid_tasks.case.dispatched",
                    "registry.person.registered",
                    "notifications.notification.requested",
                    "notifications.notification.delivered",
                }
                return True

            await eventually(all_passed)

            async def counted() -> bool:
                return sum(browser.of("state")[-1].data["totals"].values()) == 9  # 4 before, 5 since

            await eventually(counted)
        assert all(
            set(it.data) == {"service", "aggregate", "type", "stream", "time", "lag_ms"} for it in browser.of("passed")
        )
        everything = json.dumps([it.data for it in browser.told], ensure_ascii=False)
        for words in ("王阿姨", "张三", "example.org", "13800000000", "99010119900307421X", "street_light"):
            assert words not in everything
        assert {it.data["stream"] for it in browser.of("passed")} >= {"case-c1", "person-p2"}
        assert all(0 <= it.data["lag_ms"] < 30_000 for it in browser.of("passed"))


def person(id: str = "p1") -> tuple[str, Event]:
    facts = {"name": "张三", "id_number": "99010119900307421X", "sex": "1", "birth_date": "1990-03-07"}
    return id, PersonRegistered.model_validate(
        {"person": id, "phone": "13800000000", "residency": "permanent", "address": "a1", **facts}
    )


async def test_while_kafka_is_away_the_live_view_says_so() -> None:
    tail = Tail()
    async with tail.viewer(Settings("postgresql://nowhere", "127.0.0.1:9")) as viewer:
        states: list[str] = []
        while states[-1:] != ["away"]:
            async with asyncio.timeout(30):
                state, _ = await viewer.next()
            assert state is not None
            states.append(state.kafka)
    assert states == ["connecting", "away"]


async def test_when_kafka_is_back_the_live_view_goes_on_from_where_it_was(
    tmp_path: Path, new_database: NewDatabase
) -> None:
    kafka, database = Kafka(tmp_path / "kafka", tmp_path / "kafka.log"), await new_database("grid_tasks")
    await kafka.start()
    try:
        await publish(database, kafka.bootstrap, "away", reported("c0"))
        async with Tail().viewer(Settings("postgresql://nowhere", kafka.bootstrap, "away")) as viewer:
            await _until(viewer, lambda state, _: state == "connected")
            await kafka.end()
            await _until(viewer, lambda state, _: state == "away")
            await kafka.start()
            # The viewer's reader may or may not have found its way back when this is published.
            await publish(database, kafka.bootstrap, "away", reported("c1"))
            await _until(viewer, lambda _, streams: streams == ["case-c1"])
    finally:
        await kafka.end()


async def _until(viewer: Viewer, come: Callable[[str | None, list[str]], bool]) -> None:
    """Waits for a state of Kafka, or for streams of which events passed."""
    known: str | None = None
    seen: list[str] = []
    async with asyncio.timeout(60):
        while not come(known, seen):
            state, events = await viewer.next()
            known = state.kafka if state else known
            seen += [event.stream for event in events]


async def test_a_slow_viewer_loses_the_oldest_events_and_no_state() -> None:
    viewer = Viewer()
    events = [passed(raw(version), datetime.now(UTC)) for version in range(1, WAITING_AT_MOST + 11)]
    for event in events:
        viewer.see([event])
    viewer.told(State("connected", {"t": len(events)}))
    state, seen = await viewer.next()
    assert seen == events[10:]
    assert state is not None
    assert state.totals == {"t": len(events)}


def raw(version: int) -> Raw:
    type_name = "commongrid.grid_tasks.case.reported.v1"
    return Raw(Position(1, 1, version), "case-c1", version, type_name, b'{"description": "secret"}', datetime.now(UTC))


def test_what_may_be_shown_of_an_event_holds_none_of_its_data() -> None:
    shown: Passed = passed(raw(1), datetime.now(UTC))
    assert "secret" not in json.dumps(as_json(shown), default=str)


def test_the_picture_knows_every_event_of_the_published_language() -> None:
    drawn = topology()
    assert {service["name"] for service in drawn["services"]} == set(SERVICES)
    assert {event.type_name for event in EVENTS} == set(drawn["followers"])
    for event in EVENTS:
        _, service, aggregate, happened, _ = event.type_name.split(".")
        assert service in SERVICES
        assert drawn["words"].get(aggregate), f"no Chinese word for {aggregate}"
        assert drawn["words"].get(happened), f"no Chinese word for {happened}"


async def test_the_page_needs_nothing_from_elsewhere(world: World) -> None:
    application = by()
    async with world.running(application, work=False) as runtime, http(application, runtime) as client:
        page = await client.get("/live")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        style, script = await client.get("/live/page.css"), await client.get("/live/page.js")
        picture = await client.get("/live/picture.js")
        for part in (page, style, script, picture):
            assert part.status_code == 200
            assert "//" not in part.text.replace("http://www.w3.org/2000/svg", "").replace("// ", "")
