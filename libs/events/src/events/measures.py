"""The figures of one process: how far each consumer is behind, what is parked, and what holds readers back.

They are looked up every other second for /metrics, and tell which read models have caught up. While Kafka is away, what
consumers have yet to take from topics is not known, and not told.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from opentelemetry.metrics import Observation

from events import lag, parking, seals
from events.progress import OWN
from events.read_model import Pool
from events.service import Service
from events.settings import Settings
from events.telemetry import gauge

EVERY = 2.0
"""Seconds between two looks."""


@dataclass
class Measures:
    """A process's figures."""

    service: Service
    settings: Settings
    db: Pool
    own: list[lag.Lag] = field(default_factory=list[lag.Lag])
    topics: list[lag.Lag] = field(default_factory=list[lag.Lag])
    parked: dict[str, int] = field(default_factory=dict[str, int])
    watermark_age: float = 0.0
    seal_age: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _close: dict[str, set[tuple[str, str]]] = field(default_factory=dict[str, set[tuple[str, str]]])
    _oldest: tuple[int, float] = (0, 0.0)

    async def watch(self) -> None:
        """Looks at the own database, again and again."""
        began = asyncio.get_running_loop().time()
        while True:
            self.own = await lag.own_lag(self.db, lag.own_consumers(self.service))
            self._close["own"] = lag.close(self.own, time.monotonic() - self._began)
            await self._note_who_caught_up()
            self.parked = await parking.counts(self.db)
            self.watermark_age = await self._age_of_watermark()
            age = await seals.age(self.db)
            self.seal_age = asyncio.get_running_loop().time() - began if age is None else age
            await asyncio.sleep(EVERY)

    async def watch_topics(self) -> None:
        """Looks at other services' topics, again and again."""
        foreign = lag.foreign_consumers(self.service, self.settings.topic_prefix)
        try:
            async with lag.watching(self.settings, foreign) as reader:
                while True:
                    async with asyncio.timeout(10):
                        self.topics = await lag.topic_lag(self.db, reader, foreign)
                    self._close["topics"] = lag.close(self.topics, time.monotonic() - self._began)
                    await asyncio.sleep(EVERY)
        finally:
            self.topics = []
            self._close.pop("topics", None)

    async def _note_who_caught_up(self) -> None:
        done = set[tuple[str, str]]().union(*self._close.values())
        caught_up = [
            model.schema
            for model in self.service.read_models
            if all(
                (model.schema, source) in done
                for source in (
                    *([OWN] if self.service.follows_own(model) else []),
                    *self.service.foreign_topics(model, self.settings.topic_prefix),
                )
            )
        ]
        await self.db.execute(
            """update log.read_models set caught_up_at = clock_timestamp()
               where schema = any($1) and caught_up_at is null""",
            caught_up,
        )

    async def _age_of_watermark(self) -> float:
        """For how long the oldest running transaction has been seen. It may be in any database of the server, where a
        service's role sees no more of it than this."""
        now = asyncio.get_running_loop().time()
        oldest, following = await self.db.fetchrow(WATERMARK) or (0, 0)
        if oldest == following:
            return 0.0
        if oldest != self._oldest[0]:
            self._oldest = (oldest, now)
        return now - self._oldest[1]

    def observe(self) -> None:
        """Publishes the figures as metrics."""
        gauge("commongrid.lag.events", "{event}", "Events that a consumer has yet to take", self._lag_events)
        gauge("commongrid.lag.time", "s", "Age of the oldest event that a consumer has yet to take", self._lag_seconds)
        gauge("commongrid.parked", "{event}", "Events and timers parked now, by consumer", self._parked_now)
        gauge("commongrid.seal.age", "s", "Time since a seal of the log was last published", self._seal)
        gauge("commongrid.watermark.age", "s", "Age of the oldest writing transaction on the server", self._watermark)

    def _lag_events(self) -> Iterator[Observation]:
        for it in (*self.own, *self.topics):
            yield Observation(it.events, {"consumer": it.consumer, "source": it.source or "own store"})

    def _lag_seconds(self) -> Iterator[Observation]:
        for it in (*self.own, *self.topics):
            yield Observation(it.seconds, {"consumer": it.consumer, "source": it.source or "own store"})

    def _parked_now(self) -> Iterator[Observation]:
        for consumer, count in self.parked.items():
            yield Observation(count, {"consumer": consumer})

    def _watermark(self) -> Iterator[Observation]:
        yield Observation(self.watermark_age)

    def _seal(self) -> Iterator[Observation]:
        yield Observation(self.seal_age)


WATERMARK = "select pg_snapshot_xmin(it), pg_snapshot_xmax(it) from pg_current_snapshot() as it"
