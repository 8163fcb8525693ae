"""Phones of workers, and the station where they call in: for tests of work in the field."""

from datetime import datetime, timedelta
from typing import Any

import httpx2
from contracts.common import Post
from edge.testing import token
from events.runtime import Runtime
from events.testing import eventually
from grid_tasks.domain.case import CASE
from grid_tasks.read_models.field_work import field_work

from .conftest import Trade
from .trade import INSTRUCTOR, LEADER, LI, WANG

BODY: dict[str, Any] = {
    "category": "neighbour_noise",
    "description": "楼上深夜装修",
    "place": {"longitude": 120.0945, "latitude": 30.8723},
}
RESULT = {"result": "已上门劝阻"}
POSTS = {LI: Post.GRID_WORKER, WANG: Post.GRID_WORKER, LEADER: Post.GRID_LEADER, INSTRUCTOR: Post.GRID_INSTRUCTOR}


class Phone:
    """A phone of somebody: it carries cases, and brings what was done with it. Its clock is off by so much."""

    def __init__(self, http: httpx2.AsyncClient, who: str, trade: Trade, off: timedelta = timedelta()) -> None:
        self.http, self.who, self.trade, self.off = http, who, trade, off
        self.since: str | None = None
        self.carries: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, int] = {}
        self._count = 0

    def clock(self) -> datetime:
        return self.trade() + self.off

    def did(self, do: str, thing: str | None = None, body: Any = None, **more: Any) -> dict[str, Any]:
        """A command that is made now."""
        self._count += 1
        made = {"id": f"{self.who}-{self._count}", "do": do, "thing": thing, "body": body}
        return made | {"at": self.clock().isoformat(), "seen": self.since} | more

    async def sync(self, *commands: dict[str, Any], since: str | None = "", **more: Any) -> dict[str, Any]:
        """One request; takes in what it is told."""
        answer = await self.post(*commands, since=since, **more)
        assert answer.status_code == 200, answer.text
        return self.take_in(answer.json())

    async def post(self, *commands: dict[str, Any], since: str | None = "", **more: Any) -> httpx2.Response:
        body = {
            "since": self.since if since == "" else since,
            "sent_at": self.clock().isoformat(),
            "commands": list(commands),
        }
        headers = {"Authorization": f"Bearer {token(self.who)}"}
        return await self.http.post("/sync", json=body | more, headers=headers)

    def take_in(self, told: dict[str, Any]) -> dict[str, Any]:
        if told["anew"]:
            self.carries, self.versions = {}, {}
        for it in told["changed"]:
            self.carries[it["case"]["case"]], self.versions[it["case"]["case"]] = it["case"], it["version"]
        for case in told["gone"]:
            self.carries.pop(case, None)
        self.since = told["next"]
        return told

    async def sync_all(self) -> None:
        while (await self.sync())["more"]:
            pass

    def open_cases(self) -> dict[str, dict[str, Any]]:
        return {case: it for case, it in self.carries.items() if it["closed_at"] is None}


class Station:
    """Where everybody calls in."""

    def __init__(self, http: httpx2.AsyncClient, runtime: Runtime, trade: Trade) -> None:
        self.http, self.runtime, self.trade = http, runtime, trade
        self._count = 0

    def phone(self, who: str, **more: Any) -> Phone:
        return Phone(self.http, who, self.trade, **more)

    async def post(self, path: str, body: Any = None, who: str | None = None, **headers: str) -> httpx2.Response:
        self._count += 1
        usual = {"Idempotency-Key": f"online-{self._count}", "If-Match": "*"}
        signed = {"Authorization": f"Bearer {token(who)}"} if who else {}
        return await self.http.post(path, json=body, headers=usual | signed | headers)

    async def get(self, path: str, who: str, **headers: str) -> httpx2.Response:
        return await self.http.get(path, headers={"Authorization": f"Bearer {token(who)}"} | headers)

    async def do(self, case: str, what: str, who: str | None, body: Any = None, **headers: str) -> dict[str, Any]:
        answer = await self.post(f"/cases/{case}/{what}", body, who, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def case_of(self, worker: str) -> str:
        """A case that this worker has."""
        case = (await self.post("/cases", BODY)).json()["case"]
        holder = await self.with_somebody(case)
        if holder != worker:
            await self.do(case, "dispatch", INSTRUCTOR, {"worker": worker, "why": "就近"})
        await self.settled()
        return case

    async def with_somebody(self, case: str) -> str:
        found: list[str] = []

        async def somebody_has_it() -> bool:
            state, _ = await self.runtime.commands.load(CASE, case)
            found[:] = [state.worker] if state.worker else []
            return bool(found)

        await eventually(somebody_has_it)
        return found[0]

    async def settled(self) -> None:
        """Until every phone can be told what is so now."""
        await self.runtime.commands.caught_up(field_work)
