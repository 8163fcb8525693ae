"""Keeps a system with the town clock up until it is told to end: `python keeper.py DATA`, in a process of its own."""

import asyncio
import sys
from pathlib import Path

from local.running import run
from local.supervisor import Options, System


async def keep(data: Path) -> int:
    """As `commongrid up` does, with another service."""
    async with System(Options(data, services=["town_clock"], say=say)) as system:
        say(f"up at {system.urls['town_clock']}")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            say("stopping")
    return 0


def say(sentence: str) -> None:
    """For whoever started it."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(run(keep(Path(sys.argv[1]))))
