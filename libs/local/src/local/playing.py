"""Runs the demo on the system of this machine or on the one in containers, and keeps it up for a look."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from local.compose import Compose
from local.day import Day
from local.demo import Stack, run_demo
from local.errors import Trouble
from local.importing import ImportFailed
from local.services import SERVICES
from local.sinks import Sinks, sinks
from local.summary import Summary, as_json, show
from local.supervisor import Options, System

CHINA = ZoneInfo("Asia/Shanghai")


class StackName(StrEnum):
    """Where the demo's system runs."""

    LOCAL = "local"
    COMPOSE = "compose"


async def play(
    options: Options,
    stack: StackName,
    folder: Path,
    console: Console,
    *,
    once: bool,
    seconds: float,
    seed: int,
    cases: int,
) -> Summary:
    """Plays the day; without `once` it shows what came of it and stays up until it is cancelled."""
    if stack is StackName.COMPOSE:
        async with Compose() as compose:
            return await _play(compose, None, folder, console, once, seconds, seed, cases)
    async with sinks() as receivers:
        environment: dict[str, Mapping[str, str]] = {"notifications": receivers.environment}
        options = replace(options, environment=environment, anew=True)  # it counts what it did itself
        async with System(options) as system:
            running = Local(system, environment)
            return await _play(running, receivers, folder, console, once, seconds, seed, cases)


class Local:
    """The system of this machine, whose services can be told another time."""

    def __init__(self, system: System, environment: dict[str, Mapping[str, str]]) -> None:
        self._system = system
        self._environment = environment
        self.urls: Mapping[str, str] = system.urls
        self.token = system.token
        self.events = system.events

    async def tell(self, environment: Mapping[str, str]) -> None:
        """Starts the services again with these words."""
        self._environment[""] = environment
        await asyncio.gather(*(self._system.restart(name) for name in SERVICES))


async def _play(
    stack: "Local | Compose",
    receivers: Sinks | None,
    folder: Path,
    console: Console,
    once: bool,
    seconds: float,
    seed: int,
    cases: int,
) -> Summary:
    async def begin() -> Day:
        morning = datetime.now(CHINA).replace(hour=8, minute=0, second=0, microsecond=0)
        day = Day(morning, morning + timedelta(hours=10), seconds)
        await stack.tell(day.environment)
        return day

    try:
        summary = await run_demo(stack, begin, folder, console, sinks=receivers, seed=seed, cases=cases, deep=once)
    except ImportFailed as error:
        raise Trouble(str(error)) from None
    show(summary, stack.urls, console)
    if not once:
        console.print("It stays up: open the addresses, Ctrl-C ends it.")
        await asyncio.Event().wait()
    return summary


def finish(summary: Summary, json: Path | None) -> int:
    """Writes the table as JSON if that is asked for; the exit code: 1 if anything was wrong."""
    if json:
        json.write_bytes(as_json(summary) + b"\n")
    return 1 if summary.wrong else 0


__all__ = ["Stack", "StackName", "finish", "play"]
