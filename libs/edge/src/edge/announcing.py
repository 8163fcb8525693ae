"""What a service says of its settings when its process begins.

Application(…, companions=[announcing(say_where_evidence_is_kept)])
"""

import asyncio
from collections.abc import Callable

from events.runtime import Runtime

from edge.application import Task


def announcing(say: Callable[[], None]) -> Task:
    """Beside the work of a process: says it once. Settings that are not right end the process then, and not when they
    are first needed."""

    async def work(_: Runtime) -> None:
        say()
        await asyncio.Event().wait()

    work.__name__ = say.__name__
    return work
