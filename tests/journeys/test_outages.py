"""Kill any part: the others go on, and it catches up when it is back (promises 2, 4 and 11)."""

from typing import Any

import pytest
from events.testing import eventually
from local.services import REGISTRAR

pytestmark = pytest.mark.timeout(600)


async def closed_on_board(town: Any) -> int:
    """How many closed cases the board counts, over all workers."""
    board = (await town.get("assessment", f"/board?period={town.day.now():%Y-%m}")).json()
    return sum(row["closed"] for row in board["scores"])


async def closed_cases(town: Any) -> int:
    """How many cases are closed, by grid_tasks itself, from its list."""
    count, cursor = 0, ""
    while cursor is not None:
        page = (await town.get("grid_tasks", f"/cases?step=closed&limit=100{cursor and '&cursor=' + cursor}")).json()
        count, cursor = count + len(page["items"]), page["next"]
    return count


@pytest.mark.parametrize("victim", ["assessment", "notifications", "registry"])
async def test_a_killed_service_catches_up_and_nobody_else_notices(town: Any, victim: str) -> None:
    await town.system.kill(victim)
    reported = await town.report(contact="lan@example.org")
    await town.close(reported["case"])  # registry, notifications and assessment may be away: a case can be closed
    await town.system.start(victim)

    async def board_is_right() -> bool:
        return await closed_on_board(town) == await closed_cases(town)

    async def everybody_told() -> bool:
        page = (await town.get("notifications", f"/notifications?case={reported['case']}&limit=100", REGISTRAR)).json()
        return len(page["items"]) == 3 and all(it["state"] == "delivered" for it in page["items"])

    await eventually(board_is_right, 90)
    await eventually(everybody_told, 90)
    assert set(town.sinks.mails.values()) == {1}


async def test_a_killed_dispatcher_goes_on_where_it_was(town: Any) -> None:
    reported = await town.report()
    await town.system.kill("grid_tasks")  # it may or may not have dispatched by now
    assert (await town.get("registry", "/counts")).status_code == 200
    await town.system.start("grid_tasks")
    closed = await town.close(reported["case"])
    assert closed["step"] == "closed" or closed["worker"]


async def test_without_kafka_every_service_takes_commands_and_shows_its_own_data(town: Any) -> None:
    await town.system.kill("kafka")
    try:
        reported = await town.report(contact="lan@example.org")
        await town.close(reported["case"])  # report, dispatch, hand-in, verify: all of it in grid_tasks' own store
        page = (await town.get("grid_tasks", "/cases?step=closed&limit=100")).json()
        assert page["items"]
        assert (await town.get("registry", "/counts")).json()["people"]
        assert (await town.get("assessment", "/board")).status_code == 200
        assert (await town.get("notifications", "/notifications", REGISTRAR)).status_code == 200
        for service in town.system.urls:
            assert (await town.get(service, "/readyz")).status_code == 200
    finally:
        await town.system.start("kafka")

    async def board_is_right() -> bool:
        return await closed_on_board(town) == await closed_cases(town)

    await eventually(board_is_right, 120)


async def test_nothing_is_missing_in_the_end(town: Any) -> None:
    for service in town.system.urls:

        async def nothing_missing(service: str = service) -> bool:
            code, said = await town.system.events(service, "verify", "--deep")
            assert code == 0, said
            return True

        await eventually(nothing_missing, 90)
