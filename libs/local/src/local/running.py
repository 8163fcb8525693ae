"""How a command runs: Ctrl-C and SIGTERM end it in order, and what is wrong is told in one sentence."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from local.errors import Trouble


def run(main: Coroutine[Any, Any, int]) -> int:
    """Runs it to its end, or until a signal cancels it; returns the exit code for the shell.

    A second signal changes nothing: ending takes bounded time, and what is not ended would be left behind.
    """
    try:
        return asyncio.run(_cancellable(main))
    except Trouble as trouble:
        sys.stderr.write(f"commongrid: {trouble}\n")
        return 1


async def _cancellable(main: Coroutine[Any, Any, int]) -> int:
    working = asyncio.ensure_future(main)
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        if not received:
            received.append(number)
            working.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await working
    except asyncio.CancelledError:
        if not received:
            raise
        return 0 if received[0] == signal.SIGTERM else 128 + received[0]
