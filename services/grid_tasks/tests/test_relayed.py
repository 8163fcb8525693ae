"""Reports that a hotline or another government's system passes on, by its own numbers."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest
from contracts.grid_tasks import CaseReported
from edge.testing import client, given, token, told
from events.runtime import Runtime
from grid_tasks.domain.case import CASE
from grid_tasks.service import application

from .test_api import BODY, Desk, assert_problem

HOTLINE, ANOTHER = "hotline_12345", "city_platform"


class Systems(Desk):
    """Other systems, each signed in by itself."""

    async def put(self, number: str, key: str, who: str = HOTLINE, **changes: Any) -> httpx2.Response:
        headers = self._as(who) | {"Idempotency-Key": key}
        return await self.http.put(f"/relayed/{number}", json=BODY | changes, headers=headers)

    def _as(self, who: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token(who, client_id=who)}"} if who else {}


@pytest.fixture
async def systems(runtime: Runtime) -> AsyncGenerator[Systems]:
    both = given("cases.relay", f"partner:{HOTLINE}", f"partner:{ANOTHER}")
    await told(runtime.settings.database_url, both)
    async with client(application, runtime) as http:
        yield Systems(http)


async def reports(runtime: Runtime, case: str) -> list[CaseReported]:
    return [it.data for it in await runtime.commands.history(CASE, case) if isinstance(it.data, CaseReported)]


async def test_a_number_is_one_case_however_often_it_is_sent(systems: Systems, runtime: Runtime) -> None:
    made = await systems.put("HZ-2026-1", "monday", through="hotline")
    assert made.status_code == 201, made.text
    case = made.json()["case"]
    assert made.headers["location"] == f"/cases/{case}"
    assert len(made.json()["receipt"]) >= 32
    repeated = await systems.put("HZ-2026-1", "monday", through="hotline")
    assert (repeated.status_code, repeated.json()) == (201, made.json())
    again = await systems.put("HZ-2026-1", "tuesday", description="又来电", through="hotline")
    assert (again.status_code, again.json()["case"], again.json()["receipt"]) == (200, case, None)
    assert again.headers["location"] == f"/cases/{case}"
    [report] = await reports(runtime, case)
    assert (report.reporter_kind, report.reporter) == ("hotline", HOTLINE)
    assert "HZ-2026-1" not in report.model_dump_json()
    found = await systems.get("/relayed/HZ-2026-1", HOTLINE)
    assert (found.status_code, found.json()["case"]) == (200, case)


async def test_the_same_number_of_another_system_is_another_case(systems: Systems, runtime: Runtime) -> None:
    one = (await systems.put("7", "key")).json()
    other = (await systems.put("7", "key", ANOTHER)).json()
    assert one["case"] != other["case"]
    [report] = await reports(runtime, other["case"])
    assert report.reporter_kind == "partner"


async def test_who_passes_nothing_on_is_refused_and_unknown_numbers_are_not_there(systems: Systems) -> None:
    assert_problem(await systems.put("7", "key", "shop"), 403, "not-allowed")
    assert_problem(await systems.get("/relayed/7", HOTLINE), 404, "not-found")
    assert_problem(await systems.put("7", "key", category="business_licence_check"), 422, "not-a-grid-duty")
