"""Appending by the library that a Python team would pick: `eventsourcing`, with its own store on PostgreSQL."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote, urlsplit
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate as TheirAggregate
from local.testing import database

from benchmarks.append import AT_ONCE, commands
from benchmarks.desk import Make, Reports, desk
from benchmarks.measuring import Bench, Benchmark, per_second


class Report(TheirAggregate):
    """The same report."""

    def __init__(
        self,
        report: str,
        category: str,
        description: str,
        longitude: float,
        latitude: float,
        grid: str,
        reporter: str,
    ) -> None:
        self.report = report
        self.category = category
        self.description = description
        self.longitude = longitude
        self.latitude = latitude
        self.grid = grid
        self.reporter = reporter


def made(make: Make) -> Report:
    """What our command leads to."""
    return Report(make.report, make.category, make.description, make.longitude, make.latitude, make.grid, make.reporter)


async def against_eventsourcing(bench: Bench) -> Sequence[float]:
    """One event a save, 16 threads, as its documentation sets it up; each has a connection."""
    count, few, reports = bench.size(20_000, 3_000), bench.size(3_000, 1_000), Reports()
    async with bench.runtime(desk(), "peer") as runtime, database(bench.servers.postgres, "theirs") as url:
        place = urlsplit(url)
        application = Application[UUID](
            {
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "POSTGRES_DBNAME": place.path.removeprefix("/"),
                "POSTGRES_HOST": str(place.hostname),
                "POSTGRES_PORT": str(place.port),
                "POSTGRES_USER": unquote(place.username or ""),
                "POSTGRES_PASSWORD": unquote(place.password or ""),
                "POSTGRES_POOL_SIZE": str(AT_ONCE),
                "POSTGRES_MAX_OVERFLOW": "0",
            }
        )

        def saved(make: Make) -> None:
            application.save(made(make))

        def saves() -> None:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                list(threads.map(saved, reports.several(few)))

        async def theirs() -> float:
            return await per_second(few, asyncio.to_thread(saves))

        try:
            return await bench.ratios(commands(runtime, reports, count), theirs)
        finally:
            application.close()


BENCHMARKS = [
    Benchmark(
        "append-eventsourcing",
        "append of one event a command, 16 at a time",
        "eventsourcing (PyPI), its own PostgreSQL store, 16 threads",
        5,
        against_eventsourcing,
    )
]
