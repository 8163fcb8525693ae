"""The whole system on one machine: PostgreSQL, Kafka, who issues tokens, and the services, started in order, watched,
and ended in order.

    async with System(Options(data=folder)) as system:
        system.urls["registry"]

A part that dies is started again, with backoff; one that was killed or stopped through the System stays down until it
is started. One System at a time holds a data folder; what a killed one left there is ended before anything starts.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from local import rings, state, tokens
from local.errors import AlreadyRunning, Trouble
from local.issuer import LocalIssuer
from local.kafka import Kafka
from local.locking import Held, held
from local.ports import HOST
from local.postgres import Postgres
from local.processes import Child, Identity, how
from local.services import SERVICES, Service

_SHORTEST_WAIT, _LONGEST_WAIT = 0.5, 30.0
RATE = "6000000/90000"
"""How often each caller may ask here, where a few play the whole community: so many a minute, so many at once."""
_STEADY = 60.0
"""Seconds after which a part counts as well again."""


class Part(Protocol):
    """A server or a service."""

    name: str
    port: int
    child: Child | None

    async def start(self) -> None:
        """Starts it, and returns when it answers."""
        ...

    async def end(self, grace: float = ...) -> None:
        """Stops it in order."""
        ...


@dataclass(frozen=True)
class Options:
    """What may be chosen."""

    data: Path
    """The folder for everything that is kept: data, logs, keys."""
    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    """By part; 0, or nothing, finds a free one."""
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """What a service is told besides the usual, by service; under "" what all are told. Asked at each start."""
    services: Sequence[str] = SERVICES
    """Modules: each is run as `python -m NAME`."""
    topic_prefix: str = "commongrid"
    anew: bool = False
    """Begins with nothing: what the databases and topics in the folder hold is removed first."""
    say: Callable[[str], None] = lambda _: None
    """Takes one sentence at a time for whoever watches."""


class System:
    """Everything, running, for the time of an `async with` block in the main thread."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.data = options.data.absolute()
        logs = self.data / "logs"
        ports = options.ports
        self._postgres = Postgres(self.data / "postgres", logs / "postgres.log", ports.get("postgres", 0))
        self._kafka = Kafka(self.data / "kafka", logs / "kafka.log", ports.get("kafka", 0), say=options.say)
        self._issuer = LocalIssuer(self.data / "keys", logs / "issuer.log", ports.get("issuer", 0))
        self._services = {
            name: Service(name, logs / f"{name}.log", ports.get(name, 0), self._teller(name))
            for name in options.services
        }
        self._parts: dict[str, Part] = {
            "postgres": self._postgres,
            "kafka": self._kafka,
            "issuer": self._issuer,
            **self._services,
        }
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._stack = AsyncExitStack()

    @property
    def urls(self) -> dict[str, str]:
        """Where each service's API is."""
        return {name: service.url for name, service in self._services.items()}

    @property
    def kafka(self) -> str:
        """host:port"""
        return self._kafka.bootstrap

    @property
    def issuer(self) -> str:
        """Who issues tokens, as they say themselves."""
        return self._issuer.address

    def database_url(self, name: str) -> str:
        """The URL of a service's database, as its owner; "postgres" for the administrator's."""
        return self._postgres.url(name)

    def token(self, member: str) -> str:
        """A bearer token for this member of the roster."""
        return tokens.token(self.data / "keys", member)

    async def events(self, service: str, *arguments: str) -> tuple[int, str]:
        """Runs an operator's command of a service; its exit code, and what it wrote."""
        return await self._services[service].events(*arguments)

    def pid(self, name: str) -> int:
        """The number of a part's process: what a fault run kills behind our back."""
        child = self._parts[name].child
        if not child:
            raise KeyError(f"{name} was never started")
        return child.identity.pid

    async def start(self, name: str) -> None:
        """Starts a part that is down, and returns when it answers."""
        part = self._parts[name]
        if not part.child or not part.child.alive:
            await part.start()
        self._note()
        self._watchers.setdefault(name, asyncio.create_task(self._watch(part), name=f"watch {name}"))

    async def stop(self, name: str) -> None:
        """Ends a part in order; it stays down."""
        await self._unwatched(name)
        await self._parts[name].end()

    async def kill(self, name: str) -> None:
        """Ends a part at once, by SIGKILL; it stays down."""
        await self._unwatched(name)
        if child := self._parts[name].child:
            child.kill()
            await child.wait()

    async def restart(self, name: str) -> None:
        """Ends a part in order and starts it again."""
        await self.stop(name)
        await self.start(name)

    async def __aenter__(self) -> Self:
        """Starts everything. Raises a Trouble, with nothing left running, if that is not possible."""
        try:
            self._hold_folder()
            await self._sweep()
            if self._options.anew:
                for kept in ("postgres", "kafka"):
                    shutil.rmtree(self.data / kept, ignore_errors=True)
            for part in (self._issuer, *self._services.values()):
                part.take_port()
            self._stack.callback(state.forget, self.data)
            self._stack.push_async_callback(self._end)
            await self._start_servers()
            self._options.say("bringing tables and topics up to date")
            await _all(service.migrate() for service in self._services.values())
            if registry := self._services.get("registry"):
                await registry.found()
            self._options.say(f"starting {', '.join(self._services)}")
            await _all(self.start(name) for name in self._services)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends everything."""
        await self._stack.aclose()

    def _hold_folder(self) -> None:
        try:
            self._stack.enter_context(held(self.data / "lock", wait=False))
        except Held:
            by = state.supervised(self.data)
            raise AlreadyRunning(
                f"a system is running already on {self.data}{f' (pid {by.pid})' if by else ''}: "
                "end it with Ctrl-C where it runs, or with make down"
            ) from None

    async def _sweep(self) -> None:
        if left := await state.end(self.data):
            self._options.say(f"ended what was left of an earlier run: {', '.join(left)}")

    async def _start_servers(self) -> None:
        self._options.say("starting PostgreSQL and Kafka")
        await _all([self.start("postgres"), self.start("kafka"), self.start("issuer")])
        for name in self._services:
            await self._postgres.ensure(name)

    async def _end(self) -> None:
        for name in self._parts:
            await self._unwatched(name)
        await asyncio.gather(*(service.end() for service in self._services.values()))
        await asyncio.gather(self._issuer.end(), self._kafka.end(), self._postgres.end())

    async def _unwatched(self, name: str) -> None:
        if watcher := self._watchers.pop(name, None):
            watcher.cancel()
            await asyncio.wait([watcher])

    async def _watch(self, part: Part) -> None:
        wait = _SHORTEST_WAIT / 2
        while child := part.child:
            since = time.monotonic()
            code = await child.wait()
            steady = time.monotonic() - since > _STEADY
            wait = _SHORTEST_WAIT if steady else min(wait * 2, _LONGEST_WAIT)
            self._options.say(
                f"{part.name} ended with {how(code)}: it starts again in {wait:g} s (its log: {child.log})"
            )
            await asyncio.sleep(wait)
            try:
                await part.start()
            except Trouble as trouble:
                self._options.say(str(trouble))
            else:
                self._note()
                self._options.say(f"{part.name} is up again")

    def _teller(self, name: str) -> Callable[[], dict[str, str]]:
        def environment() -> dict[str, str]:
            return {
                "COMMONGRID_DATABASE_URL": self._postgres.url(name),
                "COMMONGRID_KAFKA": self._kafka.bootstrap,
                "COMMONGRID_TOPIC_PREFIX": self._options.topic_prefix,
                "COMMONGRID_LOCAL": "true",
                "COMMONGRID_ISSUER": self._issuer.address,
                "COMMONGRID_RATE_READS": RATE,
                "COMMONGRID_RATE_WRITES": RATE,
                **rings.environment(self.data / "keys", name, self.urls),
                **({"GRID_TASKS_EVIDENCE": str(self.data.absolute() / "evidence")} if name == "grid_tasks" else {}),
                **self._options.environment.get("", {}),
                **self._options.environment.get(name, {}),
            }

        return environment

    def _note(self) -> None:
        parts = {
            name: state.Noted(
                child.identity,
                int(child.stop_signal),
                part.url if isinstance(part, Service) else f"{HOST}:{part.port}",
                part.environment() if isinstance(part, Service) else {},
            )
            for name, part in self._parts.items()
            if (child := part.child)
        }
        state.write(self.data, state.Run(Identity.of(os.getpid()), parts))


async def _all(starts: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Does all at once; with the first that fails the others are cancelled, and its error is the error."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in starts:
                group.create_task(each)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
