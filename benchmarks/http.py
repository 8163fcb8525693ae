"""A whole HTTP command at the registry, against a route that only INSERTs: a power is taken off the list, which tells
of nobody, and a member of the roster leaves their post, of whom contacts are recorded.

Both are processes of their own, under uvicorn with uvloop, asked over 16 connections that are kept open.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from itertools import islice, product
from pathlib import Path
from string import ascii_lowercase
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import uuid4

from contracts.common import Post, Title
from contracts.registry import MemberFacts, PowerFacts
from edge import authority
from events import Aggregate
from events.runtime import Runtime
from events.testing import RING
from local import tokens
from local.issuer import LocalIssuer
from local.ports import HOST, free_port
from local.processes import start
from local.services import FOUNDING, REGISTRAR
from local.supervisor import RATE
from registry.domain.entry import Register
from registry.domain.member import MEMBER
from registry.domain.power import POWER
from registry.importing.founding import found
from registry.service import registry

from benchmarks.append import AT_ONCE, BARE_TABLE
from benchmarks.measuring import Bench, Benchmark, per_second

C = TypeVar("C")


async def founded(runtime: Runtime) -> None:
    """A power list, which the API goes by, and its registrar."""
    await found(runtime.commands, FOUNDING / "powers.json", FOUNDING / "roster.csv")
    working = asyncio.create_task(runtime.work())
    await runtime.commands.caught_up(authority, 60)
    working.cancel()
    await asyncio.wait([working])


async def listed(runtime: Runtime, count: int) -> list[str]:
    """So many entries of the power list, and where each is withdrawn. They tell of nobody."""
    run = uuid4().hex.translate(str.maketrans("0123456789", "ghijklmnop"))
    names = ["".join(it) for it in product(ascii_lowercase, repeat=3)][:count]
    facts = [
        PowerFacts(
            power=f"powers_of_{run}.{name}",
            title=Title(zh="试", en="A trial"),
            legal_basis="《行政处罚法》",
            holders=(),
            since=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for name in names
    ]
    await entered(runtime, POWER, {it.power: Register(it) for it in facts})
    return [f"/powers/{it.power}/withdrawal" for it in facts]


async def appointed(runtime: Runtime, count: int) -> list[str]:
    """So many people in a post, and where each is dismissed."""
    run = uuid4().hex
    facts = [
        MemberFacts(member=it, name="王某", post=Post.COMMUNITY_OFFICER, grid=None, email=f"{it}@example.org")
        for it in (f"worker-{run}-{nth}" for nth in range(count))
    ]
    await entered(runtime, MEMBER, {it.member: Register(it) for it in facts})
    return [f"/members/{it.member}/dismissal" for it in facts]


async def entered(runtime: Runtime, register: Aggregate[Any, C], commands: Mapping[str, C]) -> None:
    """Enters them by the five hundred, as an import does."""
    waiting = iter(commands.items())
    while some := dict(islice(waiting, 500)):
        await runtime.commands.execute_many(register, some)


async def asked(port: int, requests: Sequence[bytes], status: str = "200") -> None:
    """Sends the requests over 16 connections, one after another on each; fails on an answer with another status."""
    waiting = iter(requests)

    async def client() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        with closing(writer):
            for request in waiting:
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                body = await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
                if not head.startswith(f"http/1.1 {status}".encode()):
                    raise RuntimeError(f"answered {head.decode()} {body.decode()}")

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(client())


def post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode() + body


@asynccontextmanager
async def process(command: Sequence[str], port: int, environment: Mapping[str, str], log: Path) -> AsyncGenerator[None]:
    """A process that listens on the port, for the time of the block."""
    child = await start(command[-1], [sys.executable, *command], log=log, env=os.environ | environment)

    async def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    try:
        await child.until(listens, 60)
        yield
    finally:
        await child.end(10)


@asynccontextmanager
async def issuer(keys: Path, log: Path) -> AsyncGenerator[str]:
    """Who issues the tokens, for the time of the block."""
    it = LocalIssuer(keys, log)
    await it.start()
    try:
        yield it.address
    finally:
        await it.end()


async def whole_command(
    bench: Bench, things: Callable[[Runtime, int], Awaitable[list[str]]] = listed
) -> Sequence[float]:
    """Token, Idempotency-Key, validation, load, decide, append, answer."""
    count = bench.size(8_000, 1_500)
    ours, theirs = free_port(), free_port()
    with TemporaryDirectory(prefix="commongrid-bench-") as folder:
        keys, log = Path(folder) / "keys", Path(folder) / "log"
        async with bench.runtime(registry, "http") as runtime, issuer(keys, log) as address:
            async with runtime.connection() as db:
                await db.execute(BARE_TABLE)
            await founded(runtime)
            environment = {
                "COMMONGRID_DATABASE_URL": runtime.settings.database_url,
                "COMMONGRID_KAFKA": runtime.settings.kafka,
                "COMMONGRID_ISSUER": address,
                "COMMONGRID_LOCAL": "true",
                "COMMONGRID_RATE_WRITES": RATE,  # one caller sends everything
                "COMMONGRID_HTTP_HOST": HOST,
                "COMMONGRID_KEYS": RING,
            }
            uvicorn = [
                "-m",
                "uvicorn",
                "--host",
                HOST,
                "--port",
                str(theirs),
                "--log-level",
                "warning",
                "--no-access-log",
            ]
            async with (
                process(["-m", "registry", "api"], ours, environment | {"COMMONGRID_HTTP_PORT": str(ours)}, log),
                process([*uvicorn, "benchmarks.bare_route:app"], theirs, environment, log),
            ):
                bearer = f"Bearer {tokens.token(keys, REGISTRAR)}"

                async def commands() -> float:
                    requests = [
                        post(
                            where,
                            b"{}",
                            {"Authorization": bearer, "Idempotency-Key": uuid4().hex, "If-Match": '"v1"'},
                        )
                        for where in await things(runtime, count)
                    ]
                    return await per_second(count, asked(ours, requests))

                async def inserts() -> float:
                    requests = [
                        post("/dismissals", b'{"member":"worker-%s"}' % uuid4().hex.encode(), {}) for _ in range(count)
                    ]
                    return await per_second(count, asked(theirs, requests))

                return await bench.ratios(commands, inserts)


async def sealed_command(bench: Bench) -> Sequence[float]:
    """The same where the thing tells of somebody: keys are loaded with it, and the answer is sealed."""
    return await whole_command(bench, appointed)


BARE_ROUTE = "a FastAPI route that does one bare INSERT"
BENCHMARKS = [
    Benchmark(
        "http-command",
        "a whole HTTP command: token, idempotency key, validation, load, decide, append",
        BARE_ROUTE,
        0.6,
        whole_command,
    ),
    Benchmark("http-command-sealed", "the same, of what tells of somebody", BARE_ROUTE, 0.45, sealed_command),
]
