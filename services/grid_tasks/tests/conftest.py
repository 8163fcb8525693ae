"""grid_tasks at work on a real Postgres, and a registry beside it that tells what a test wants, on a real Kafka."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
import httpx2
import pytest
from contracts.catalogue import PUBLISHED
from edge.testing import founding
from events import Aggregate, Connection, Event, Service, system_clock
from events.event import aggregate_of
from events.migrate import migrate
from events.runtime import Runtime, open_runtime
from events.settings import Settings
from events.testing import RING, running
from grid_tasks.evidence.signing import Credentials, presigned
from grid_tasks.service import grid_tasks
from local.testing import NewDatabase
from local.testing import database as a_database
from local.versitygw import VersityGateway

from .roster import DUTIES, GROUND, TEAM, follow
from .trade import NINE

NO_KAFKA = "127.0.0.1:9"
"""Nothing listens there: for its own cases the service needs no Kafka (promise 11)."""


@dataclass
class Trade:
    """The trade's clock, moved by hand."""

    now: datetime = NINE

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def trade() -> Trade:
    return Trade()


@pytest.fixture(scope="session")
async def set_up(postgres_server: str) -> AsyncGenerator[str]:
    """A database with everything that grid_tasks needs in it, for others to begin as copies of it."""
    async with a_database(postgres_server, "grid_tasks") as url:
        await migrate(grid_tasks, Settings(url, NO_KAFKA, keys=RING))
        yield url


@pytest.fixture
async def database(new_database: NewDatabase, set_up: str) -> str:
    return await new_database(template=set_up)


@pytest.fixture(scope="session")
async def all_tables(postgres_server: str) -> AsyncGenerator[str]:
    """A database with the tables of all read models side by side, for others to begin as copies of it."""
    async with a_database(postgres_server, "grid_tasks") as url:
        db = await asyncpg.connect(url)
        await db.execute("".join(read_model.tables for read_model in grid_tasks.read_models))
        await db.close()
        yield url


@pytest.fixture
async def db(new_database: NewDatabase, all_tables: str) -> AsyncGenerator[Connection]:
    """A connection that finds all of them, without a schema."""
    db = await asyncpg.connect(await new_database(template=all_tables))
    yield db
    await db.close()


@asynccontextmanager
async def process(database: str, trade: Trade) -> AsyncGenerator[Runtime]:
    """A process of the service at work, without Kafka; it ends with the block."""
    async with open_runtime(grid_tasks, Settings(database, NO_KAFKA, keys=RING), trade) as runtime:
        working = asyncio.create_task(runtime.work())
        yield runtime
        working.cancel()
        await asyncio.wait([working])


@pytest.fixture
async def runtime(database: str, trade: Trade) -> AsyncGenerator[Runtime]:
    """The service at work, with a grid, a duty list and a team."""
    async with process(database, trade) as runtime:
        await prepare(runtime)
        yield runtime


async def prepare(runtime: Runtime, *team: Event) -> None:
    """Gives it a grid, a duty list and a team, as if the registry had told of them."""
    async with each_table(runtime) as db:
        await follow(db, *founding(), *DUTIES, *GROUND, *(team or TEAM))


@asynccontextmanager
async def each_table(runtime: Runtime) -> AsyncGenerator[Connection]:
    """A connection that finds the live tables of all read models."""
    schemas = ", ".join(read_model.schema for read_model in grid_tasks.read_models)
    async with runtime.connection() as db:
        await db.execute(f"set search_path = {schemas}")
        yield db


REGISTRY = Service(
    "registry",
    [
        Aggregate(kind, None, lambda _, event: [event], lambda state, _: state, tuple(classes))
        for kind in sorted({aggregate_of(cls.type_name) for cls in PUBLISHED["registry"]})
        if (classes := [cls for cls in PUBLISHED["registry"] if aggregate_of(cls.type_name) == kind])
    ],
)
"""It records whatever it is told, as the registry's own events."""


@dataclass
class Town:
    """grid_tasks and the registry, each with a database of its own, on one Kafka."""

    database: str
    kafka: str
    prefix: str
    registry: Runtime
    trade: Trade = field(default_factory=Trade)

    async def tells(self, *events: Event) -> None:
        """The registry tells this; its relay brings it to Kafka."""
        aggregates = {aggregate.name: aggregate for aggregate in REGISTRY.aggregates}
        for event in events:
            aggregate = aggregates[aggregate_of(event.type_name)]
            await self.registry.commands.execute(aggregate, next(iter(event.model_dump().values())), event)

    def at_work(self) -> AbstractAsyncContextManager[Runtime]:
        """A process of grid_tasks; ended at the end of the block."""
        return running(grid_tasks, self.database, self.kafka, self.prefix, self.trade)


@pytest.fixture
async def town(new_database: NewDatabase, kafka_server: str, topic_prefix: str) -> AsyncGenerator[Town]:
    registry_database = await new_database("registry")
    async with running(REGISTRY, registry_database, kafka_server, topic_prefix) as registry:
        yield Town(await new_database("grid_tasks"), kafka_server, topic_prefix, registry)


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[VersityGateway]:
    """A real S3-compatible server with the bucket `evidence`. The first run on a machine builds it."""
    folder = tmp_path_factory.mktemp("s3")
    gateway = VersityGateway(folder / "objects", folder / "versitygw.log")
    await gateway.start()
    credentials = Credentials(gateway.access_key, gateway.secret_key)
    made = presigned("PUT", f"{gateway.url}/evidence", credentials, system_clock(), timedelta(minutes=1))
    async with httpx2.AsyncClient(trust_env=False) as http:
        assert (await http.put(made)).status_code == 200
    yield gateway
    await gateway.end()
