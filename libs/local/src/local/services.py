"""The four services as child processes: what they are told, and when they are up."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx2

from local.ports import HOST, port_for
from local.processes import Child, start

SERVICES = ("registry", "grid_tasks", "assessment", "notifications")
PORTS = {"registry": 8001, "grid_tasks": 8002, "assessment": 8003, "notifications": 8004}
KEY_OWNERS = {"notifications": ("registry", "grid_tasks")}
"""Who reads personal data of others, and is given their keys."""
KEY_PURPOSES = {"notifications": "telling"}
FOUNDING = Path(__file__).parents[4] / "examples/founding"
REGISTRAR = "registrar-1"
"""Who keeps the registers of a community that was founded so."""
_SECONDS_TO_START = 120


class Service:
    """`python -m NAME`. `start` and `end` may be called again and again; the port stays."""

    def __init__(self, name: str, log: Path, port: int, environment: Callable[[], Mapping[str, str]]) -> None:
        """With port 0 it takes a free one. `environment` is asked at each start for what the service is told."""
        self.name = name
        self.port = 0
        self.child: Child | None = None
        self._log = log
        self._asked = port
        self._environment = environment

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://{HOST}:{self.port}"

    def environment(self) -> dict[str, str]:
        """All that it is told, this process's own environment left out."""
        return {
            "COMMONGRID_HTTP_HOST": HOST,
            "COMMONGRID_HTTP_PORT": str(self.port),
            "COMMONGRID_INSTANCE": f"{self.name}-0",
            **self._environment(),
        }

    def take_port(self) -> None:
        """Settles the port; raises PortTaken."""
        self.port = port_for(self.name, self.port or self._asked)

    async def migrate(self) -> None:
        """Brings its tables and topics up to date. Raises DiedAtStart."""
        child = await self._run("migrate")
        await child.succeed()

    async def found(self, folder: Path = FOUNDING) -> None:
        """Gives the registry its first power list and posts, unless it has them. Raises DiedAtStart."""
        child = await self._run("found", str(folder / "powers.json"), str(folder / "roster.csv"))
        await child.succeed()

    async def start(self) -> None:
        """Starts it, and returns when it can serve. Raises a Trouble that says what to do."""
        self.take_port()
        self.child = await self._run("all")
        async with httpx2.AsyncClient(base_url=self.url, timeout=5, trust_env=False) as http:
            await self.child.until(lambda: _ready(http), _SECONDS_TO_START)

    async def end(self, grace: float = 15) -> None:
        """Stops it in order."""
        if self.child:
            await self.child.end(grace)

    async def events(self, *arguments: str) -> tuple[int, str]:
        """Runs `python -m NAME events …`; its exit code, and what it wrote."""
        process = await asyncio.create_subprocess_exec(
            *self._command("events", *arguments),
            env=os.environ | self.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode(errors="replace")

    async def _run(self, *command: str) -> Child:
        environment = os.environ | {"PYTHONUNBUFFERED": "1"} | self.environment()
        return await start(self.name, self._command(*command), log=self._log, env=environment)

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", self.name, *arguments]


async def _ready(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).status_code == 200
    except httpx2.TransportError:
        return False
