"""The registry at work on a real Postgres. It needs no Kafka for its own data (promise 11), so there is none here."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from contracts.common import Post
from edge.testing import client, founding, in_post, token, told
from events.migrate import migrate
from events.runtime import Runtime, open_runtime
from events.settings import Settings
from events.testing import RING
from local.testing import NewDatabase, database
from registry.service import application, registry

NO_KAFKA = "127.0.0.1:9"
EXAMPLES = Path(__file__).parents[3] / "examples"
COMMUNITY = EXAMPLES / "community"

FILES = {
    "grids": "grids.geojson",
    "addresses": "addresses.csv",
    "buildings": "buildings.csv",
    "households": "households.csv",
    "people": "people.csv",
    "units": "units.csv",
    "roster": "roster.csv",
    "duties": "duties.csv",
}


@pytest.fixture(scope="session")
async def set_up(postgres_server: str) -> AsyncGenerator[str]:
    """A database with everything that the registry needs in it, for others to begin as copies of it."""
    async with database(postgres_server, "registry") as url:
        await migrate(registry, Settings(url, NO_KAFKA, keys=RING))
        await told(url, *founding(), in_post("clerk", Post.REGISTRAR))
        yield url


@pytest.fixture
async def idle(new_database: NewDatabase, set_up: str) -> AsyncGenerator[Runtime]:
    """The service that only serves: its relay, projections and policies rest."""
    settings = Settings(await new_database(template=set_up), NO_KAFKA, keys=RING)
    async with open_runtime(registry, settings) as runtime:
        yield runtime


@asynccontextmanager
async def at_work(idle: Runtime) -> AsyncGenerator[None]:
    """Relay, projections and policies run meanwhile."""
    working = asyncio.create_task(idle.work())
    try:
        yield
    finally:
        working.cancel()
        await asyncio.wait([working])


@pytest.fixture
async def runtime(idle: Runtime) -> AsyncGenerator[Runtime]:
    """The service with its relay, projections and policies at work."""
    async with at_work(idle):
        yield idle


@pytest.fixture
async def http(runtime: Runtime) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client, signed in as the clerk who keeps the registers."""
    async with client(application, runtime, token("clerk")) as http:
        yield http


@pytest.fixture
async def anonymous(runtime: Runtime) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client that does not say who it is."""
    async with client(application, runtime) as http:
        yield http


@dataclass
class Answer:
    """What an import told, line by line."""

    lines: list[dict[str, Any]]

    @property
    def done(self) -> dict[str, int]:
        return self.lines[-1]["done"]

    @property
    def bad(self) -> list[tuple[int, str, str]]:
        """Line, field and reason of each bad row."""
        return [(it["line"], it["field"], it["error"]) for it in self.lines if "line" in it]


@dataclass
class Office:
    """A clerk who brings files and looks at the registers."""

    http: httpx2.AsyncClient
    token: str = ""

    async def brings(self, register: str, content: bytes | str | AsyncIterable[bytes], **query: str) -> Answer:
        """Imports a file."""
        body = content.encode() if isinstance(content, str) else content
        response = await self.http.put(f"/registers/{register}", content=body, params=query)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/x-ndjson"
        lines = [orjson.loads(line) for line in response.text.splitlines()]
        self.token = lines[-1].get("consistency_token") or self.token
        return Answer(lines)

    async def brings_all(self, folder: Path) -> dict[str, Answer]:
        """Imports a folder, in order."""
        return {register: await self.brings(register, (folder / file).read_bytes()) for register, file in FILES.items()}

    async def sees(self, path: str, **query: Any) -> Any:
        """What the registry shows of all that was brought."""
        headers = {"Consistency-Token": self.token} if self.token else {}
        response = await self.http.get(path, params=query, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    async def sees_all(self, path: str, **query: Any) -> list[Any]:
        """All pages of a list."""
        page = await self.sees(path, **query)
        items = page["items"]
        while page["next"]:
            page = await self.sees(path, **query, cursor=page["next"])
            items += page["items"]
        return items


@pytest.fixture
async def office(http: httpx2.AsyncClient) -> Office:
    """A clerk at work."""
    return Office(http)


@pytest.fixture
async def idle_office(idle: Runtime) -> AsyncGenerator[Office]:
    """A clerk at a service that only serves."""
    async with client(application, idle, token("clerk")) as http:
        yield Office(http)


def sample(file: str, rows: int) -> str:
    """The head of a sample file and its first rows."""
    return "\n".join((COMMUNITY / file).read_text(encoding="utf-8").splitlines()[: rows + 1])


def some_addresses() -> str:
    """The head of the sample's addresses, the buildings, the flats of the first two, and the first shop fronts."""
    head, *rows = (COMMUNITY / "addresses.csv").read_text(encoding="utf-8").splitlines()
    return "\n".join([head, *(row for row in rows if re.match(r"A\d\d,|A0[12]-|AF0[0-3]", row))])


@pytest.fixture
async def filled(office: Office) -> Office:
    """A clerk who has brought a part of the sample community."""
    await office.brings("grids", (COMMUNITY / "grids.geojson").read_bytes())
    await office.brings("addresses", some_addresses())
    for register in ("roster", "duties"):
        await office.brings(register, (COMMUNITY / f"{register}.csv").read_bytes())
    for register, rows in [("buildings", 20), ("households", 40), ("people", 80), ("units", 30)]:
        answer = await office.brings(register, sample(f"{register}.csv", rows))
        assert answer.done["registered"] == rows, answer.bad
    return office
