"""What the tests of parking share: a follower of the desk, and a look at what it has parked."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from events import Commands, Policy, ReadModel, parking
from events.progress import OWN
from events.runtime import Runtime
from events.testing import running
from front_desk import (
    Note,
    desk,
    hall,
    journal,
    journalled,
)

NewDatabase = Callable[..., Awaitable[str]]
POISON = Note("poison")
MENDED = "alter table journal drop constraint no_poison"


@asynccontextmanager
async def following(
    who: str, new_database: NewDatabase, kafka: str, prefix: str, *parts: ReadModel
) -> AsyncGenerator[tuple[Commands, Runtime, str]]:
    """The desk's commands, and a service that follows the desk: itself, or the hall. And what the source is called."""
    parts = parts or (journal(),)
    if who == "desk":
        async with running(desk(*parts), await new_database(), kafka, prefix) as runtime:
            yield runtime.commands, runtime, OWN
    else:
        async with (
            running(desk(), await new_database(), kafka, prefix) as here,
            running(hall(*parts), await new_database(), kafka, prefix) as there,
        ):
            yield here.commands, there, f"{prefix}.desk.matter"


async def parked(runtime: Runtime) -> list[tuple[str, str]]:
    """What is parked and why, oldest first."""
    return [(it.raw.id, it.error) for it in await parking.listed(runtime.db)]


async def are_parked(runtime: Runtime, *ids: str) -> bool:
    assert [id_ for id_, _ in await parked(runtime)] == list(ids)
    return True


async def all_parked(runtime: Runtime, count: int) -> bool:
    return len(await parking.listed(runtime.db)) == count


async def retry(runtime: Runtime, part: ReadModel | Policy, source: str, stream: str) -> int:
    """What an operator does, on a connection of their own."""
    async with runtime.consumer(part) as consumer:
        return await consumer.retry(source, stream)


async def many_journalled(runtime: Runtime, count: int) -> bool:
    return len(await journalled(runtime.db)) == count


async def somebody_waits_for(runtime: Runtime, backend: int) -> bool:
    return await runtime.db.fetchval(
        "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))", backend
    )
