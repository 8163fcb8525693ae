"""The whole system, real processes, for tests that cross service borders. Time runs fast: an hour in three seconds."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from local.day import Community, Day
from local.importing import import_folder
from local.ports import free_port
from local.services import REGISTRAR, SERVICES
from local.sinks import Sinks, sinks
from local.supervisor import Options, System
from rich.progress import Progress

COMMUNITY = Path(__file__).parents[2] / "examples" / "community"
MORNING = datetime(2026, 11, 23, 8, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass
class Town:
    """The running system with the sample community in it, and everybody in it."""

    system: System
    http: httpx2.AsyncClient
    sinks: Sinks
    day: Day
    community: Community
    random: Random

    def url(self, service: str, path: str) -> str:
        """An address at a service."""
        return self.system.urls[service] + path

    async def get(self, service: str, path: str, who: str | None = None, **headers: str) -> httpx2.Response:
        """Looks at something."""
        return await self.http.get(self.url(service, path), headers=self._as(who) | _names(headers))

    async def post(
        self, service: str, path: str, body: dict[str, Any], who: str | None = None, **headers: str
    ) -> httpx2.Response:
        """Does something."""
        headers = {"Idempotency-Key": secrets.token_hex(8)} | self._as(who) | _names(headers)
        return await self.http.post(self.url(service, path), json=body, headers=headers)

    async def report(self, category: str = "street_light_out", contact: str | None = None) -> dict[str, Any]:
        """A resident reports something at some address of the community."""
        longitude, latitude = self.random.choice(self.community.addresses)
        body: dict[str, Any] = {
            "category": category,
            "description": "路灯不亮 The street light is out",
            "place": {"longitude": longitude, "latitude": latitude},
        }
        answer = await self.post("grid_tasks", "/cases", body | ({"contact": contact} if contact else {}))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def dispatched(self, case: str) -> dict[str, Any]:
        """Waits until somebody has the case."""

        async def has_worker() -> dict[str, Any] | None:
            seen = (await self.get("grid_tasks", f"/cases/{case}")).json()
            return seen if seen["worker"] else None

        return await eventually(has_worker)

    async def step(
        self, case: str, step: str, who: str | None, body: dict[str, Any], **headers: str
    ) -> httpx2.Response:
        """Takes a case a step further."""
        seen = await self.get("grid_tasks", f"/cases/{case}", who)
        answer = await self.post(
            "grid_tasks", f"/cases/{case}/{step}", body, who, If_Match=seen.headers["ETag"], **headers
        )
        assert answer.status_code in (200, 201), f"{step}: {answer.text}"
        return answer

    async def close(self, case: str) -> dict[str, Any]:
        """Everybody does their part until the case is closed."""
        seen = await self.dispatched(case)
        await self.step(case, "start", seen["worker"], {})
        await self.step(case, "hand-in", seen["worker"], {"result": "已修好 Mended"})
        return (await self.step(case, "verify", self.community.leaders[seen["grid"]], {})).json() | seen

    def _as(self, who: str | None) -> dict[str, str]:
        if who is None:
            return {}
        return {"Authorization": f"Bearer {self.system.token(who)}"}


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


async def eventually(look: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
    """Polls until there is something to see; returns it."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (seen := await look()):
        assert asyncio.get_running_loop().time() < deadline, f"not seen within {seconds:g} s; last: {seen!r}"
        await asyncio.sleep(0.05)
    return seen


@pytest.fixture(scope="package")  # not as long as the session: what comes after has no need of it
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Town]:
    """Community X, up and running."""
    data = tmp_path_factory.mktemp("town")
    day = Day(MORNING, MORNING + timedelta(days=30), seconds=30 * 24 * 3.0)
    async with sinks() as receivers:
        environment = {"": day.environment, "notifications": receivers.environment}
        async with (
            System(Options(data, {name: free_port() for name in SERVICES}, environment)) as system,
            httpx2.AsyncClient(timeout=30) as http,
        ):
            with Progress(disable=True) as progress:
                token = system.token(REGISTRAR)
                imported = await import_folder(system.urls["registry"], COMMUNITY, token, progress)
            assert not [bad for it in imported for bad in it.bad]
            it = Town(system, http, receivers, day, Community.read(COMMUNITY), Random(11))  # noqa: S311

            async def knows_everything() -> bool:
                duties = (await it.get("grid_tasks", "/duties")).json().get("items", [])
                workers = (await it.get("grid_tasks", "/workers")).json().get("items", [])
                return len(duties) == 22 and len(workers) == 24  # workers and leaders

            await eventually(knows_everything)
            yield it
