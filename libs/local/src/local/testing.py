"""For tests: one PostgreSQL and one Kafka for a whole run, and a fresh database and topic prefix for each test.

Put `pytest_plugins = ["local.testing"]` into the root conftest.py. The servers (which ones: see `local.ladder`) start
with the first test that asks for them, are shared by all workers of pytest-xdist, and are gone when the run is.
"""

import os
import secrets
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import asyncpg
import pytest

from local.brokers import drop_topics
from local.hosting import end_shared_servers, shared_servers
from local.ladder import Servers

_RUN = "COMMONGRID_TEST_RUN"
"""Set by the run for its workers: the number of its process, and the folder for the servers."""


class NewDatabase(Protocol):
    """Makes one more database for this test."""

    async def __call__(self, name: str = "test", *, template: str | None = None) -> str:
        """Returns its URL; see `database`."""
        ...


@pytest.fixture(scope="session")
def postgres_server(servers: Servers) -> str:
    """The URL of the administrator's database of a PostgreSQL that all tests of the run share."""
    return servers.postgres


@pytest.fixture(scope="session")
def kafka_server(servers: Servers) -> str:
    """host:port of a Kafka that all tests of the run share. It makes no topic by itself."""
    return servers.kafka


@pytest.fixture
async def new_database(postgres_server: str) -> AsyncGenerator[NewDatabase]:
    """For tests that need several databases: `url = await new_database("registry")`."""
    async with AsyncExitStack() as stack:

        async def new(name: str = "test", *, template: str | None = None) -> str:
            return await stack.enter_async_context(database(postgres_server, name, template=template))

        yield new


@pytest.fixture
async def fresh_database(new_database: NewDatabase) -> str:
    """The URL of an empty database of this test's own, for its owner, who is no superuser."""
    return await new_database()


@pytest.fixture
async def topic_prefix(kafka_server: str) -> AsyncGenerator[str]:
    """A prefix for this test's topics, which are deleted after it."""
    prefix = f"test-{secrets.token_hex(6)}"
    yield prefix
    await drop_topics(kafka_server, prefix)


@asynccontextmanager
async def database(server: str, name: str = "test", *, template: str | None = None) -> AsyncGenerator[str]:
    """A database of a unique name, for the time of the block, on the server with this administrator's URL.

    Yields the URL for its owner: a role of its own, or with a template (the URL of a database that was made here too,
    and that nobody is connected to) the template's, because the tables that come with it are that role's.
    """
    unique, password = f"{name}_{secrets.token_hex(6)}", secrets.token_hex(12)
    admin = await asyncpg.connect(server)
    try:
        if template:
            place = urlsplit(template)
            origin, url = place.path.removeprefix("/"), place._replace(path=f"/{unique}").geturl()
            owner = place.username
        else:
            place = urlsplit(server)
            origin, owner = "template1", unique
            url = f"postgresql://{unique}:{password}@{place.hostname}:{place.port or 5432}/{unique}"
            await admin.execute(f"""create role "{owner}" login password '{password}'""")
        await admin.execute(f'create database "{unique}" owner "{owner}" template "{origin}"')
        await admin.execute(f'revoke connect, temporary on database "{unique}" from public')
        yield url
    finally:
        await admin.execute(f'drop database if exists "{unique}" with (force)')
        await admin.execute(f'drop role if exists "{unique}"')
        await admin.close()


@pytest.fixture(scope="session")
def servers() -> Servers:
    """Where both servers of the run are."""
    run, folder = os.environ[_RUN].split(":", 1)
    return shared_servers(Path(folder), int(run))


def pytest_configure(config: pytest.Config) -> None:
    """Tells the run's workers, if it has any, where its servers will be."""
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.gettempdir()) / f"commongrid-test-{secrets.token_hex(6)}"
        os.environ[_RUN] = f"{os.getpid()}:{folder}"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the servers with the run."""
    if not hasattr(config, "workerinput"):
        end_shared_servers(Path(os.environ[_RUN].split(":", 1)[1]))
