"""Sees every event that passes through the shared log, and shows it to all viewers of the live view.

One reader of all topics serves any number of viewers: it begins with the first, at the end of the log, and ends with
the last. It belongs to no consumer group and takes nothing from anyone. Nothing of an event's data leaves this module,
only what the log knows about it. A viewer who is slow loses the oldest events that wait, never delays others. While
Kafka is away it says so, and goes on from where it was as soon as Kafka is back.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from events.event import Raw, aggregate_of, service_of
from events.kafka import KafkaError, Partition, TopicReader, WrongTopics
from events.settings import Settings

from notifications.live.topology import TOPICS

WAITING_AT_MOST = 1000
"""Events kept for a viewer who is slow."""
HEARTBEAT = 2.0
"""Seconds between looks at whether Kafka answers and how long the log is."""
ANSWER_WITHIN = 3.0
RECONNECT_AFTER = 2.0
LOOK_FOR_TOPICS_AFTER = 10.0

AWAY = (KafkaError, OSError, TimeoutError, WrongTopics)


@dataclass(frozen=True, slots=True)
class Passed:
    """An event that passed, without its data. `stream` is pseudonymous; `time` is when its store took it."""

    service: str
    aggregate: str
    type: str
    stream: str
    time: datetime
    lag_ms: int
    """From its record in the store to its sight on the log."""


@dataclass(frozen=True, slots=True)
class State:
    """Whether the log can be read, and how many messages each topic of it holds."""

    kafka: Literal["connecting", "connected", "away"] = "connecting"
    totals: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(eq=False)
class Viewer:
    """One who looks."""

    passed: deque[Passed] = field(default_factory=lambda: deque[Passed](maxlen=WAITING_AT_MOST))
    state: State | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def see(self, events: Iterable[Passed]) -> None:
        """New events; the oldest that still wait are dropped if there are too many."""
        self.passed.extend(events)
        self._news.set()

    def told(self, state: State) -> None:
        """The log's state; only the latest matters."""
        self.state = state
        self._news.set()

    async def next(self) -> tuple[State | None, list[Passed]]:
        """What is new since the last time; waits until something is."""
        await self._news.wait()
        self._news.clear()
        state, self.state = self.state, None
        passed = list(self.passed)
        self.passed.clear()
        return state, passed


class Tail:
    """The reader that all viewers share."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._state = State()
        self._next: dict[Partition, int] = {}
        self._running: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def viewer(self, settings: Settings) -> AsyncGenerator[Viewer]:
        """Somebody looks, as long as the context lasts."""
        viewer = Viewer()
        self._viewers.add(viewer)
        viewer.told(self._state)
        if self._running is None:
            self._running = asyncio.create_task(self._run(settings), name="live tail")
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers:
                self._stop()

    def _stop(self) -> None:
        """Ends the reader. It is not waited for: who leaves may be being cancelled, and would cancel its farewell."""
        if self._running:
            self._running.cancel()
            self._ending.add(self._running)
            self._running.add_done_callback(self._ending.discard)
        self._running, self._state, self._next = None, State(), {}

    async def _run(self, settings: Settings) -> None:
        topics = [f"{settings.topic_prefix}.{topic}" for topic in TOPICS]
        while True:
            try:
                await self._follow(TopicReader(settings, topics, None), topics)
            except AWAY:
                self._tell(State("away", self._state.totals))
                await asyncio.sleep(RECONNECT_AFTER)

    async def _follow(self, reader: TopicReader, topics: Sequence[str]) -> None:
        """Reads until Kafka goes away, or until it is time to look for topics that were missing."""
        loop = asyncio.get_running_loop()
        started, beat = loop.time(), 0.0
        partitions: list[Partition] = []

        async def assigned(found: list[Partition]) -> None:
            partitions.extend(found)
            for partition, end in (await reader.ends(found)).items():
                reader.seek(partition, self._next.setdefault(partition, end))

        try:
            async with asyncio.timeout(ANSWER_WITHIN * 3):
                await reader.start(assigned)
            missing = set(topics) - {partition.topic for partition in partitions}
            while not missing or loop.time() < started + LOOK_FOR_TOPICS_AFTER:
                if loop.time() >= beat + HEARTBEAT:
                    beat = loop.time()
                    await self._look(reader, partitions)
                for partition, next_offset, raws in await reader.read(0.5, 500):
                    self._next[partition] = next_offset
                    self._show(raws)
        finally:
            # With Kafka away, the fetches that aiokafka cancels come out of this as if we had been cancelled.
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_WITHIN):
                    await asyncio.gather(reader.stop(), return_exceptions=True)

    async def _look(self, reader: TopicReader, partitions: list[Partition]) -> None:
        async with asyncio.timeout(ANSWER_WITHIN):
            ends = await reader.ends(partitions)
        totals: dict[str, int] = {}
        for partition, end in ends.items():
            totals[partition.topic] = totals.get(partition.topic, 0) + end
        self._tell(State("connected", totals))

    def _tell(self, state: State) -> None:
        if state != self._state:
            self._state = state
            for viewer in self._viewers:
                viewer.told(state)

    def _show(self, raws: Iterable[Raw]) -> None:
        now = datetime.now(UTC)
        seen = [passed(raw, now) for raw in raws if len(raw.type.split(".")) == 5]
        for viewer in self._viewers:
            viewer.see(seen)


def passed(raw: Raw, now: datetime) -> Passed:
    """What may be shown of an event."""
    return Passed(
        service=service_of(raw.type),
        aggregate=aggregate_of(raw.type),
        type=raw.type,
        stream=raw.stream,
        time=raw.recorded_at,
        lag_ms=max(0, round((now - raw.recorded_at).total_seconds() * 1000)),
    )


def as_json(news: Passed | State) -> dict[str, Any]:
    """For the wire."""
    return asdict(news)
