"""A random sample becomes visits, where and when people are at home; what is found there is in the register again."""

from typing import Any

from local.services import REGISTRAR

from .conftest import eventually

GRID = "G1"
ALL_RIGHT = {"as_registered": True}
OTHER_PHONE = {"as_registered": False, "changes": {"phone": "13800000000"}}


async def drawn(town: Any, period: str, size: int) -> str:
    answer = await town.post("registry", f"/quality/grids/{GRID}/samples", {"period": period, "size": size}, REGISTRAR)
    assert answer.status_code == 201, answer.text
    return answer.json()["sample"]


async def visits_of(town: Any, sample: str, count: int) -> list[dict[str, Any]]:
    """Waits until each of the sample is to be visited by somebody."""

    async def all_of_them() -> list[dict[str, Any]]:
        page = await town.get("grid_tasks", f"/visits?grid={GRID}&limit=100", town.community.leaders[GRID])
        found = [it for it in page.json()["items"] if it["cause"] == sample and it["worker"]]
        return found if len(found) == count else []

    return await eventually(all_of_them)


async def says(town: Any, visit: dict[str, Any], answers: dict[str, Any]) -> None:
    body = {"form": "resident", "version": 1, "answers": answers}
    path = f"/visits/{visit['visit']}/done"
    answer = await town.post("grid_tasks", path, body, visit["worker"], If_Match="*")
    assert answer.status_code == 200, answer.text


async def test_who_was_drawn_is_visited_and_what_was_found_is_in_the_register(town: Any) -> None:
    sample = await drawn(town, "2026-11", 2)
    right, other = await visits_of(town, sample, 2)

    async def on_a_round() -> bool:
        shown = await town.get("grid_tasks", f"/rounds?worker={right['worker']}", right["worker"])
        planned = [knock["visit"] for stop in shown.json()["stops"] for knock in stop["knocks"]]
        return right["visit"] in sum(shown.json()["other_days"].values(), planned)

    await eventually(on_a_round)
    await says(town, right, ALL_RIGHT)
    await says(town, other, OTHER_PHONE)

    async def answered() -> bool:
        page = (await town.get("registry", "/quality/samples", REGISTRAR)).json()["items"]
        return [(it["answered"], it["right"]) for it in page if it["sample"] == sample] == [(2, 1)]

    async def proposed() -> bool:
        page = (await town.get("registry", "/disputes", REGISTRAR)).json()["items"]
        return [it["fields"] for it in page if it["id"] == other["thing"]] == [["phone"]]

    await eventually(answered)
    await eventually(proposed)
