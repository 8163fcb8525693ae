"""The whole system, made to be harmed: a PostgreSQL for each service, Kafka, and several copies of every service.

Each copy has a way of its own to its database, which can be cut, stalled and slowed. Nothing is started again by
itself: who does harm heals it, and a process that ends by itself is a finding.
"""

import asyncio
import csv
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import backups
import httpx2
import psutil
from disk import SmallDisk, small_disk
from edge.simulation import Simulation, trade_time
from events.testing import eventually
from local import rings, tokens
from local.errors import MissingPart
from local.importing import import_folder
from local.issuer import LocalIssuer
from local.kafka import Kafka
from local.kafka_cluster import KafkaCluster
from local.ports import HOST, free_port
from local.postgres import Postgres
from local.processes import Child
from local.services import REGISTRAR, SERVICES, Service
from local.sinks import Sinks, sinks
from local.supervisor import RATE
from notes import Notes
from proxy import Proxy
from rich.progress import Progress

COPIES = "ab"
PREFIX = "commongrid"
COMMUNITY = Path(__file__).parents[2] / "examples" / "community"
CHINA_EVENING = datetime.fromisoformat("2026-11-29T18:00:00+08:00")
BASE, DUMP, KEYS = "base", "dump", "keys"
DISK = 512
"""Mebibytes that the last node of Kafka has."""
SPEED = 600.0
"""Seconds of the trade in one real second: the shortest deadline passes in six, the first month in three minutes."""
BEFOREHAND = ("grids.geojson", "duties.csv", "roster.csv")
"""What the registry is told before the first round; the rest of the community is what its clients register."""


@dataclass
class Part:
    """Something that can be harmed, by one harm at a time."""

    name: str
    in_hand: asyncio.Lock = field(default_factory=asyncio.Lock)


class Door:
    """The way of commands to a service; an operator who has to take it away closes the door before, and waits until
    nobody is inside."""

    def __init__(self) -> None:
        self._moved = asyncio.Condition()
        self._open = True
        self._inside = 0

    @asynccontextmanager
    async def through(self) -> AsyncGenerator[None]:
        """Comes in when the door is open, and goes out at the end."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._open)
            self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            async with self._moved:
                self._moved.notify_all()

    @asynccontextmanager
    async def closed(self) -> AsyncGenerator[None]:
        """Nobody is inside."""
        self._open = False
        try:
            async with self._moved:
                await self._moved.wait_for(lambda: not self._inside)
            yield
        finally:
            self._open = True
            async with self._moved:
                self._moved.notify_all()


@dataclass
class Database(Part):
    """A service's own PostgreSQL."""

    server: Postgres = field(kw_only=True)
    service: str = field(kw_only=True)

    @property
    def url(self) -> str:
        """Straight to the service's database."""
        return self.server.url(self.service)

    async def kill(self) -> None:
        """SIGKILL for the server and all its sessions, as when the machine is gone."""
        if child := self.server.child:
            postmaster = psutil.Process(child.identity.pid)
            for process in (postmaster, *postmaster.children(recursive=True)):
                _signalled(process.pid, signal.SIGKILL)
            await child.wait()

    async def stop_at_once(self) -> None:
        """`pg_ctl stop -m immediate`."""
        if child := self.server.child:
            _signalled(child.identity.pid, signal.SIGQUIT)
            await child.wait()


@dataclass
class Broker(Part):
    """A node of Kafka."""

    server: Kafka = field(kw_only=True)
    way: Proxy = field(kw_only=True)
    """From the services to it; brokers, and who looks from outside, go straight."""

    async def kill(self) -> None:
        """SIGKILL."""
        if child := self.server.child:
            child.kill()
            await child.wait()


@dataclass
class Copy(Part):
    """One of several processes of a service."""

    service: Service = field(kw_only=True)
    way: Proxy = field(kw_only=True)
    """To its database."""

    @property
    def child(self) -> Child:
        """Its process, the last one if it has ended."""
        if self.service.child is None:
            raise LookupError(f"{self.name} was never started")
        return self.service.child

    async def kill(self) -> None:
        """SIGKILL."""
        self.child.kill()
        await self.child.wait()

    def freeze(self) -> None:
        """SIGSTOP: it will not know that time has passed."""
        _signalled(self.child.identity.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        _signalled(self.child.identity.pid, signal.SIGCONT)


def _signalled(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it was faster
        os.kill(pid, number)


class Town:
    """Everything, running, for the time of an `async with` block in the main thread."""

    def __init__(self, data: Path, services: Sequence[str] = SERVICES, brokers: int = 3) -> None:
        self.data = data.absolute()
        self.logs = self.data / "logs"
        self.sinks = Sinks()
        self.notes = Notes()
        self.simulation = Simulation(
            start=CHINA_EVENING,
            anchor=datetime.now(UTC).timestamp(),
            speed=SPEED,
            until=CHINA_EVENING.replace(year=2036),
        )
        self.databases = {name: self._database(name) for name in services}
        ports = {node: free_port() for node in range(1, brokers + 1)}
        ways = {node: Proxy(HOST, port) for node, port in ports.items()}
        self.kafka = KafkaCluster(
            self.data / "kafka",
            self.logs,
            brokers=brokers,
            ports=ports,
            advertised={node: way.port for node, way in ways.items()},
            data={brokers: self.data / "disk" / "log"},
        )
        self.issuer = LocalIssuer(self.data / "keys", self.logs / "issuer.log")
        self.disk: SmallDisk | None = None
        """That of the last node; none where disks may not be mounted."""
        self.brokers = [
            Broker(f"kafka {node}", server=server, way=ways[node]) for node, server in self.kafka.nodes.items()
        ]
        self.doors = {name: Door() for name in services}
        self.read_models = {name: Part(f"read models of {name}") for name in services}
        self.copies: dict[str, Copy] = {}
        self._told: dict[str, dict[str, str]] = {}
        self._services = services
        self._stack = AsyncExitStack()

    def of(self, service: str) -> list[Copy]:
        """The copies of a service."""
        return [copy for copy in self.copies.values() if copy.service.name == service]

    def backup(self, service: str, how: str) -> Path:
        """Where the newest backup of a service's database is, if there is one."""
        return self.data / "backups" / f"{service}.{how}"

    async def back_up(self, service: str) -> None:
        """Backs its database up, both ways, unless it is."""
        base, file, server = self.backup(service, BASE), self.backup(service, DUMP), self.databases[service].server
        if not base.exists():
            base.parent.mkdir(exist_ok=True)
            await backups.base_backup(server, base)
            await backups.dump(server, service, file)

    def now(self) -> datetime:
        """The trade's time."""
        return trade_time(self.simulation, datetime.now(UTC))

    def token(self, member: str) -> str:
        """A bearer token for a member."""
        return tokens.token(self.data / "keys", member)

    def tell(self, copy: Copy, environment: Mapping[str, str]) -> None:
        """What this copy is told besides the usual, from its next start on."""
        self._told[copy.name] = dict(environment)

    def ended(self) -> list[str]:
        """Who has ended, and where their logs are."""
        children = [copy.child for copy in self.copies.values()]
        children += [child for it in self.databases.values() if (child := it.server.child)]
        children += [child for it in self.brokers if (child := it.server.child)]
        return [f"{child.name} has ended: {child.log}" for child in children if not child.alive]

    async def __aenter__(self) -> Self:
        """Starts everything and tells the registry what everybody has to know."""
        try:
            self.sinks = await self._stack.enter_async_context(sinks())
            with suppress(MissingPart):
                self.disk = self._stack.enter_context(small_disk(self.data / "disk", DISK))
            self._stack.push_async_callback(self._end_servers)
            await self.issuer.start()
            for broker in self.brokers:
                await self._stack.enter_async_context(broker.way)
            await asyncio.gather(self.kafka.start(), *(it.server.start() for it in self.databases.values()))
            for name, database in self.databases.items():
                await database.server.ensure(name)
                for letter in COPIES:
                    copy = await self._copy(name, letter)
                    self.copies[copy.name] = copy
            self._stack.push_async_callback(self._end_copies)
            await asyncio.gather(*(self.of(name)[0].service.migrate() for name in self._services))
            if "registry" in self.databases:
                await self.of("registry")[0].service.found()
            await asyncio.gather(*(copy.service.start() for copy in self.copies.values()))
            await self._import()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends everything."""
        await self._stack.aclose()

    def _database(self, name: str) -> Database:
        server = Postgres(self.data / "postgres" / name, self.logs / f"postgres-{name}.log")
        return Database(f"postgres of {name}", server=server, service=name)

    async def _copy(self, name: str, letter: str) -> Copy:
        copy_name = f"{name}-{letter}"
        database = self.databases[name]
        way = await self._stack.enter_async_context(Proxy(HOST, database.server.port))

        def environment() -> dict[str, str]:
            place = urlsplit(database.url)
            url = place._replace(netloc=place.netloc.replace(f":{place.port}", f":{way.port}")).geturl()
            return {
                "COMMONGRID_DATABASE_URL": url,
                "COMMONGRID_KAFKA": self.kafka.bootstrap,
                "COMMONGRID_TOPIC_REPLICAS": str(min(len(self.brokers), 3)),
                "COMMONGRID_TOPIC_PREFIX": PREFIX,
                "COMMONGRID_LOCAL": "true",
                "COMMONGRID_ISSUER": self.issuer.address,
                "COMMONGRID_RATE_READS": RATE,
                "COMMONGRID_RATE_WRITES": RATE,
                "COMMONGRID_CLOCK": self.simulation.model_dump_json(),
                **rings.environment(
                    self.data / "keys", name, {it: self.of(it)[0].service.url for it in self.databases}
                ),
                # One copy has a lasting place in its consumer groups, the other comes and goes.
                "COMMONGRID_INSTANCE": copy_name if letter == COPIES[0] else "",
                **(self.sinks.environment if name == "notifications" else {}),
                **self._told.get(copy_name, {}),
            }

        service = Service(name, self.logs / f"{copy_name}.log", 0, environment)
        service.take_port()
        return Copy(copy_name, service=service, way=way)

    async def _import(self) -> None:
        folder = self.data / "beforehand"
        folder.mkdir(exist_ok=True)
        for name in BEFOREHAND:
            (folder / name).write_bytes((COMMUNITY / name).read_bytes())
        url, token = self.of("registry")[0].service.url, self.token(REGISTRAR)
        with Progress(disable=True) as progress:
            await import_folder(url, folder, token, progress)
        if "grid_tasks" in self.databases:
            async with httpx2.AsyncClient(base_url=self.of("grid_tasks")[0].service.url, trust_env=False) as http:
                await eventually(lambda: _knows_everything(http), 120)

    async def _end_copies(self) -> None:
        for copy in self.copies.values():
            if copy.service.child:
                copy.thaw()
        await asyncio.gather(*(copy.service.end() for copy in self.copies.values()))

    async def _end_servers(self) -> None:
        await asyncio.gather(self.issuer.end(), self.kafka.end(), *(it.server.end() for it in self.databases.values()))


async def _knows_everything(http: httpx2.AsyncClient) -> bool:
    duties = (await http.get("/duties?limit=100")).json().get("items", [])
    workers = (await http.get("/workers?limit=100")).json().get("items", [])
    handling = [row for row in rows("roster.csv") if row["post"] in ("grid_worker", "grid_leader")]
    return len(duties) == len(rows("duties.csv")) and len(workers) == len(handling)


def rows(name: str) -> list[dict[str, str]]:
    """A file of the sample community."""
    with (COMMUNITY / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


__all__ = ["BASE", "DUMP", "PREFIX", "Copy", "Part", "Town", "rows"]
