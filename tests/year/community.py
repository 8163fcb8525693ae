"""The sample community with registry and grid_tasks at work in it, on real Postgres and Kafka, and a clock that is
moved by hand: as far as the next thing that somebody does, never past a moment at which a rule has something to do."""

import asyncio
import csv
import io
import json
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx2
from edge.testing import client, token
from events import lag
from events.kafka import TopicReader
from events.progress import RELAY
from events.runtime import Runtime
from events.testing import running
from grid_tasks.service import application as tasks_application
from grid_tasks.service import grid_tasks
from grid_tasks.waiting import give_what_waits
from local.testing import NewDatabase
from registry.importing.founding import found
from registry.service import application as registry_application
from registry.service import registry

from .own_calendar import BEIJING

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMUNITY = EXAMPLES / "community"
REGISTRAR = "registrar-1"
OFFICER = "officer-1"
Row = dict[str, str]


@dataclass
class Clock:
    """The trade's time."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Member:
    """Somebody in post."""

    post: str
    grid: str
    leave: tuple[date, date] | None = None

    def there(self, day: date) -> bool:
        """Whether they are not on leave."""
        return self.leave is None or not self.leave[0] <= day <= self.leave[1]


def _member(row: Row) -> Member:
    since, until = (row.get(it, "") for it in ("on_leave_since", "on_leave_until"))
    leave = (date.fromisoformat(since), date.fromisoformat(until)) if since and until else None
    return Member(row["post"], row["grid_code"], leave)


@dataclass
class Community:
    """Both services, and what everybody knows of who is where."""

    clock: Clock
    registry: Runtime
    tasks: Runtime
    tasks_at_work: AbstractAsyncContextManager[Runtime]
    reader: TopicReader
    team: dict[str, Member] = field(default_factory=dict[str, Member])
    roster: dict[str, Row] = field(default_factory=dict[str, Row])
    away: list[tuple[datetime, datetime]] = field(default_factory=list[tuple[datetime, datetime]])
    """When no process of grid_tasks was at work."""
    looked: date = date.min
    """On which day was last looked for what waits."""

    async def ask(
        self, method: str, path: str, body: Any = None, who: str | None = None, **headers: str
    ) -> httpx2.Response:
        """A request to grid_tasks."""
        usual = {"Idempotency-Key": secrets.token_hex(8), "If-Match": "*"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.tasks_http.request(method, path, json=body, headers=usual | _signed(who) | named)

    async def register(self, register: str, content: str, kind: str, **query: str) -> None:
        """A file for a register, all of which must be taken."""
        path = f"/registers/{register}?" + "&".join(f"{name}={value}" for name, value in query.items())
        headers = {"Content-Type": kind} | _signed(REGISTRAR)
        answer = await self.registry_http.put(path, content=content, headers=headers)
        assert answer.status_code == 200, answer.text
        lines = [json.loads(line) for line in answer.text.splitlines() if line.strip()]
        assert not [line for line in lines if "line" in line], answer.text
        assert "done" in lines[-1], answer.text

    async def appoint(self, *rows: Row) -> None:
        """People come to their posts, or change them."""
        for row in rows:
            self.roster[row["member_ref"]] = row
            self.team[row["member_ref"]] = _member(row)
        await self.register("roster", as_csv(rows), "text/csv")
        await self.hear()

    async def dismiss(self, member: str) -> None:
        """Somebody leaves."""
        del self.team[member]
        headers = {"Idempotency-Key": secrets.token_hex(8), "If-Match": "*"} | _signed(OFFICER)
        answer = await self.registry_http.post(f"/members/{member}/dismissal", headers=headers)
        assert answer.status_code == 200, answer.text
        await self.hear()

    def __post_init__(self) -> None:
        self.looked = self.clock().astimezone(BEIJING).date()
        self.registry_http = client(registry_application, self.registry)
        self.tasks_http = client(tasks_application, self.tasks)

    def those(self, grid: str, *posts: str) -> list[str]:
        """Who is in one of these posts in a grid."""
        return [it for it, who in self.team.items() if who.grid == grid and who.post in posts]

    def handling(self, grid: str, body: str) -> list[str]:
        """Who may have a case of this grid, or of this department."""
        if body:
            return [it for it, who in self.team.items() if who.post == "department_liaison"]
        return self.those(grid, "grid_worker", "grid_leader")

    async def stop_tasks(self) -> None:
        """No process of grid_tasks works any more."""
        await self.tasks_at_work.__aexit__(None, None, None)
        self.away.append((self.clock(), datetime.max.replace(tzinfo=self.clock().tzinfo)))

    async def start_tasks(self, process: AbstractAsyncContextManager[Runtime]) -> None:
        """One does again."""
        self.away[-1] = (self.away[-1][0], self.clock())
        self.tasks_at_work = process
        self.tasks = await process.__aenter__()
        self.tasks_http = client(tasks_application, self.tasks)
        await self.hear()

    @property
    def tasks_away(self) -> bool:
        return bool(self.away) and self.away[-1][1].year == datetime.max.year

    async def until(self, moment: datetime) -> None:
        """Time goes by, and at each moment that a rule waits for, the rule has done what it had to."""
        while not self.tasks_away and (due := await self._next_rule()) <= moment:
            self.clock.now = max(self.clock.now, due)
            await self.settle()
            if self.clock().astimezone(BEIJING).date() > self.looked:
                await self.look_for_what_waits()
        self.clock.now = max(self.clock.now, moment)

    async def _next_rule(self) -> datetime:
        tomorrow = datetime.combine(self.looked + timedelta(days=1), time(), BEIJING)
        timer = await self.tasks.db.fetchval("select min(due) from log.timers where claimed_until < 'infinity'")
        return min(timer or tomorrow, tomorrow)

    async def look_for_what_waits(self) -> None:
        """What the service does every hour: here on each new day, as leaves end by days."""
        self.looked = self.clock().astimezone(BEIJING).date()
        while await give_what_waits(self.tasks):
            await self.settle()

    async def settle(self, seconds: float = 120) -> None:
        """Returns when grid_tasks has done what followed from all that has happened in it."""
        if not self.tasks_away:
            await _until_none(self._in_tasks, seconds)

    async def hear(self, seconds: float = 120) -> None:
        """The same, when it has also heard what happened in the registry."""
        await _until_none(self._in_registry, seconds)
        if not self.tasks_away:
            await _until_none(self._on_the_way, seconds)
            await self.settle(seconds)

    async def _in_registry(self) -> list[str]:
        return _names(await lag.own_lag(self.registry.db, lag.own_consumers(registry)))

    async def _on_the_way(self) -> list[str]:
        foreign = lag.foreign_consumers(grid_tasks, self.tasks.settings.topic_prefix)
        return _names(await lag.topic_lag(self.tasks.db, self.reader, foreign))

    async def _in_tasks(self) -> list[str]:
        """Timers first: what one has done is in the store before it is gone."""
        due = "select count(*) from log.timers where due <= $1 and claimed_until < 'infinity'"
        if await self.tasks.db.fetchval(due, self.clock()):
            return ["timers"]
        own = [it for it in lag.own_consumers(grid_tasks) if it != RELAY]
        return _names(await lag.own_lag(self.tasks.db, own))


def _names(lags: Iterable[lag.Lag]) -> list[str]:
    return [f"{it.consumer} {it.source}" for it in lags if it.events]


async def _until_none(waiting: Callable[[], Awaitable[list[str]]], seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while found := await waiting():
        assert asyncio.get_running_loop().time() < deadline, found
        await asyncio.sleep(0.005)


@asynccontextmanager
async def living(
    new_database: NewDatabase, kafka: str, prefix: str, start: datetime, duties: Mapping[str, Row]
) -> AsyncGenerator[Community]:
    """The sample community on its first day; of these duties of its list some things are otherwise."""
    clock = Clock(start)
    async with AsyncExitStack() as stack:
        registry_at_work = running(registry, await new_database("registry"), kafka, prefix, clock)
        runtime = await stack.enter_async_context(registry_at_work)
        await found(runtime.commands, EXAMPLES / "founding/powers.json", EXAMPLES / "founding/roster.csv")
        process = running(grid_tasks, await new_database("grid_tasks"), kafka, prefix, clock)
        tasks = await process.__aenter__()
        foreign = lag.foreign_consumers(grid_tasks, prefix)
        reader = await stack.enter_async_context(lag.watching(tasks.settings, foreign))
        community = Community(clock, runtime, tasks, process, reader)
        await community.hear()
        grids = (COMMUNITY / "grids.geojson").read_text(encoding="utf-8")
        await community.register("grids", grids, "application/geo+json")
        await community.register("addresses", (COMMUNITY / "addresses.csv").read_text(encoding="utf-8"), "text/csv")
        listed = [it | duties.get(it["category"], {}) for it in rows_of("duties.csv")]
        await community.register("duties", as_csv(listed), "text/csv")
        await community.appoint(*rows_of("roster.csv"))
        try:
            yield community
        finally:
            if not community.tasks_away:
                await community.tasks_at_work.__aexit__(None, None, None)


def _signed(who: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(who)}"} if who else {}


def rows_of(name: str) -> list[Row]:
    """A file of the sample community."""
    with (COMMUNITY / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def as_csv(rows: Iterable[Row]) -> str:
    """Rows as a file; a column that some lack is empty there."""
    listed = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in listed for name in row)), restval="")
    writer.writeheader()
    writer.writerows(listed)
    return out.getvalue()
