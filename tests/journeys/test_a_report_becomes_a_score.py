"""The thread: a resident's report becomes a score on the public board, and everybody is told once."""

from typing import Any

from events.testing import eventually
from local.services import REGISTRAR


async def test_a_report_is_handled_verified_rated_and_counted(town: Any) -> None:
    reported = await town.report(contact="lan@example.org")
    case = reported["case"]

    seen = await town.dispatched(case)
    assert seen["worker"] in town.community.workers
    await town.step(case, "start", seen["worker"], {})
    await town.step(case, "hand-in", seen["worker"], {"result": "已换灯泡 New bulb"})
    await town.step(case, "verify", town.community.leaders[seen["grid"]], {})
    rated = await town.step(case, "rating", None, {"rating": 5}, Receipt=reported["receipt"])

    period = town.day.now().strftime("%Y-%m")
    token = rated.headers["Consistency-Token"]  # what was just written can be read in another service
    board = (await town.get("assessment", f"/board?period={period}", Consistency_Token=token)).json()
    row = next(row for row in board["scores"] if row["worker"] == seen["worker"])
    assert row["closed"] >= 1
    assert row["ratings"] >= 1
    assert (await town.get("assessment", f"/board.html?period={period}")).text.count(row["name"]) >= 1


async def test_each_is_told_once_by_their_channels(town: Any) -> None:
    reported = await town.report(contact="lan@example.org")
    await town.close(reported["case"])

    async def told() -> bool:
        page = (await town.get("notifications", f"/notifications?case={reported['case']}&limit=100", REGISTRAR)).json()
        states = [(it["occasion"], it["channel"], it["state"]) for it in page["items"]]
        return sorted(states) == [
            ("case_closed", "email", "delivered"),
            ("case_dispatched", "email", "delivered"),
            ("case_dispatched", "webhook", "delivered"),
        ]

    await eventually(told, 60)
    assert set(town.sinks.mails.values()) == {1}
    assert set(town.sinks.webhooks.values()) == {1}
    assert town.sinks.forged == 0


async def test_what_is_on_nobodys_list_is_refused_with_whose_it_is(town: Any) -> None:
    longitude, latitude = town.community.addresses[0]
    body = {
        "category": town.community.not_ours[0],
        "description": "请查",
        "place": {"longitude": longitude, "latitude": latitude},
    }
    answer = await town.post("grid_tasks", "/cases", body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"].endswith("/not-a-grid-duty")
    assert problem["department"]["zh"]


async def test_a_case_not_handled_in_time_is_escalated_and_its_leader_told(town: Any) -> None:
    reported = await town.report(category="elder_not_seen")  # within an hour, which passes in three seconds here
    case = reported["case"]

    async def escalated() -> bool:
        return bool((await town.get("grid_tasks", f"/cases/{case}")).json()["escalated"])

    await eventually(escalated, 60)

    async def leader_told() -> bool:
        page = (await town.get("notifications", f"/notifications?case={case}&limit=100", REGISTRAR)).json()
        return any(it["occasion"] == "case_escalated" and it["state"] == "delivered" for it in page["items"])

    await eventually(leader_told, 60)
    history = (await town.get("grid_tasks", f"/cases/{case}/history")).json()["items"]
    told = [it["step"] for it in history].count("escalated")
    assert 1 <= told <= 4, "once on each rung, of which there are four; hours pass in seconds here"


async def test_a_case_sent_back_is_done_again(town: Any) -> None:
    case = (await town.report())["case"]
    seen = await town.dispatched(case)
    leader = town.community.leaders[seen["grid"]]
    await town.step(case, "start", seen["worker"], {})
    await town.step(case, "hand-in", seen["worker"], {"result": "好了 Done"})
    await town.step(case, "send-back", leader, {"reason": "还是不亮 Still dark"})
    await town.step(case, "start", seen["worker"], {})
    await town.step(case, "hand-in", seen["worker"], {"result": "换了线路 New wiring"})
    closed = (await town.step(case, "verify", leader, {})).json()
    assert closed["step"] == "closed"
