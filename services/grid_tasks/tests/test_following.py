"""Reports from another system's topic: a hotline writes, each of its numbers is one case, and it is told what became of
each; on a real Kafka."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka is hardly typed)

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from contracts.grid_tasks import AuditRefused, CaseReported
from edge.mapping import NotAMapping, read_mapping
from edge.testing import client, given, token, told
from events.runtime import Runtime
from events.testing import RING, eventually, running
from events.theirs import NoSuchTopic
from grid_tasks.domain.case import CASE
from grid_tasks.importing.following import NotAllowed, NotNowhere, follow
from grid_tasks.importing.messages import Reports, read
from grid_tasks.service import application, grid_tasks

from .conftest import Trade, prepare
from .trade import GRID, HERE

MAPPINGS = Path(__file__).parents[3] / "examples/mappings"
HOTLINE = read_mapping((MAPPINGS / "hotline.json").read_bytes(), Reports)
SOURCE = HOTLINE.partner
ORDER: dict[str, Any] = {
    "工单编号": "DH-1",
    "问题分类": "社会治安/噪音扰民",
    "诉求内容": "楼上深夜装修",
    "位置": {"经度": HERE.longitude, "纬度": HERE.latitude},
}


def order(number: object = "DH-1", **other: object) -> dict[str, Any]:
    """A 工单, as the hotline writes it."""
    return ORDER | {"工单编号": number} | other


def at(longitude: object, latitude: object) -> dict[str, Any]:
    return {"经度": longitude, "纬度": latitude}


@dataclass
class Wire:
    """The hotline's topic, and the one on which it is answered."""

    runtime: Runtime
    kafka: str
    topic: str
    producer: AIOKafkaProducer

    @property
    def answers(self) -> str:
        return f"{self.topic}.answers"

    async def writes(self, *messages: object) -> None:
        """What is no bytes is written as JSON."""
        for it in messages:
            value = it if isinstance(it, bytes) else orjson.dumps(it)
            await self.producer.send(self.topic, value)
        await self.producer.flush()

    @asynccontextmanager
    async def followed(self, mapped: Reports = HOTLINE) -> AsyncGenerator[None]:
        """By a process of ours, which is ended in the midst of whatever it does at the end of the block."""
        following = asyncio.create_task(self.follow(mapped))
        try:
            yield
        finally:
            following.cancel()
            await asyncio.wait([following])
        if not following.cancelled() and (error := following.exception()):
            raise error

    async def follow(self, mapped: Reports = HOTLINE) -> None:
        await follow(application, self.runtime, self.topic, mapped, self.topic, self.answers)

    async def told(self, count: int = 0, numbers: Collection[str | None] = ()) -> list[dict[str, Any]]:
        """The answers in their order, as soon as there are so many, and one at least for each of these numbers."""
        consumer = AIOKafkaConsumer(self.answers, bootstrap_servers=self.kafka, auto_offset_reset="earliest")
        found: list[dict[str, Any]] = []
        await consumer.start()
        try:
            async with asyncio.timeout(60):
                while len(found) < count or not set(numbers) <= {it["number"] for it in found}:
                    for messages in (await consumer.getmany(timeout_ms=200)).values():
                        found += [orjson.loads(it.value or b"") for it in messages]
        finally:
            await consumer.stop()
        return found

    async def became(self, *messages: object) -> list[dict[str, Any]]:
        """Writes these, and reads what became of them."""
        await self.writes(*messages)
        async with self.followed():
            return await self.told(len(messages))

    async def reports(self) -> list[CaseReported]:
        """All that have become cases."""
        rows = await self.runtime.db.fetch(
            "select distinct stream from log.events where type = $1", CaseReported.type_name
        )
        histories = [await self.runtime.commands.history(CASE, it["stream"].removeprefix("case-")) for it in rows]
        return [it.data for history in histories for it in history if isinstance(it.data, CaseReported)]


@pytest.fixture
async def wire(early: Wire) -> Wire:
    await prepare(early.runtime)
    return early


@pytest.fixture
async def early(fresh_database: str, kafka_server: str, topic_prefix: str, trade: Trade) -> AsyncGenerator[Wire]:
    """Before the registry has told of anything."""
    topic = f"{topic_prefix}.hotline.orders"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_server)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1) for name in (topic, f"{topic}.answers")])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka_server)
    async with running(grid_tasks, fresh_database, kafka_server, topic_prefix, trade, work=False) as runtime:
        await producer.start()
        yield Wire(runtime, kafka_server, topic, producer)
        await producer.stop()


async def test_what_the_hotline_writes_becomes_cases_and_it_is_told_which(wire: Wire) -> None:
    lines = (MAPPINGS / "hotline.ndjson").read_bytes().splitlines()
    noise, light, licence = await wire.became(*lines)
    assert (noise["number"], noise["became"], noise["place"]) == ("DH20261124-0001", "taken", f"{wire.topic}[0]@0")
    assert (light["number"], light["became"]) == ("DH20261124-0002", "refused"), "not on this list of duties"
    assert light["problem"]["type"].endswith("/not-on-any-duty-list")
    assert licence["problem"]["department"]["zh"] == "市场监督管理局"
    [report] = await wire.reports()
    assert report.case == noise["case"]
    assert (report.category, report.grid, report.place) == ("neighbour_noise", GRID, HERE)
    assert report.description == "楼上深夜装修\n蚕花路6号"
    assert (report.reporter, report.reporter_kind, report.contact) == (SOURCE, "hotline", "resident@example.org")
    assert report.told_at == datetime(2026, 11, 24, 0, 30, tzinfo=UTC), "it is China's time"


async def test_a_number_is_one_case_by_topic_and_by_rest(wire: Wire) -> None:
    await told(wire.runtime.settings.database_url, given("cases.relay", f"partner:{SOURCE}"))
    headers = {"Authorization": f"Bearer {token(SOURCE, client_id=SOURCE)}", "Idempotency-Key": "k"}
    place = HERE.model_dump()
    body = {"category": "neighbour_noise", "description": "来电", "place": place, "through": "hotline"}
    async with client(application, wire.runtime) as http:
        first = (await http.put("/relayed/DH-1", json=body, headers=headers)).json()
        known, again, other = await wire.became(order(), order(诉求内容="又来电"), order("DH-2"))
        second = await http.put("/relayed/DH-2", json=body, headers=headers | {"Idempotency-Key": "l"})
    assert [it["became"] for it in (known, again, other)] == ["known", "known", "taken"]
    assert known["case"] == again["case"] == first["case"]
    assert (second.status_code, second.json()["case"]) == (200, other["case"])
    assert len(await wire.reports()) == 2


async def test_what_is_broken_stops_nothing_and_is_told_by_its_place(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "王小明 15496301248"
    broken: Mapping[str, object] = {
        "bad-json": b"{no JSON " + secret.encode(),
        "bad-json ": [secret],
        "bad-json  ": b'{"\xff": 1}',
        "bad-json   ": b"",
        "too-deep": b"[" * 5000,
        "body-too-large": order(诉求内容="长" * 30_000),
        "number": order(None),
        "number ": order("DH 1/2"),
        "number  ": order({"是": "对象"}),
        "description": order("D1", 诉求内容=None),
        "description ": order("D2", 诉求内容="噪" * 2001),
        "description  ": order("D3", 诉求内容="\0"),
        "category": order("C1", 问题分类=["噪音"]),
        "not-on-any-duty-list": order("C2", 问题分类=secret),
        "place": order("P1", 位置=None),
        "place.latitude": order("P2", 位置=at(HERE.latitude, HERE.longitude)),
        "place.latitude ": order("P3", 位置=at(HERE.longitude, "北")),
        "place.latitude  ": order("P4", 位置=at(HERE.longitude, None)),
        "place.longitude": order("P5", 位置=at("NaN", HERE.latitude)),
        "at": order("T1", 发生时间="昨天晚上"),
        "contact": order("N1", 邮箱=secret),
    }
    with caplog.at_level(logging.WARNING, "grid_tasks"):
        answers = await wire.became(*broken.values(), order("GOOD"))
    good = answers.pop()
    assert (good["number"], good["became"]) == ("GOOD", "taken")
    assert len(await wire.reports()) == 1
    logged = [it for it in caplog.records if it.message == "a message was not taken"]
    for nth, (wrong, answer, line) in enumerate(zip(broken, answers, logged, strict=True)):
        problem, line = answer["problem"], vars(line)
        reason = problem["type"].rpartition("/")[2]
        assert answer["became"] == "refused"
        assert wrong.strip() in (reason, *(it["field"] for it in problem.get("errors", ())))
        assert (line["place"], line["reason"]) == (f"{wire.topic}[0]@{nth}", reason)
        assert line["why"]
    assert "王小明" not in str([vars(it) for it in caplog.records])


async def test_scripts_and_times_to_come_are_kept_as_they_were_told(wire: Wire) -> None:
    script = "<script>alert(1)</script>"
    answers = await wire.became(
        order("S", 诉求内容=script),
        order("F", 发生时间="2999-01-01T00:00:00Z"),
        order("E", 发生时间="0001-01-01T00:00:00+08:00"),
    )
    assert [it["became"] for it in answers] == ["taken"] * 3
    written = {it.case: it for it in await wire.reports()}
    assert written[answers[0]["case"]].description == script
    assert written[answers[1]["case"]].told_at == datetime(2999, 1, 1, tzinfo=UTC), "a device's clock may be years out"


async def test_a_place_outside_every_grid_and_none_at_all_wait_for_the_desk(wire: Wire) -> None:
    far, nowhere = await wire.became(order("FAR", 位置=at(121, 31)), order("NONE", 位置={"地址": "蚕花路与桑园路口"}))
    reports = {it.case: it for it in await wire.reports()}
    assert reports[far["case"]].grid == reports[nowhere["case"]].grid == ""
    assert reports[nowhere["case"]].description == "楼上深夜装修\n蚕花路与桑园路口"
    assert reports[nowhere["case"]].place == HOTLINE.nowhere


async def test_a_stand_in_for_places_that_lies_in_a_grid_is_refused_before_anything_is_read(wire: Wire) -> None:
    await wire.writes(order())
    with pytest.raises(NotNowhere, match=GRID):
        await asyncio.wait_for(wire.follow(HOTLINE.model_copy(update={"nowhere": HERE})), 60)
    async with wire.followed():
        assert [it["became"] for it in await wire.told(1)] == ["taken"]


async def test_whoever_may_pass_nothing_on_is_not_read_and_it_stands_in_the_audit_log(wire: Wire) -> None:
    await wire.writes(order())
    with pytest.raises(NotAllowed, match=r"cases\.relay"):
        await asyncio.wait_for(wire.follow(HOTLINE.model_copy(update={"source": "a_stranger"})), 60)
    assert not await wire.reports()
    refused = await wire.runtime.db.fetchval("select data from log.events where type = $1", AuditRefused.type_name)
    assert "a_stranger" in refused
    async with wire.followed():
        assert (await wire.told(1))[0]["became"] == "taken", "nothing is lost"


async def test_a_process_that_is_ended_in_the_midst_loses_nothing_and_doubles_nothing(wire: Wire) -> None:
    numbers = [f"N{nth}" for nth in range(300)]
    await wire.writes(*(order(it) for it in [*numbers, *numbers[::7]]))
    for least in (20, 100, 180):
        async with wire.followed():
            await eventually(lambda least=least: _at_least(wire, least))
    async with wire.followed():
        answers = await wire.told(len(numbers) + len(numbers[::7]), numbers)
    assert len(await wire.reports()) == len(numbers)
    cases: dict[str, set[str]] = {}
    for it in answers:
        cases.setdefault(it["number"], set()).add(it["case"])
    assert cases.keys() == set(numbers)
    assert all(len(it) == 1 for it in cases.values())


async def _at_least(wire: Wire, count: int) -> bool:
    return count <= await wire.runtime.db.fetchval(
        "select count(*) from log.events where type = $1", CaseReported.type_name
    )


async def test_until_lists_and_map_have_arrived_it_waits(early: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    answered: list[int] = []

    class Noting(httpx2.ASGITransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            answer = await super().handle_async_request(request)
            answered.append(answer.status_code)
            return answer

    monkeypatch.setattr(httpx2, "ASGITransport", Noting)

    async def asked_in_vain() -> bool:
        return 503 in answered

    await early.writes(order())
    async with early.followed():
        await eventually(asked_in_vain)
        await prepare(early.runtime)
        assert [it["became"] for it in await early.told(1)] == ["taken"]


async def test_a_topic_that_is_not_there_is_said(wire: Wire) -> None:
    with pytest.raises(NoSuchTopic, match=r"nobody\.writes"):
        await asyncio.wait_for(follow(application, wire.runtime, "nobody.writes", HOTLINE, "g"), 60)
    with pytest.raises(NoSuchTopic, match=r"nobody\.reads"):
        await asyncio.wait_for(follow(application, wire.runtime, wire.topic, HOTLINE, "g", "nobody.reads"), 60)


async def test_as_a_process_it_is_killed_and_goes_on_and_counts_what_became_of_messages(wire: Wire) -> None:
    numbers = [f"N{nth}" for nth in range(200)]
    await wire.writes(*(order(it) for it in numbers))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "COMMONGRID_DATABASE_URL": wire.runtime.settings.database_url,
        "COMMONGRID_KAFKA": wire.kafka,
        "COMMONGRID_HTTP_PORT": str(port),
        "COMMONGRID_KEYS": RING,
        "COMMONGRID_LOCAL": "true",
    }
    verb = ("-m", "grid_tasks", "follow", wire.topic, str(MAPPINGS / "hotline.json"), "--answers", wire.answers)

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, *verb, env=environment, stdout=asyncio.subprocess.DEVNULL
        )

    killed = await start()
    await eventually(lambda: _at_least(wire, 30))
    killed.kill()
    assert await killed.wait() == -signal.SIGKILL
    went_on = await start()
    try:
        await wire.writes(b"no JSON")
        await wire.told(numbers=[*numbers, None])
        assert len(await wire.reports()) == len(numbers)
        async with httpx2.AsyncClient(trust_env=False) as http:
            metrics = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
        assert f'commongrid_followed_messages_total{{became="refused",topic="{wire.topic}"}} 1.0' in metrics
    finally:
        went_on.terminate()
        assert await went_on.wait() == 0


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("{}", "say in source"),
        ('{"source": "iot", "columns": {"nummer": "id"}}', "nummer; there are number"),
        ('{"source": "iot", "nowhere": {"longitude": 30, "latitude": 120}}', "nowhere.latitude"),
        ('{"source": "iot", "columns": {"number": {"from": "id", "value": "1"}}}', "columns.number"),
    ],
)
def test_a_mapping_that_cannot_be_followed_is_refused_by_name(mapping: str, words: str) -> None:
    with pytest.raises(NotAMapping, match=words):
        read_mapping(mapping, Reports)


def test_fields_with_our_own_names_need_no_mapping() -> None:
    sent = read(
        b'{"number": 7, "category": "road_damage", "longitude": "120.1", "latitude": 30, "at": "1795480800"}',
        Reports(source="iot"),
    )
    assert sent.number == "7"
    assert sent.body == {
        "category": "road_damage",
        "place": {"longitude": 120.1, "latitude": 30.0},
        "at": "2026-11-24T00:40:00+00:00",
    }
