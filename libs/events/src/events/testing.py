"""Given these events, when a command, then those events: a sentence of the trade as a test.

given(CASE, reported, accepted).when(Dispatch(worker=LI, due=FRIDAY)).then(CaseDispatched(worker=LI, due=FRIDAY))
given(CASE, reported, closed).when(Dispatch(worker=LI, due=FRIDAY)).refused(NotPossibleNow)
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from events.aggregate import Aggregate, Refused
from events.clock import Clock, system_clock
from events.event import Event, aggregate_of, service_of
from events.freshness import Token
from events.kafka import ensure_topics
from events.lag import own_lag
from events.migrate import migrate
from events.privacy.cache import KeyCache
from events.privacy.data import ForeignKeys
from events.privacy.keys import Keys, PersonKeys
from events.privacy.ring import KeyRing, read_ring
from events.privacy.sealing import PersonKey
from events.progress import RELAY
from events.runtime import Runtime, open_runtime
from events.service import Service
from events.settings import Settings

RING = KeyRing("of-tests", {"of-tests": bytes(range(32))}, bytes(range(32, 64))).text()
"""A key ring for the settings of a service in a test."""


@dataclass(frozen=True)
class Given:
    """A history."""

    aggregate: Aggregate[Any, Any]
    history: tuple[Event, ...]

    def when(self, command: Any) -> "When":
        """The command to decide on that history."""
        state = self.aggregate.fold(self.history)
        try:
            return When(tuple(self.aggregate.decide(state, command)), None)
        except Refused as refusal:
            return When((), refusal)


@dataclass(frozen=True)
class When:
    """What came of the command."""

    events: tuple[Event, ...]
    refusal: Refused | None

    def then(self, *expected: Event) -> None:
        """Exactly these events follow; none, if none are named."""
        if self.refusal:
            raise AssertionError(f"expected {list(expected)}, but it was refused: {self.refusal}") from self.refusal
        assert self.events == expected, f"expected {list(expected)}, got {list(self.events)}"

    def refused(self, reason: type[Refused], match: str = "") -> None:
        """It is refused for this reason, with these words in the message."""
        assert self.refusal is not None, f"expected {reason.__name__}, got {list(self.events)}"
        assert isinstance(self.refusal, reason), f"expected {reason.__name__}, got {self.refusal!r}"
        assert match in str(self.refusal), f"expected {match!r} in {str(self.refusal)!r}"


def given(aggregate: Aggregate[Any, Any], *history: Event) -> Given:
    """Begins the sentence."""
    return Given(aggregate, history)


_DATABASES: dict[tuple[str, str], list[str]] = {}
"""Where services ran in this process, by topic prefix and name."""


class Neighbours(Mapping[str, Keys]):
    """The keys of services that ran under a prefix in this process, by name."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._known: dict[str, KeyCache] = {}

    def __getitem__(self, owner: str) -> Keys:
        return FromTables(_DATABASES[self._prefix, owner], self._known.setdefault(owner, KeyCache()))

    def __iter__(self) -> Iterator[str]:
        return (owner for prefix, owner in _DATABASES if prefix == self._prefix)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class FromTables:
    """Keys straight from the tables of a service, whether it runs at the moment or not."""

    def __init__(self, databases: Sequence[str], cache: KeyCache) -> None:
        self._databases = databases
        self._cache = cache

    async def obtain(self, subjects: Collection[str]) -> Mapping[str, PersonKey | None]:
        known = self._cache.find(subjects)
        asked_at = self._cache.now()
        if ask := [subject for subject in subjects if subject not in known]:
            found: dict[str, PersonKey | None] = dict.fromkeys(ask)
            for url in {*self._databases}:
                async with asyncpg.create_pool(url, min_size=0, max_size=1) as pool:
                    keys = await PersonKeys(pool, read_ring(RING)).obtain(ask)
                    found |= {subject: key for subject, key in keys.items() if key}
            self._cache.put(asked_at, found)
            known |= found
        return known


@asynccontextmanager
async def running(
    service: Service,
    database_url: str,
    kafka: str,
    prefix: str,
    clock: Clock = system_clock,
    *,
    work: bool = True,
    foreign_keys: ForeignKeys | None = None,
) -> AsyncGenerator[Runtime]:
    """A process of the service on real servers, in an empty (or used) database of its own, already at work. It has the
    keys of the services that ran before under this prefix, as it would over HTTP; `foreign_keys={}`: of none."""
    _DATABASES.setdefault((prefix, service.name), []).append(database_url)
    settings = Settings(database_url, kafka, prefix, keys=RING)
    await migrate(service, settings)
    await ensure_topics(service, settings)
    keys = Neighbours(prefix) if foreign_keys is None else foreign_keys
    async with open_runtime(service, settings, clock, keys) as runtime:
        working = asyncio.create_task(runtime.work()) if work else None
        try:
            yield runtime
        finally:
            if working:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)


async def publish(database_url: str, kafka: str, prefix: str, *events: tuple[str, Event]) -> list[Token]:
    """Publishes events as the service that owns their types would: through a store and a relay of its own.

    Each event comes with the id of its thing; several of one thing follow one another. Returns once Kafka has them.
    """
    name = service_of(events[0][1].type_name)
    kinds = {aggregate_of(event.type_name) for _, event in events}
    classes = {kind: tuple({type(e) for _, e in events if aggregate_of(e.type_name) == kind}) for kind in kinds}
    service = Service(name, [Aggregate(kind, None, _as_told, _unchanged, classes[kind]) for kind in sorted(kinds)])
    of_kind = {aggregate.name: aggregate for aggregate in service.aggregates}
    tokens: list[Token] = []
    async with running(service, database_url, kafka, prefix) as runtime:
        for id_, event in events:
            done = await runtime.commands.execute(of_kind[aggregate_of(event.type_name)], id_, event)
            if done.token:
                tokens.append(done.token)
        await eventually(lambda: _relayed(runtime))
    return tokens


def _as_told(_: None, event: Event) -> list[Event]:
    return [event]


def _unchanged(state: None, _: Event) -> None:
    return state


async def _relayed(runtime: Runtime) -> bool:
    return all(lag.events == 0 for lag in await own_lag(runtime.db, [RELAY]))


async def eventually(condition: Callable[[], Awaitable[object]], seconds: float = 60.0) -> None:
    """Polls until the condition holds; AssertionError with its last answer (or error) after so long."""
    deadline, last = asyncio.get_running_loop().time() + seconds, None
    while asyncio.get_running_loop().time() < deadline:
        try:
            last = await condition()
            if last:
                return
        except AssertionError as error:
            last = error
        await asyncio.sleep(0.02)
    raise AssertionError(f"did not come true within {seconds:g} s; last: {last!r}")
