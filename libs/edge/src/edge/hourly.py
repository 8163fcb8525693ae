"""What a service does by itself, by one worker at a time, every hour: erase what has passed its period (保存期限, PIPL
articles 19 and 47), tell what falls due.

Application(…, workers=[hourly("retention of cases", erase_old_texts)])
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from events.leases import while_holding
from events.runtime import Runtime, keep_running

from edge.application import Task

log = structlog.get_logger(__name__)

HOUR = 3600.0


def hourly(name: str, some: Callable[[Runtime], Awaitable[int]], seconds: float = HOUR) -> Task:
    """The work of a process that does what is due: `some` does some of it, and returns how much; it is asked again at
    once until nothing is left, then an hour later."""

    async def work(runtime: Runtime) -> None:
        async def forever() -> None:
            while True:
                while count := await some(runtime):
                    log.info("did what was due", what=name, count=count)
                await asyncio.sleep(seconds)

        await keep_running(name, lambda: while_holding(runtime.db, name, runtime.holder, forever))

    work.__name__ = some.__name__
    return work
