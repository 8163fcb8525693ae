"""Visits and rounds over HTTP: what is answered and refused, and who sees what. There is no Kafka here."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from contracts.common import Post
from edge.testing import client, in_post, told
from events.runtime import Runtime
from events.testing import eventually
from grid_tasks.read_models.visit_board import visit_board
from grid_tasks.service import application
from jsonschema import Draft202012Validator

from .conftest import Trade, each_table
from .doors import ALL_RIGHT, OTHER_PHONE, SATURDAY, TUESDAY, lives, site
from .field import Phone
from .roster import follow
from .test_api import Desk, assert_problem
from .trade import GRID, INSTRUCTOR, LEADER, LI, WANG

POSTS = {LI: Post.GRID_WORKER, WANG: Post.GRID_WORKER, LEADER: Post.GRID_LEADER, INSTRUCTOR: Post.GRID_INSTRUCTOR}


class Field(Desk):
    """Where workers plan and make visits."""

    async def planned(self, nth: int = 1, who: str = LEADER, **changes: Any) -> dict[str, Any]:
        """A visit to somebody in the nth building of the row; waits until somebody has it."""
        there = site(nth)
        body = {
            "of": "people",
            "thing": f"P-{nth}",
            "grid": GRID,
            "site": {"name": there.name, **there.place.model_dump()},
        }
        answer = await self.post("/visits", body | changes, who)
        assert answer.status_code == 201, answer.text
        seen: dict[str, Any] = {}

        async def somebody_has_it() -> bool:
            seen.update((await self.get(f"/visits/{answer.json()['visit']}", LEADER)).json())
            return seen["worker"] is not None

        await eventually(somebody_has_it)
        return seen

    async def record(self, visit: dict[str, Any], what: str, body: Any = None, who: str | None = None) -> Any:
        """Its worker says what came of it."""
        path = f"/visits/{visit['visit']}/{what}"
        return await self.post(path, body or {}, who or visit["worker"], **{"If-Match": "*"})

    async def round(self, who: str, **query: str) -> dict[str, Any]:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        answer = await self.get(f"/rounds?{asked}", who)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def field(runtime: Runtime) -> AsyncGenerator[Field]:
    elsewhere = in_post("sun", Post.GRID_WORKER, "G2")
    await told(runtime.settings.database_url, *(in_post(who, post, GRID) for who, post in POSTS.items()), elsewhere)
    async with client(application, runtime) as http:
        yield Field(http)


DONE = {"form": "resident", "version": 1, "answers": ALL_RIGHT}


async def test_a_visit_by_hand_is_given_to_a_worker_who_says_what_came_of_it(field: Field) -> None:
    visit = await field.planned()
    assert visit["worker"] in (LI, WANG)
    assert (visit["step"], visit["form"], visit["kind"], visit["tries"]) == ("open", "resident", "other", 0)
    other = next(it for it in (LI, WANG) if it != visit["worker"])
    assert_problem(await field.record(visit, "done", DONE, other), 403, "not-your-visit")
    answer = await field.record(visit, "done", DONE)
    assert (answer.status_code, answer.json()["step"]) == (200, "done")
    assert "answers" not in answer.json()
    assert_problem(await field.record(visit, "nobody-home"), 409, "visit-over")


async def test_answers_are_held_against_the_form_and_what_was_wrong_is_not_repeated(field: Field) -> None:
    visit = await field.planned()
    bad = {"as_registered": False, "changes": {"phone": "call me", "shoe_size": 43}}
    problem = assert_problem(await field.record(visit, "done", DONE | {"answers": bad}), 422, "not-by-the-form")
    assert {it["field"] for it in problem["errors"]} == {"answers.changes", "answers.changes.phone"}
    assert "call me" not in str(problem)
    for answers in ({}, {"as_registered": True, "changes": {"phone": "15496301248"}}, {"as_registered": False}):
        assert_problem(await field.record(visit, "done", DONE | {"answers": answers}), 422, "not-by-the-form")
    assert_problem(await field.record(visit, "done", DONE | {"version": 9}), 422, "not-by-the-form")
    talk = {"form": "talk", "version": 1, "answers": {"people_met": 3}}
    assert_problem(await field.record(visit, "done", talk), 422, "not-this-form")
    assert (await field.record(visit, "done", DONE | {"answers": OTHER_PHONE})).status_code == 200


async def test_each_form_is_json_schema_by_version_and_open_to_all(field: Field) -> None:
    forms = (await field.get("/visit-forms")).json()["items"]
    assert {(it["form"], it["version"]) for it in forms} >= {("resident", 1), ("unit", 1), ("talk", 1)}
    for it in forms:
        Draft202012Validator.check_schema(it["answers"])


async def test_nobody_home_plans_the_next_try_at_another_time_of_the_week(field: Field, trade: Trade) -> None:
    trade.advance(hours=10, minutes=30)  # half past seven in the evening
    visit = await field.planned()
    answer = await field.record(visit, "nobody-home", {"at": "2026-11-24T18:40:00+08:00"})
    assert (answer.json()["tries"], answer.json()["not_before"]) == (1, "2026-11-25")
    token = answer.headers["Consistency-Token"]
    headers = {"Consistency-Token": token}
    day = (await field.get(f"/rounds?day={SATURDAY}", visit["worker"], **headers)).json()
    assert [knock["visit"] for stop in day["stops"] for knock in stop["knocks"]] == [visit["visit"]]
    assert not any(day["other_days"].values()), "not on a workday evening again"


async def test_the_round_of_a_day_says_where_when_and_why_and_keeps_the_workers_own_order(field: Field) -> None:
    visits = [await field.planned(nth) for nth in (3, 1, 2, 4)]
    mine = {it["visit"]: it for it in visits if it["worker"] == LI}
    assert len(mine) == 2, "two each"

    async def shown() -> bool:
        day = await field.round(LI)
        return {knock["visit"] for stop in day["stops"] for knock in stop["knocks"]} == set(mine)

    await eventually(shown)
    day = await field.round(LI, day=TUESDAY.isoformat())
    first, second = day["stops"]
    assert first["knocks"][0]["at"] == "2026-11-24T18:00:00+08:00"
    assert first["place"]["longitude"] < second["place"]["longitude"]
    assert second["metres"] > 0
    assert "can be met 18:00–21:00" in first["knocks"][0]["why"]
    backwards = [second["knocks"][0]["visit"], first["knocks"][0]["visit"]]
    arranged = await field.post("/rounds", {"day": TUESDAY.isoformat(), "order": backwards}, LI)
    assert (arranged.status_code, arranged.json()["order"]) == (201, backwards)
    own = await field.round(LI)
    assert [knock["visit"] for stop in own["stops"] for knock in stop["knocks"]] == backwards
    assert await field.round(LEADER, worker=LI) == own, "the leader sees the same"
    moved = await field.record(mine[backwards[0]], "put-on", {"day": SATURDAY.isoformat(), "reason": "约好周六上午"})
    assert moved.json()["put_on"] == SATURDAY.isoformat()

    async def moved_away() -> bool:
        day = await field.round(LI, day=SATURDAY.isoformat())
        return [knock["visit"] for stop in day["stops"] for knock in stop["knocks"]] == backwards[:1]

    await eventually(moved_away)
    too_far = await field.get(f"/rounds?day={TUESDAY + timedelta(days=15)}", LI)
    assert_problem(too_far, 422, "not-a-day-to-come")


async def test_who_is_to_be_visited_is_for_those_who_look_after_the_grid(field: Field, runtime: Runtime) -> None:
    visit = await field.planned()
    assert_problem(await field.get(f"/visits/{visit['visit']}"), 401, "not-signed-in")
    assert_problem(await field.get(f"/visits/{visit['visit']}", "sun"), 404, "not-found")
    assert_problem(await field.post("/visits", {"of": "people", "thing": "P", "grid": GRID}, "sun"), 404, "not-found")
    await runtime.commands.caught_up(visit_board)
    assert (await field.get("/visits", "sun")).json()["items"] == []
    assert await field.round("sun", worker=visit["worker"]) | {"day": ""} == {
        "worker": visit["worker"],
        "day": "",
        "minutes": 0,
        "stops": [],
        "other_days": {},
        "unplanned": [],
    }
    (row,) = (await field.get(f"/visits?step=open&grid={GRID}", LEADER)).json()["items"]
    assert (row["visit"], row["thing"], row["worker"]) == (visit["visit"], "P-1", visit["worker"])


async def test_nobody_is_sent_to_who_asked_not_to_be_contacted(field: Field, runtime: Runtime) -> None:
    async with each_table(runtime) as db:
        await follow(db, lives("P-quiet", no_contact=True))
    answer = await field.post("/visits", {"of": "people", "thing": "P-quiet", "grid": GRID}, LEADER)
    assert_problem(answer, 422, "asked-not-to-be-contacted")


async def test_a_leader_gives_a_visit_to_another_and_cancels_it_with_a_reason(field: Field) -> None:
    visit = await field.planned()
    other = next(it for it in (LI, WANG) if it != visit["worker"])
    path, usual = f"/visits/{visit['visit']}", {"If-Match": "*"}
    refused = await field.post(f"{path}/assign", {"worker": "sun", "why": "顺路"}, LEADER, **usual)
    assert_problem(refused, 422, "not-in-post-here")
    given = await field.post(f"{path}/assign", {"worker": other, "why": "顺路"}, LEADER, **usual)
    assert given.json()["worker"] == other
    assert_problem(await field.post(f"{path}/assign", {"worker": LI, "why": "顺路"}, LI, **usual), 403, "not-allowed")
    over = await field.post(f"{path}/cancel", {"reason": "重复"}, LEADER, **usual)
    assert over.json()["step"] == "cancelled"


async def test_what_came_of_visits_and_a_patrol_is_brought_by_a_phone_that_had_no_network(
    field: Field, trade: Trade
) -> None:
    first, second = await field.planned(1), await field.planned(2)
    phone = Phone(field.http, first["worker"], trade, off=timedelta(hours=3))
    await phone.sync_all()
    commands = [
        phone.did("visit-nobody-home", first["visit"], {}),
        phone.did("patrol", body={"grid": GRID, "points": [{"point": "公园东门"}]}),
        phone.did("visit-done", second["visit"], {**DONE, "form": "hotel"}),
    ]
    at_the_door = trade()
    trade.advance(hours=2)
    told = await phone.sync(*commands)
    assert [it["became"] for it in told["commands"]] == ["done", "done", "refused"]
    assert told["commands"][0]["counts_at"] == at_the_door.isoformat().replace("+00:00", "Z")
    assert (await field.get(f"/visits/{first['visit']}", LEADER)).json()["tries"] == 1
    again = await phone.sync(commands[0])
    assert (again["commands"][0]["became"], again["commands"][0]["repeated"]) == ("done", True)

    await field.post(f"/visits/{second['visit']}/cancel", {"reason": "已搬走"}, LEADER, **{"If-Match": "*"})
    told = await phone.sync(phone.did("visit-done", second["visit"], DONE))
    conflict = told["commands"][0]
    assert (conflict["became"], conflict["now"]["step"]) == ("conflict", "cancelled")
    assert conflict["title"] == {"zh": "走访任务已结束", "en": "The visit is over"}
