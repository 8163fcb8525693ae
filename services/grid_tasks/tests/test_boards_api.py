"""Boards and indicators over HTTP: who sees what, and what is refused."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from contracts.common import Post
from edge.testing import client, in_post, told
from events.runtime import Runtime
from grid_tasks.service import application

from .conftest import Trade
from .test_api import POSTS, Desk, assert_problem
from .trade import GRID, LI

PERIOD = "from=2026-11-01&until=2026-11-30"


@pytest.fixture
async def desk(runtime: Runtime) -> AsyncGenerator[Desk]:
    await told(runtime.settings.database_url, *(in_post(who, post, GRID) for who, post in POSTS.items()))
    async with client(application, runtime) as http:
        yield Desk(http)


async def asked(desk: Desk, path: str, who: str | None = None, **headers: str) -> Any:
    answer = await desk.get(path, who, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_anybody_sees_how_much_is_open_and_how_much_is_late(desk: Desk, trade: Trade) -> None:
    await desk.dispatched()
    done = await desk.dispatched()
    await desk.do(done, "start", done["worker"])
    trade.advance(hours=3)
    token = (await _hand_in(desk, done)).headers["consistency-token"]
    board = await asked(desk, "/boards/open?by=step", **{"Consistency-Token": token})
    assert board["items"] == [
        {"key": "dispatched", "open": 1, "late": 1, "warned": 0, "urgent": 0},
        {"key": "handed_in", "open": 1, "late": 0, "warned": 0, "urgent": 0},
    ]
    assert (board["open"], board["late"]) == (2, 1)
    assert (await asked(desk, "/boards/open?by=age"))["items"][0]["key"] == "0-1"
    assert (await asked(desk, "/boards/open?by=grid&grid=elsewhere"))["items"] == []


async def _hand_in(desk: Desk, case: dict[str, Any]) -> Any:
    path = f"/cases/{case['case']}/hand-in"
    answer = await desk.post(path, {"result": "已劝阻"}, case["worker"], **{"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    return answer


async def test_indicators_come_with_what_they_are_made_of(desk: Desk, trade: Trade) -> None:
    late = await desk.dispatched()
    await desk.do(late, "start", late["worker"])
    trade.advance(hours=3)
    await _hand_in(desk, late)
    await desk.dispatched()
    trade.advance(hours=3)
    in_time = await desk.dispatched()
    await desk.do(in_time, "start", in_time["worker"])
    token = (await _hand_in(desk, in_time)).headers["consistency-token"]
    trade.advance(seconds=1)  # what happens at the very moment that is asked for does not count yet
    found = await asked(desk, f"/indicators?{PERIOD}&grid={GRID}", **{"Consistency-Token": token})
    by_code = {it["code"]: it for it in found["indicators"]}
    assert by_code["handling_in_time"] == {
        "code": "handling_in_time",
        "title": {"zh": "按期处置率", "en": "Handled in time"},
        "formula": {
            "zh": "按期处置数 ÷ （处置数 + 期末超期未处置数）",
            "en": "handed_in_in_time ÷ (handed_in + late_to_hand_in)",
        },
        "numerator": 1,
        "denominator": 3,
        "value": pytest.approx(1 / 3),
    }
    assert by_code["satisfaction"]["value"] is None
    assert {it["code"]: it["count"] for it in found["counts"]}["reported"] == 3
    definitions = await asked(desk, "/indicators/definitions")
    assert [it["code"] for it in definitions["indicators"]] == list(by_code)


async def test_flow_and_steps_are_told_for_a_period(desk: Desk) -> None:
    case = await desk.closed()
    token = await _anything(desk, case)
    [week] = (await asked(desk, "/boards/flow?from=2026-11-24&until=2026-11-24", **token))["items"]
    assert (week["week"], week["monday"], week["reported"], week["closed"]) == ("2026-W48", "2026-11-23", 1, 1)
    assert week["open_at_end"] == 0
    steps = (await asked(desk, f"/boards/steps?{PERIOD}"))["items"]
    assert [it["step"] for it in steps] == [
        "reported", "accepted", "dispatched", "started", "handed_in", "verified"
    ]  # fmt: skip


async def _anything(desk: Desk, case: dict[str, Any]) -> dict[str, str]:
    """Boards that are asked with these headers show all that was done with the case."""
    path, receipt = f"/cases/{case['case']}/rating", {"Receipt": case["receipt"], "If-Match": "*"}
    answer = await desk.post(path, {"rating": 5}, **receipt)
    assert answer.status_code == 200, answer.text
    return {"Consistency-Token": answer.headers["consistency-token"]}


@pytest.mark.parametrize(
    "period",
    ["from=2026-11-30&until=2026-11-01", "from=2025-01-01&until=2026-11-01", "from=0001-01-01&until=0001-01-02"],
)
@pytest.mark.parametrize("path", ["/boards/steps", "/boards/flow", "/indicators"])
async def test_a_period_ends_after_it_begins_and_within_a_year(desk: Desk, path: str, period: str) -> None:
    assert_problem(await desk.get(f"{path}?{period}"), 422, "not-a-period")


async def test_cases_are_found_by_days_that_there_are(desk: Desk) -> None:
    case = await desk.closed()
    token = await _anything(desk, case)
    for days, found in (("2026-11-24/2026-11-24", [case["case"]]), ("2026-11-25/2026-11-30", [])):
        for which in ("reported", "closed"):
            rows = (await asked(desk, f"/cases?{which}={days}", **token))["items"]
            assert [it["case"] for it in rows] == found
    for days in ("2026-11-31/2026-12-01", "2026-12-02/2026-12-01"):
        assert_problem(await desk.get(f"/cases?closed={days}"), 422, "not-a-period")
    assert_problem(await desk.get("/cases?closed=yesterday"), 422, "invalid-input")


async def test_where_cases_lie_is_for_who_may_read_them_there(desk: Desk, runtime: Runtime) -> None:
    await told(runtime.settings.database_url, in_post("elsewhere", Post.GRID_WORKER, "G2"))
    case = await desk.dispatched()
    public = await desk.get("/boards/places")
    assert public.headers["content-type"] == "application/geo+json"
    assert public.json() == {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "id": None, "geometry": None, "properties": {"grid": GRID, "open": 1, "late": 0}}
        ],
        "more": False,
    }
    [feature] = (await asked(desk, "/boards/places", LI))["features"]
    assert feature["id"] == case["case"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [120.0945, 30.8723]}
    assert (await asked(desk, "/boards/places", "elsewhere"))["features"] == []
    assert (await asked(desk, "/boards/places?bbox=121,30,122,31", LI))["features"] == []
    for wrong in ("1,2,3", "a,b,c,d", "nan,1,2,3"):
        assert_problem(await desk.get(f"/boards/places?bbox={wrong}", LI), 422, "invalid-input")
    for wrong in ("121,30,120,31", "1,2,3,1.2.3", "1,2,3,91"):
        assert_problem(await desk.get(f"/boards/places?bbox={wrong}", LI), 422, "not-a-box")
