"""Which servers a test run uses: those it is told of, or containers, or the embedded ones.

- TEST_PG_URL (an administrator's) and TEST_KAFKA: these, one or both.
- COMMONGRID_TEST_DOCKER=1: containers of the public images, by testcontainers. A Docker engine must answer.
- Else PostgreSQL and Kafka as `commongrid up` starts them, in a temporary folder.

Nothing is skipped: a server that cannot be had is an error.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import asyncpg

from local.brokers import answers
from local.errors import DiedAtStart, MissingPart
from local.kafka import Kafka
from local.ports import HOST, free_port
from local.postgres import ADMIN, Postgres

POSTGRES_IMAGE, KAFKA_IMAGE = "postgres:18", "apache/kafka:4.3.1"
_SECONDS_TO_START = 90
_FOR_THE_RUN = {"fsync": "off", "full_page_writes": "off", "max_connections": "400"}
"""Each new database waits for the disk twice, and each dropped one; what is committed outlives PostgreSQL's processes
all the same. Several workers hold connections to it."""
_FOR_TESTS = {"log.segment.delete.delay.ms": "1000", "log.retention.check.interval.ms": "5000"}


@dataclass(frozen=True)
class Servers:
    """Where they are."""

    postgres: str
    """The URL of the administrator's database."""
    kafka: str
    """host:port"""


@asynccontextmanager
async def servers(folder: Path, *, durable: bool = True) -> AsyncGenerator[Servers]:
    """Both servers, ready, for the time of the block. The folder takes their data and logs. If they need not be
    durable, an embedded PostgreSQL does not wait for the disk: what is committed outlives its processes, not the
    machine."""
    async with AsyncExitStack() as stack:
        if os.environ.get("COMMONGRID_TEST_DOCKER") == "1":
            starts = _postgres_container(stack), _kafka_container(stack)
        else:
            settings = {} if durable else _FOR_THE_RUN
            starts = _embedded_postgres(stack, folder, settings), _embedded_kafka(stack, folder)
        told = os.environ.get("TEST_PG_URL"), os.environ.get("TEST_KAFKA")
        postgres, kafka = await asyncio.gather(
            *(_told(address, start) for address, start in zip(told, starts, strict=True))
        )
        yield Servers(postgres, kafka)


async def _told(address: str | None, start: Any) -> str:
    if address:
        start.close()
        return address
    return await start


async def _embedded_postgres(stack: AsyncExitStack, folder: Path, settings: Mapping[str, str]) -> str:
    server = Postgres(folder / "postgres", folder / "logs" / "postgres.log", settings=settings)
    stack.push_async_callback(server.end)
    await server.start()
    return server.url(ADMIN)


async def _embedded_kafka(stack: AsyncExitStack, folder: Path) -> str:
    server = Kafka(folder / "kafka", folder / "logs" / "kafka.log", properties=_FOR_TESTS)
    stack.push_async_callback(server.end)
    await server.start()
    return server.bootstrap


async def _postgres_container(stack: AsyncExitStack) -> str:
    password, port = secrets.token_urlsafe(16), free_port()
    environment = {"POSTGRES_PASSWORD": password}
    await _container(stack, POSTGRES_IMAGE, {5432: port}, environment)
    url = f"postgresql://{ADMIN}:{password}@{HOST}:{port}/{ADMIN}"
    await _wait(POSTGRES_IMAGE, lambda: _connects(url))
    return url


async def _kafka_container(stack: AsyncExitStack) -> str:
    port = free_port()
    properties = _FOR_TESTS | {
        "node.id": "1",
        "process.roles": "broker,controller",
        "controller.quorum.voters": "1@localhost:9093",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"HOST://:{port},CONTROLLER://localhost:9093",
        "advertised.listeners": f"HOST://{HOST}:{port}",
        "inter.broker.listener.name": "HOST",
        "listener.security.protocol.map": "HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
    environment = {f"KAFKA_{key.upper().replace('.', '_')}": value for key, value in properties.items()}
    await _container(stack, KAFKA_IMAGE, {port: port}, environment)
    await _wait(KAFKA_IMAGE, lambda: answers(f"{HOST}:{port}"))
    return f"{HOST}:{port}"


async def _container(stack: AsyncExitStack, image: str, ports: dict[int, int], environment: dict[str, str]) -> None:
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # its reaper is one more image; we end them ourselves
    from testcontainers.core.container import DockerContainer

    container = DockerContainer(image).with_envs(**environment)
    for inside, outside in ports.items():
        container.ports[f"{inside}/tcp"] = cast(Any, (HOST, outside))  # with_bind_ports would open it to the network
    stack.push_async_callback(asyncio.to_thread, container.stop)
    try:
        await asyncio.to_thread(container.start)
    except Exception as error:  # docker-py has many
        raise MissingPart(
            f"COMMONGRID_TEST_DOCKER=1 asks for containers, but {image} could not be started: {error}"
        ) from error


async def _wait(what: str, ready: Any) -> None:
    deadline = asyncio.get_running_loop().time() + _SECONDS_TO_START
    while not await ready():
        if asyncio.get_running_loop().time() > deadline:
            raise DiedAtStart(f"{what} did not answer within {_SECONDS_TO_START} s")
        await asyncio.sleep(0.1)


async def _connects(url: str) -> bool:
    try:
        await (await asyncpg.connect(url, timeout=5)).close()
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    return True
