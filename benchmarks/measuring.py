"""How things are measured: two of them alternately in one run, as a ratio, with the median and the spread.

Absolute times mean little on a shared machine. What disturbs it disturbs both sides; that they take turns, and who
begins changes each round, keeps what drifts out of the ratio.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

import httpx2
from events.kafka import ensure_topics
from events.migrate import migrate
from events.runtime import Runtime, open_runtime
from events.service import Service
from events.settings import Settings
from events.testing import RING
from local.ladder import Servers
from local.testing import database

Rate = Callable[[], Awaitable[float]]
"""Does the work once, and says how fast it went: more is better."""


@dataclass(frozen=True)
class Result:
    """What came out: the median of the rounds (or what the benchmark says), the lowest and the highest."""

    name: str
    value: float
    aim: float
    ok: bool
    rounds: int
    low: float
    high: float
    unit: str


@dataclass
class Bench:
    """What a benchmark is given: real servers, and how much it should do."""

    servers: Servers
    quick: bool
    rounds: int
    seen: list[str] = field(default_factory=list[str])
    """Absolute figures of the rounds, for whoever tunes."""

    def size(self, full: int, quick: int) -> int:
        """How many, in a full run or a quick one."""
        return quick if self.quick else full

    @asynccontextmanager
    async def runtime(self, service: Service, prefix: str, url: str | None = None) -> AsyncGenerator[Runtime]:
        """A process of the service, not at work, in a database of its own, with its topics."""
        async with AsyncExitStack() as stack:
            url = url or await stack.enter_async_context(database(self.servers.postgres, service.name))
            settings = Settings(url, self.servers.kafka, prefix, keys=RING)
            await migrate(service, settings)
            await ensure_topics(service, settings)
            yield await stack.enter_async_context(open_runtime(service, settings))

    async def ratios(self, ours: Rate, theirs: Rate) -> list[float]:
        """Ours to theirs, round by round; one round before them warms up."""
        found: list[float] = []
        for nth in range(self.rounds + 1):
            if nth % 2:
                mine, other = await ours(), await theirs()
            else:
                other, mine = await theirs(), await ours()
            if nth:
                found.append(mine / other)
                self.seen.append(f"{mine:,.4g} to {other:,.4g}")
        return found


@dataclass(frozen=True)
class Benchmark:
    """What is compared with what, and how good it should be: `measure` gives one value for each round."""

    name: str
    what: str
    against: str
    aim: float
    measure: Callable[[Bench], Awaitable[Sequence[float]]]
    better: Literal["more", "less"] = "more"
    unit: str = "×"
    figure: Callable[[Sequence[float]], float] = median

    async def run(self, bench: Bench) -> Result:
        """Measures it."""
        values = await self.measure(bench)
        value = self.figure(values)
        ok = value >= self.aim if self.better == "more" else value <= self.aim
        return Result(self.name, value, self.aim, ok, len(values), min(values), max(values), self.unit)


async def per_second(count: int, work: Awaitable[Any]) -> float:
    """Waits for the work on so many things, and says how many of them it did a second."""
    started = time.perf_counter()
    await work
    return count / (time.perf_counter() - started)


async def p99(
    ask: Callable[[int], Awaitable[httpx2.Response]], times: int = 200, taken: Sequence[int] = (200,)
) -> float:
    """Asks so many times, one after another, and says within how many seconds 99 of 100 were answered; `taken` are the
    statuses that count as answers. Raises RuntimeError for others."""
    took: list[float] = []
    for nth in range(times):
        started = time.perf_counter()
        answer = await ask(nth)
        took.append(time.perf_counter() - started)
        if answer.status_code not in taken:
            raise RuntimeError(f"{answer.url}: {answer.status_code} {answer.text}")
    return p99_of(took)


def p99_of(values: Sequence[float]) -> float:
    """What 99 of 100 of them do not exceed."""
    return sorted(values)[int(0.99 * len(values))]


async def shared_out(items: Iterable[Any], workers: int, do: Callable[[Any], Awaitable[Any]]) -> None:
    """Lets several workers do all the items, each one after another."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await do(item)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(workers):
            tasks.create_task(worker())
