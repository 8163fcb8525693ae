"""Cases over HTTP: what is answered, what is refused and how, and who sees what. There is no Kafka here."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from contracts.common import Post
from edge.problems import BASE
from edge.testing import client, in_post, token, told
from events.runtime import Runtime
from events.testing import eventually
from grid_tasks.domain.case import CASE
from grid_tasks.read_models.case_board import case_board
from grid_tasks.retention import KEPT, erase_old_texts
from grid_tasks.service import application

from .conftest import NO_KAFKA, Trade
from .trade import GRID, INSTRUCTOR, LEADER, LI, WANG

BODY: dict[str, Any] = {
    "category": "neighbour_noise",
    "description": "楼上王某深夜装修",
    "place": {"longitude": 120.0945, "latitude": 30.8723},
    "contact": "resident@example.org",
}
POSTS = {
    LI: Post.GRID_WORKER,
    WANG: Post.GRID_WORKER,
    LEADER: Post.GRID_LEADER,
    INSTRUCTOR: Post.GRID_INSTRUCTOR,
    "auxiliary": Post.AUXILIARY,
}
RESULT = "已上门劝阻"


class Desk:
    """Where people do things with cases, each in their own name."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self._count = 0

    async def post(self, path: str, body: Any = None, who: str | None = None, **headers: str) -> httpx2.Response:
        self._count += 1
        usual = {"Idempotency-Key": f"key-{self._count}"} | self._as(who)
        return await self.http.post(path, json=body, headers=usual | headers)

    async def get(self, path: str, who: str | None = None, **headers: str) -> httpx2.Response:
        return await self.http.get(path, headers=self._as(who) | headers)

    async def report(self, **changes: Any) -> dict[str, Any]:
        answer = await self.post("/cases", BODY | changes)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def dispatched(self, reporter: str | None = None) -> dict[str, Any]:
        """A case that somebody has; with the receipt."""
        reported = (await self.post("/cases", BODY, reporter)).json()
        seen: dict[str, Any] = {}

        async def somebody_has_it() -> bool:
            seen.update((await self.get(f"/cases/{reported['case']}")).json())
            return seen["worker"] is not None

        await eventually(somebody_has_it)
        return seen | {"receipt": reported["receipt"]}

    async def do(self, case: dict[str, Any], what: str, who: str | None, body: Any = None, **headers: str) -> Any:
        """Goes on with a case whatever its version; asserts that it is taken."""
        answer = await self.post(f"/cases/{case['case']}/{what}", body, who, **{"If-Match": "*"}, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def closed(self) -> dict[str, Any]:
        case = await self.dispatched()
        await self.do(case, "start", case["worker"])
        await self.do(case, "hand-in", case["worker"], {"result": RESULT})
        return case | await self.do(case, "verify", LEADER)

    def _as(self, who: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token(who)}"} if who else {}


@pytest.fixture
async def desk(runtime: Runtime) -> AsyncGenerator[Desk]:
    await told(runtime.settings.database_url, *(in_post(who, post, GRID) for who, post in POSTS.items()))
    async with client(application, runtime) as http:
        yield Desk(http)


def assert_problem(answer: httpx2.Response, status: int, reason: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == BASE + reason
    return problem


# Reporting.


async def test_a_report_is_answered_with_a_receipt_and_dispatched_by_itself(desk: Desk) -> None:
    answer = await desk.post("/cases", BODY)
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"/cases/{made['case']}"
    assert answer.headers["etag"] == '"v1"'
    assert (made["step"], made["grid"], made["possible"]) == ("reported", "G1", ["withdraw", "answer"])
    assert len(made["receipt"]) >= 32

    async def somebody_has_it() -> bool:
        return (await desk.get(answer.headers["location"])).json()["worker"] in (LI, WANG)

    await eventually(somebody_has_it)


async def test_a_report_repeated_for_want_of_an_answer_is_one_case_with_one_receipt(desk: Desk) -> None:
    key = {"Idempotency-Key": "mine"}
    first, again = [await desk.post("/cases", BODY, **key) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_what_is_on_nobodys_list_is_refused(desk: Desk) -> None:
    assert_problem(await desk.post("/cases", BODY | {"category": "ufo"}), 422, "not-on-any-duty-list")


async def test_what_is_another_departments_duty_is_refused_with_its_name(desk: Desk) -> None:
    answer = await desk.post("/cases", BODY | {"category": "business_licence_check"})
    problem = assert_problem(answer, 422, "not-a-grid-duty")
    assert problem["department"] == {"zh": "市场监督管理局", "en": "Market supervision bureau"}
    assert "市场监督管理局" in problem["detail"]
    assert "Market supervision bureau" in problem["detail"]


async def test_a_place_in_no_grid_waits_for_the_desk_and_goes_its_way_from_there(desk: Desk) -> None:
    there = {"longitude": 120.2, "latitude": 30.8723}
    made = (await desk.post("/cases", BODY | {"place": there})).json()
    assert (made["step"], made["grid"], "place" in made["possible"]) == ("reported", "", True)
    where, any_version = f"/cases/{made['case']}/place", {"If-Match": "*"}
    assert_problem(await desk.post(where, {"grid": "G9"}, INSTRUCTOR, **any_version), 422, "unknown-grid")
    assert_problem(await desk.post(where, {"grid": "G1"}, LI, **any_version), 403, "not-allowed")
    assert (await desk.post(where, {"grid": "G1"}, INSTRUCTOR, **any_version)).json()["grid"] == "G1"

    async def somebody_has_it() -> bool:
        return (await desk.get(f"/cases/{made['case']}")).json()["worker"] in (LI, WANG)

    await eventually(somebody_has_it)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"description": "  "}, "description"),
        ({"description": "x" * 2001}, "description"),
        ({"contact": "not an address"}, "contact"),
        ({"place": {"longitude": 200.0, "latitude": 30.0}}, "place.longitude"),
        ({"place": {"longitude": "120.09", "latitude": 30.0}}, "place.longitude"),
        ({"place": None}, "place"),
        ({"religion": "x"}, "religion"),
    ],
)
async def test_wrong_input_names_the_field(desk: Desk, change: dict[str, Any], field: str) -> None:
    problem = assert_problem(await desk.post("/cases", BODY | change), 422, "invalid-input")
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_a_service_that_has_heard_of_no_duty_list_says_so_and_refuses_nobody(
    desk: Desk, runtime: Runtime
) -> None:
    await runtime.db.execute("truncate duty")
    assert_problem(await desk.post("/cases", BODY), 503, "not-ready")


# The way of a case.


async def test_a_case_goes_its_way_to_the_end_and_is_rated(desk: Desk, trade: Trade) -> None:
    case = await desk.dispatched()
    worker = case["worker"]
    assert (await desk.do(case, "start", worker))["step"] == "started"
    trade.advance(minutes=30)
    assert (await desk.do(case, "hand-in", worker, {"result": RESULT}))["step"] == "handed_in"
    assert (await desk.do(case, "send-back", LEADER, {"reason": "反映人未获告知"}))["attempt"] == 2
    await desk.do(case, "start", worker)
    await desk.do(case, "hand-in", worker, {"result": RESULT})
    closed = await desk.do(case, "verify", LEADER)
    assert (closed["step"], closed["on_time"], closed["possible"]) == ("closed", True, ["rating", "reopen"])
    rated = await desk.do(case, "rating", None, {"rating": 5}, Receipt=case["receipt"])
    assert (rated["rating"], rated["possible"]) == (5, ["reopen"])
    steps = [it["step"] for it in (await desk.get(f"/cases/{case['case']}/history")).json()["items"]]
    again = ["started", "handed_in"]
    assert steps == ["reported", "accepted", "dispatched", *again, "sent_back", *again, "verified", "closed", "rated"]


async def test_what_happens_on_the_way_can_be_asked_for_by_those_whose_it_is(desk: Desk, trade: Trade) -> None:
    case = await desk.dispatched()
    worker = case["worker"]
    other = WANG if worker == LI else LI
    await desk.do(case, "start", worker)
    assert (await desk.do(case, "ask-help", worker, {"helpers": [other], "why": "两人才行"}))["helping"] == [other]
    assert (await desk.do(case, "give-help", other, {"done": True, "words": "已到场"}))["helping"] == []
    assert (await desk.do(case, "ask-time", worker, {"minutes": 60, "reason": "等房东"}))["time_asked"] == 60
    longer = await desk.do(case, "give-time", LEADER, {"minutes": 60})
    assert longer["due"] > case["due"]
    asked = await desk.do(case, "ask-reporter", worker, {"reason": "几楼"})
    assert (asked["step"], asked["due"], asked["pause"]) == ("paused", None, "for_the_reporter")
    standing = (await desk.get(f"/cases/{case['case']}/deadline")).json()
    assert (standing["due"], standing["left_minutes"]) == (None, 180)
    trade.advance(hours=5)
    answered = await desk.do(case, "answer", None, {"words": "三楼"}, Receipt=case["receipt"])
    assert answered["step"] == "started"
    pause = {"kind": "for_the_weather", "reason": "暴雨", "until": (trade() + timedelta(hours=2)).isoformat()}
    assert (await desk.do(case, "pause", LEADER, pause))["step"] == "paused"
    trade.advance(hours=2)

    async def goes_on_by_itself() -> bool:
        return (await desk.get(f"/cases/{case['case']}")).json()["step"] == "started"

    await eventually(goes_on_by_itself)
    why = [it["en"] for it in (await desk.get(f"/cases/{case['case']}/deadline")).json()["why"]]
    assert any("waiting for the reporter" in it for it in why)
    told = (await desk.get(f"/cases/{case['case']}/history")).json()["items"]
    by = [it["by"] for it in told if it["step"] in ("answered", "resumed")]
    assert by == ["reporter", "reporter", "policy:resuming"]
    urgent = {"urgent": True, "minutes": 200, "reason": "老人独居"}
    assert (await desk.do(case, "change-urgency", LEADER, urgent))["urgent"] is True
    done = await desk.do(case, "hand-in", worker, {"result": RESULT})
    assert done["step"] == "handed_in"
    check = (await desk.get(f"/cases/{case['case']}/deadline")).json()
    assert (check["due"], check["warn_at"]) == (done["check_by"], None)
    assert list(check["rungs"]) == ["leader", "instructor", "officer_or_secretary", "street"]
    closed = await desk.do(case, "verify", LEADER)
    assert (closed["step"], closed["on_time"]) == ("closed", True)
    again = await desk.do(case, "reopen", None, {"reason": "又响了"}, Receipt=case["receipt"])
    assert (again["step"], again["attempt"], again["worker"]) == ("accepted", 2, None)


async def test_a_case_may_end_otherwise_and_says_how(desk: Desk) -> None:
    refused = {"kind": "anothers", "reason": "属城管", "whose": "城管局"}
    one, two, three = [await desk.dispatched() for _ in "123"]
    ended = await desk.do(one, "refuse", LEADER, refused)
    assert (ended["step"], ended["refused_as"], ended["whose"]) == ("refused", "anothers", "城管局")

    async def only_the_open_one_is_alike() -> bool:
        alike = (await desk.get(f"/cases/{two['case']}/alike", LEADER)).json()["items"]
        return [it["case"] for it in alike] == [three["case"]]

    await eventually(only_the_open_one_is_alike)
    merged = await desk.do(two, "merge", LEADER, {"into": three["case"]})
    assert (merged["step"], merged["into"]) == ("merged", three["case"])
    await desk.do(three, "return", three["worker"], {"reason": "不在我网格"})
    handed = {"body": "市场监督管理局", "why": "涉及证照"}
    over = await desk.post(f"/cases/{three['case']}/hand-over", handed, LEADER, **{"If-Match": "*"})
    assert_problem(over, 422, "nobody-of-that-body")
    assert (await desk.do(three, "withdraw", None, Receipt=three["receipt"]))["step"] == "withdrawn"


async def test_a_leader_gives_it_to_another_who_is_in_post_there(desk: Desk) -> None:
    case = await desk.dispatched()
    other = WANG if case["worker"] == LI else LI
    address = f"/cases/{case['case']}/dispatch"
    any_version = {"If-Match": "*"}
    body = {"worker": other, "why": "他就在楼下"}
    assert_problem(await desk.post(address, body, **any_version), 401, "not-signed-in")
    assert_problem(await desk.post(address, body, LI, **any_version), 403, "not-allowed")
    assert_problem(await desk.post(address, body | {"worker": "x"}, LEADER, **any_version), 422, "not-in-post-here")
    assert (await desk.do(case, "dispatch", LEADER, body))["worker"] == other
    assert_problem(await desk.post(address, body, LEADER, **any_version), 409, "already-theirs")


async def test_others_do_not_start_it_and_who_handled_it_does_not_verify_it(desk: Desk) -> None:
    case = await desk.dispatched()
    any_version = {"If-Match": "*"}
    other = WANG if case["worker"] == LI else LI
    assert_problem(await desk.post(f"/cases/{case['case']}/start", None, other, **any_version), 403, "not-your-case")
    await desk.do(case, "dispatch", INSTRUCTOR, {"worker": LEADER, "why": "人手不足"})
    await desk.do(case, "start", LEADER)
    await desk.do(case, "hand-in", LEADER, {"result": RESULT})
    verify = f"/cases/{case['case']}/verify"
    assert_problem(await desk.post(verify, None, LEADER, **any_version), 403, "verified-by-another")
    assert_problem(await desk.post(verify, None, "auxiliary", **any_version), 403, "not-allowed")
    assert (await desk.do(case, "verify", INSTRUCTOR))["step"] == "closed"


async def test_what_is_not_possible_now_is_told_with_what_is(desk: Desk) -> None:
    case = await desk.dispatched()
    answer = await desk.post(f"/cases/{case['case']}/verify", None, LEADER, **{"If-Match": "*"})
    problem = assert_problem(answer, 409, "not-possible-now")
    assert problem["step"] == "dispatched"
    assert {"start", "return", "ask-time", "dispatch", "pause", "withdraw"} <= set(problem["possible"])
    assert (problem["by"]["start"], problem["by"]["pause"]) == ("worker", "leader")


async def test_a_change_decided_on_an_older_version_is_refused(desk: Desk) -> None:
    case = await desk.dispatched()
    start = f"/cases/{case['case']}/start"
    assert_problem(await desk.post(start, None, case["worker"]), 428, "if-match-missing")
    assert_problem(await desk.post(start, None, case["worker"], **{"If-Match": '"v1"'}), 412, "version-mismatch")
    assert_problem(await desk.post("/cases/0199/start", None, LI, **{"If-Match": "*"}), 404, "not-found")


@pytest.mark.parametrize("path", ["/cases/%00", "/cases/%00/history", "/cases?worker=%00", "/workers?grid=%00"])
async def test_odd_characters_are_the_callers_mistake(desk: Desk, path: str) -> None:
    answer = await desk.get(path)
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


# Who sees what.


async def test_what_was_written_is_for_members_and_for_who_shows_the_receipt(desk: Desk) -> None:
    case = await desk.closed()
    address = f"/cases/{case['case']}"
    for answer in [
        await desk.get(address, LI),
        await desk.get(address, "auxiliary"),
        await desk.get(address, Receipt=case["receipt"]),
    ]:
        assert answer.json()["description"] == BODY["description"]
        assert answer.json()["result"] == RESULT
        assert "Receipt" in answer.headers["vary"]
    for answer in [await desk.get(address), await desk.get(address, "a-citizen")]:
        assert "description" not in answer.json()
        assert "result" not in answer.json()
        assert answer.json()["closed_at"]
    assert_problem(await desk.get(address, Receipt="guessed"), 403, "not-your-receipt")
    assert_problem(await desk.get(f"{address}/history", Receipt="guessed"), 403, "not-your-receipt")


async def test_the_history_tells_who_and_when_but_never_who_reported(desk: Desk) -> None:
    made = (await desk.post("/cases", BODY, "a-citizen")).json()
    address = f"/cases/{made['case']}/history"

    async def dispatched() -> bool:
        return len((await desk.get(address)).json()["items"]) == 3

    await eventually(dispatched)
    told, anonymous = (await desk.get(address, LEADER)), (await desk.get(address))
    assert "a-citizen" not in told.text
    lines = told.json()["items"]
    assert [(it["step"], it["by"]) for it in lines] == [
        ("reported", "resident"),
        ("accepted", "policy:accepting"),
        ("dispatched", "policy:dispatching"),
    ]
    assert lines[2]["worker"] in (LI, WANG)
    assert lines[2]["due"]
    assert "least open work" in lines[2]["words"]
    assert {it["words"] for it in anonymous.json()["items"]} == {None}
    assert_problem(await desk.get("/cases/0199/history"), 404, "not-found")


async def test_a_reporter_who_is_signed_in_stays_unnamed_also_when_they_answer(desk: Desk) -> None:
    case = await desk.dispatched("a-citizen")
    await desk.do(case, "ask-reporter", case["worker"], {"reason": "几楼"})
    await desk.do(case, "answer", "a-citizen", {"words": "三楼"}, Receipt=case["receipt"])
    told = await desk.get(f"/cases/{case['case']}/history")
    assert [it["by"] for it in told.json()["items"]][-2:] == ["reporter", "reporter"]
    assert "a-citizen" not in told.text


async def test_a_wrong_pin_is_corrected_by_who_dispatches_there(desk: Desk) -> None:
    case = await desk.dispatched()
    body = {"place": {"longitude": 120.0946, "latitude": 30.8724}, "reason": "在三号楼"}
    address = f"/cases/{case['case']}/correct-place"
    assert_problem(await desk.post(address, body, case["worker"], **{"If-Match": "*"}), 403, "not-allowed")
    corrected = await desk.do(case, "correct-place", LEADER, body)
    assert (corrected["step"], corrected["worker"]) == ("dispatched", case["worker"])

    async def shown() -> bool:
        places = (await desk.get("/boards/places", LEADER)).json()["features"]
        assert [120.0946, 30.8724] in [it["geometry"]["coordinates"] for it in places], places
        return True

    await eventually(shown)


async def test_the_rating_is_given_with_the_receipt_only(desk: Desk) -> None:
    case = await desk.closed()
    address, any_version = f"/cases/{case['case']}/rating", {"If-Match": "*"}
    assert_problem(await desk.post(address, {"rating": 1}, **any_version), 403, "not-your-receipt")
    assert_problem(await desk.post(address, {"rating": 1}, LEADER, **any_version), 403, "not-your-receipt")
    receipt = {"Receipt": case["receipt"]}
    assert_problem(await desk.post(address, {"rating": 6}, **any_version, **receipt), 422, "invalid-input")
    assert_problem(await desk.post(address, {"rating": "5"}, **any_version, **receipt), 422, "invalid-input")
    await desk.do(case, "rating", None, {"rating": 4}, **receipt)
    assert_problem(await desk.post(address, {"rating": 5}, **any_version, **receipt), 409, "already-rated")


async def test_nothing_that_was_written_is_kept_in_the_open_nor_the_receipt_in_the_log(
    desk: Desk, runtime: Runtime
) -> None:
    case = await desk.closed()
    answers = "".join(row[0] for row in await runtime.db.fetch("select outcome::text from log.commands"))
    events = "".join(row[0] for row in await runtime.db.fetch("select data::text from log.events"))
    assert case["case"] in answers
    for text in (BODY["description"], BODY["contact"], RESULT):
        assert text not in events
        assert text not in answers
    told = await runtime.commands.history(CASE, case["case"])
    assert any(getattr(it.data, "result", None) == RESULT for it in told), "who may read it can"
    assert case["receipt"] not in events


async def test_numbers_of_people_are_blotted_out_of_what_is_written(desk: Desk, runtime: Runtime) -> None:
    text = "王某（990502196503154658）深夜装修，电话13800138000，门牌301"
    case = (await desk.post("/cases", BODY | {"description": text})).json()["case"]
    state, _ = await runtime.commands.load(CASE, case)
    assert state.description == "王某（▇▇▇）深夜装修，电话▇▇▇，门牌301"


async def test_what_was_written_is_erased_when_its_period_is_over_and_how_it_went_stays(
    desk: Desk, runtime: Runtime, trade: Trade
) -> None:
    case = (await desk.closed())["case"]
    await runtime.commands.caught_up(case_board)
    assert await erase_old_texts(runtime) == 0
    trade.advance(days=KEPT.days + 1)
    assert await erase_old_texts(runtime) == 1
    assert await erase_old_texts(runtime) == 0

    async def key_is_gone() -> bool:
        keys = await runtime.db.fetch("select destroyed_at from log.person_keys where subject = $1", f"case-{case}")
        return [row[0] is not None for row in keys] == [True]

    await eventually(key_is_gone)
    state, _ = await runtime.commands.load(CASE, case)
    assert (state.description, state.result, state.text_erased) == ("", None, True)
    assert state.on_time is True
    assert (await desk.get(f"/cases/{case}")).json()["step"] == "closed"


# Lists.


async def test_the_list_is_paged_and_shows_what_was_just_written(desk: Desk, trade: Trade) -> None:
    for _ in range(3):
        await desk.report()
        trade.advance(seconds=1)
    last = await desk.post("/cases", BODY)
    fresh = {"Consistency-Token": last.headers["consistency-token"]}
    first = (await desk.get("/cases?limit=3", **fresh)).json()
    second = (await desk.get(f"/cases?limit=3&cursor={first['next']}")).json()
    listed = [it["case"] for page in (first, second) for it in page["items"]]
    assert listed[0] == last.json()["case"]
    assert len(set(listed)) == 4
    assert second["next"] is None
    assert "description" not in first["items"][0]
    assert "contact" not in first["items"][0]
    assert_problem(await desk.get("/cases?step=lost"), 422, "invalid-input")
    assert_problem(await desk.get("/cases?cursor=x"), 422, "cursor-malformed")


async def test_duties_and_loads_are_public(desk: Desk) -> None:
    duties = (await desk.get("/duties?limit=1")).json()
    rest = (await desk.get(f"/duties?cursor={duties['next']}")).json()
    assert [it["category"] for it in duties["items"] + rest["items"]] == ["business_licence_check", "neighbour_noise"]
    assert rest["items"][0]["deadline_minutes"] == 120
    case = await desk.dispatched()

    async def counted() -> bool:
        items = (await desk.get("/workers?grid=G1")).json()["items"]
        return {it["worker"]: it["open_cases"] for it in items} == {LI: 0, WANG: 0, LEADER: 0} | {case["worker"]: 1}

    await eventually(counted)
    assert (await desk.get("/workers?grid=G9")).json() == {"items": [], "next": None}


async def test_with_kafka_away_cases_are_taken_dispatched_and_shown(desk: Desk, runtime: Runtime) -> None:
    assert runtime.settings.kafka == NO_KAFKA
    assert (await desk.closed())["step"] == "closed"
