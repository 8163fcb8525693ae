"""What the kernel's tests share, beside the real servers of `local.testing`."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from events.migrate import migrate
from events.runtime import Runtime, open_runtime
from events.service import Service
from events.settings import Settings
from events.testing import RING

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "examples")]  # front_desk.py, noticeboard.py

NO_KAFKA = "127.0.0.1:9"
"""Nothing listens there."""

NewDatabase = Callable[..., Awaitable[str]]
Open = Callable[[Service], Awaitable[Runtime]]


@pytest.fixture
async def opened(new_database: NewDatabase) -> AsyncGenerator[Open]:
    """Opens a process of a service on a database of its own: with no Kafka, and not at work."""
    async with asyncio.TaskGroup() as tasks:
        closing = asyncio.Event()

        async def open_one(service: Service) -> Runtime:
            settings = Settings(await new_database(), NO_KAFKA, keys=RING)
            await migrate(service, settings)
            is_open: asyncio.Future[Runtime] = asyncio.get_running_loop().create_future()

            async def keep_open() -> None:
                async with open_runtime(service, settings) as runtime:
                    is_open.set_result(runtime)
                    await closing.wait()

            tasks.create_task(keep_open())
            return await is_open

        yield open_one
        closing.set()
