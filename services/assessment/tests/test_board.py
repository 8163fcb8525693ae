"""From other services' events over Kafka to the public board, its page for the wall, and its publication."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from assessment.domain.period import CHINA
from assessment.read_models.members import members
from assessment.read_models.outcomes import outcomes
from assessment.service import application, assessment
from contracts.common import Post
from contracts.grid_tasks import CaseClosed, CaseRated
from contracts.registry import MemberAppointed
from edge.testing import client, founding, in_post, token, told
from events import Event
from events.rebuild import differences
from events.runtime import Runtime
from events.testing import publish, running
from httpx2 import AsyncClient

EVENING = datetime(2026, 11, 24, 18, tzinfo=CHINA)
DECEMBER = datetime(2026, 12, 1, 9, tzinfo=CHINA)


def appointed(member: str, name: str, grid: str) -> tuple[str, Event]:
    post, email = Post.GRID_WORKER, f"{member}@example.org"
    return member, MemberAppointed(member=member, name=name, post=post, grid=grid, email=email)


def closed(case: str, worker: str, on_time: bool = True) -> tuple[str, Event]:
    at = EVENING
    return case, CaseClosed(
        case=case, category="noise", grid="G1", worker=worker, on_time=on_time, first_attempt=True, at=at
    )


def rated(case: str, worker: str, rating: int) -> tuple[str, Event]:
    return case, CaseRated(case=case, worker=worker, rating=rating, closed_at=EVENING, at=DECEMBER)


@dataclass
class World:
    """assessment, at work among the other services."""

    runtime: Runtime
    http: AsyncClient
    others: dict[str, str]
    now: datetime = EVENING

    async def happens(self, *events: tuple[str, Event]) -> str:
        """Other services publish these events of one of them; returns the consistency tokens of all."""
        service = events[0][1].type_name.split(".")[1]
        settings = self.runtime.settings
        return ",".join(map(str, await publish(self.others[service], settings.kafka, settings.topic_prefix, *events)))

    async def board(self, after: str = "", **query: str) -> dict[str, object]:
        answer = await self.http.get("/board", params=query, headers={"Consistency-Token": after} if after else {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def publish(self, period: str, key: str = "k1") -> tuple[int, dict[str, object]]:
        answer = await self.http.post(f"/periods/{period}/publication", headers={"Idempotency-Key": key})
        return answer.status_code, answer.json()


@pytest.fixture
async def world(
    new_database: Callable[..., Awaitable[str]], kafka_server: str, topic_prefix: str
) -> AsyncGenerator[World]:
    own = await new_database("assessment")
    others = {name: await new_database(name) for name in ("registry", "grid_tasks")}
    now: list[World] = []
    async with (
        running(assessment, own, kafka_server, topic_prefix, lambda: now[0].now) as runtime,
        client(application, runtime, token("officer-1")) as http,
    ):
        await told(own, *founding(), in_post("officer-1", Post.COMMUNITY_OFFICER))
        now.append(World(runtime, http, others))
        yield now[0]


PEOPLE = (appointed("li", "李伟", "G1"), appointed("wang", "王芳", "G2"), appointed("sun", "孙<b>伟</b>", "G3"))
CASES = (closed("c1", "li"), closed("c2", "li"), closed("c3", "wang", on_time=False), rated("c1", "li", 5))


async def test_what_other_services_tell_becomes_the_board_of_the_day(world: World):
    people = await world.happens(*PEOPLE)
    cases = await world.happens(*CASES)
    board = await world.board(f"{people},{cases}")
    assert (board["period"], board["published"]) == ("2026-11", False)
    rows: list[dict[str, object]] = board["scores"]  # type: ignore[assignment]
    assert [(row["rank"], row["worker"], row["name"], row["grid"], row["closed"]) for row in rows] == [
        (1, "li", "李伟", "G1", 2),
        (2, "wang", "王芳", "G2", 1),
    ]
    assert board["without_score"] == [{"worker": "sun", "name": "孙<b>伟</b>", "grid": "G3"}]
    parts: list[dict[str, object]] = rows[0]["parts"]  # type: ignore[assignment]
    assert [part["indicator"] for part in parts] == ["on_time", "first_attempt", "satisfaction"]
    assert "2件中2件" in str(parts[0]["why"])
    assert "2 of 2 cases" in str(parts[0]["why"])
    for read_model in (outcomes, members):
        assert not any((await differences(world.runtime, read_model)).values())


async def test_the_page_for_the_wall_escapes_what_it_shows_and_loads_nothing(world: World):
    people = await world.happens(*PEOPLE)
    cases = await world.happens(*CASES)
    answer = await world.http.get("/board.html", headers={"Consistency-Token": f"{people},{cases}"})
    page = answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "孙&lt;b&gt;伟&lt;/b&gt;" in page
    assert "孙<b>" not in page
    for said in (
        "网格员考核榜",
        "2026年11月",
        "李伟",
        "★★★★",
        "走访次数",
        "对分数有异议的",
        "If you doubt a score",
        "预览",
    ):
        assert said in page, said
    for fetched in ("http:", "https:", "src=", "url(", "<script", "<link"):
        assert fetched not in page, fetched
    assert "size: A4 landscape" in page


async def test_a_month_is_published_once_when_it_is_over_and_stays_as_it_is(world: World):
    people = await world.happens(*PEOPLE)
    cases = await world.happens(*CASES)
    before = await world.board(f"{people},{cases}")
    assert (await world.publish("2026-11"))[1]["type"] == "https://commongrid.example/problems/month-not-over"
    assert (await world.http.get("/periods/2026-11")).status_code == 404

    world.now = DECEMBER
    status, published = await world.publish("2026-11")
    assert status == 201
    assert await world.publish("2026-11") == (201, published)  # repeated with the same key
    status, problem = await world.publish("2026-11", key="another")
    assert (status, problem["type"]) == (409, "https://commongrid.example/problems/already-published")

    await world.board(await world.happens(closed("c4", "wang"), rated("c4", "wang", 1)))  # has arrived, too late
    after = await world.board(period="2026-11")
    assert after["published"] is True
    assert (after["scores"], after["method"]) == (before["scores"], before["method"])
    assert (await world.http.get("/periods/2026-11")).json() == published
    page = (await world.http.get("/board.html", params={"period": "2026-11"})).text
    assert "2026-12-01 公示" in page
    assert (await world.board())["scores"] == []  # December has begun


async def test_a_publication_names_who_asks_and_a_month_that_exists(world: World):
    async with client(application, world.runtime) as anonymous:
        answer = await anonymous.post("/periods/2026-10/publication", headers={"Idempotency-Key": "k"})
        assert answer.status_code == 401
    status, problem = await world.publish("2026-10")
    assert (status, problem["type"]) == (409, "https://commongrid.example/problems/nothing-to-publish")
    assert (await world.publish("2026-13"))[0] == 422
    wrong = await world.http.get("/board", params={"period": "November"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "period")


async def test_an_empty_month_has_a_board_and_a_page_too(world: World):
    board = await world.board(period="2026-01")
    assert (board["scores"], board["method_text"]) == (
        [],
        {"zh": "本月尚无办结事件。", "en": "No case has been closed in this month yet."},
    )
    assert "本月尚无办结事件" in (await world.http.get("/board.html", params={"period": "2026-01"})).text
