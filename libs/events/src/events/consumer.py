"""A consumer takes each event once: a read model in one transaction with its progress, a policy by commands with keys.

Both drop repeats by position, park what they cannot take with all that follows it in its stream, and are overtaken
rather than wrong when somebody else owns their progress (promises 3, 4 and 6).
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from events import parking
from events.commands import Commands
from events.event import Catalogue, Raw, Recorded
from events.policy import Policy, Several
from events.privacy.data import PersonalData
from events.privacy.sealing import DoesNotOpen
from events.progress import Chunk, Overtaken, advance, advancing
from events.read_model import Connection, ReadModel
from events.store import Context
from events.telemetry import continued_each, delay, projected
from events.wire import UNREADABLE

MOST = 100
"""How many events a policy reacts to at once: as many as what they append goes to the store with at a time."""


class Placed(NamedTuple):
    """An event and where it came from: as it was sent, which is how it is parked, and with its personal fields opened,
    which is how it is taken."""

    source: str
    partition: int
    raw: Raw
    opened: Raw | DoesNotOpen


class NotOurs(ValueError):
    """A message on the topic is not an event of ours."""


class Consumer(ABC):
    """Takes chunks of events over one connection, one call at a time."""

    def __init__(self, name: str, catalogue: Catalogue, db: Connection, personal: PersonalData) -> None:
        self.name = name
        self.catalogue = catalogue
        self.db = db
        self.personal = personal
        self._parked: set[tuple[str, str]] = set()
        self._parked_known = False
        self._built_at: datetime | None = None
        self._durable = True
        self._one_at_a_time = asyncio.Lock()

    async def take(self, chunks: Sequence[Chunk]) -> None:
        """Lets each event take effect once and records the progress. Raises Overtaken, or an error of the moment."""
        async with self._one_at_a_time:
            if not self._parked_known:
                self._built_at = await self._last_built()  # first: see _advancing
                self._parked = await parking.streams(self.db, self.name)
                self._parked_known = True
            fresh = [
                (chunk, raw)
                for chunk in chunks
                for raw in chunk.fresh()
                if raw.type in self.catalogue or raw.type == UNREADABLE
            ]
            opened = await self.personal.open_each([raw for _, raw in fresh], self.catalogue)
            events = [
                Placed(chunk.source, chunk.partition, raw, it) for (chunk, raw), it in zip(fresh, opened, strict=True)
            ]
            try:
                if events:
                    await self._take(events, chunks)
                else:  # nothing is lost if a crash takes the marks back: what would be read again is not for us
                    await advance(self.db, self.name, chunks, self._built_at, durable=False)
            except BaseException:
                self._parked_known = False  # what was rolled back is not parked
                raise
            if events:
                projected.add(len(events), {"consumer": self.name})
                delay((datetime.now(UTC) - events[-1].raw.recorded_at).total_seconds(), self.name)

    @asynccontextmanager
    async def between_takes(self) -> AsyncGenerator[Connection]:
        """The consumer's connection, while partitions change hands: others may have parked events of theirs."""
        async with self._one_at_a_time:
            self._parked_known = False
            yield self.db

    @abstractmethod
    async def retry(self, source: str, stream: str) -> int:
        """Tries what is parked of a stream again, in order; returns how many events took effect."""

    @abstractmethod
    async def _take(self, events: Sequence[Placed], chunks: Sequence[Chunk]) -> None: ...

    def _advancing(self, chunks: Sequence[Chunk]) -> AbstractAsyncContextManager[None]:
        """A transaction that records the progress. A rebuild that took over at the very same place does not show in the
        marks, but what is parked is another's since: so it overtakes whoever fed the tables before."""
        return advancing(self.db, self.name, chunks, self._built_at, durable=self._durable)

    async def _last_built(self) -> datetime | None:
        return await self.db.fetchval("select created_at from log.read_models where schema = $1", self.name)

    async def _blocked(self, event: Placed) -> bool:
        """Parks the event if something of its stream is parked; to be called in a transaction."""
        stream = (event.source, event.raw.stream)
        if stream not in self._parked:
            return False
        # Only this consumer adds to what is parked, but an operator may have cleared it since.
        if await parking.still_parked(self.db, self.name, *stream):
            await self._park(event, parking.BEHIND)
            return True
        self._parked.discard(stream)
        return False

    async def _park(self, event: Placed, error: str) -> None:
        await parking.park(self.db, self.name, event.source, event.partition, event.raw, error)
        self._parked.add((event.source, event.raw.stream))


class Projection(Consumer):
    """Feeds a read model. Its connection's search path names the tables, live or being rebuilt.

    A rebuild's commits need not wait for the disk: what a crash takes from their end, rows and progress alike, is taken
    again, and the switch is a commit that waits for all before it.
    """

    def __init__(
        self, read_model: ReadModel, schema: str, db: Connection, personal: PersonalData, *, durable: bool = True
    ) -> None:
        match read_model.personal:
            case True:
                seen = personal
            case False:
                seen = personal.unseen()
            case fields:
                seen = personal.seeing(fields)
        super().__init__(schema, Catalogue(read_model.follows), db, seen)
        self.read_model = read_model
        self._durable = durable

    async def _take(self, events: Sequence[Placed], chunks: Sequence[Chunk]) -> None:
        careful = bool(self._parked) and any((e.source, e.raw.stream) in self._parked for e in events)
        if not careful:
            try:
                async with self._advancing(chunks):
                    await self._apply(events)
            except Exception as error:
                if not events or isinstance(error, Overtaken) or parking.is_transient(error):
                    raise
            else:
                return
        async with self._advancing(chunks):
            await self._apply_what_can_be(events)

    async def _apply_what_can_be(self, events: Sequence[Placed]) -> None:
        """Finds the bad ones by halving, parks them, and applies the rest, each stream's order kept."""
        events = [event for event in events if not await self._blocked(event)]
        if not events:
            return
        try:
            async with self.db.transaction():
                await self._apply(events)
        except Exception as error:
            if parking.is_transient(error):
                raise
            if len(events) == 1:
                await self._park(events[0], parking.describe(error))
                return
            middle = len(events) // 2
            await self._apply_what_can_be(events[:middle])
            await self._apply_what_can_be(events[middle:])

    async def _apply(self, events: Sequence[Placed]) -> None:
        raws = [_readable(event.opened) for event in events]
        with continued_each((raw.traceparent for raw in raws), f"project {self.read_model.name}"):
            await self.read_model.apply(self.db, raws, self.catalogue, await self._index_key())

    async def _index_key(self) -> bytes | None:
        return await self.personal.keys.index_key() if self.read_model.indexed else None

    async def retry(self, source: str, stream: str) -> int:
        """Applies what is parked of a stream, in order, in one transaction; returns how many. Raises what the
        handler raises, and then changes nothing."""
        done = 0
        async with self.db.transaction():
            # Somebody may park one more behind while we wait for the lock: look again until nothing is left.
            while waiting := await parking.of_stream(self.db, self.name, source, stream):
                for parked in waiting:
                    if parked.raw.type == UNREADABLE:
                        raise NotOurs("it is no event of ours and can only be dropped")
                opened = await self.personal.open([parked.raw for parked in waiting], self.catalogue)
                for raw in opened:
                    await self.read_model.apply(self.db, [raw], self.catalogue, await self._index_key())
                await parking.remove(self.db, [parked.id for parked in waiting])
                done += len(waiting)
        return done


class Reacting(Consumer):
    """Feeds a policy: each event runs its reaction, whose commands carry keys made from the event."""

    def __init__(self, policy: Policy, db: Connection, commands: Commands) -> None:
        personal = commands.personal if policy.personal else commands.personal.unseen()
        super().__init__(policy.name, Catalogue(policy.follows), db, personal)
        self.policy = policy
        self.commands = commands

    async def _take(self, events: Sequence[Placed], chunks: Sequence[Chunk]) -> None:
        for some in self._together(events):
            await self._react_and_park([event for event in some if not await self._waits(event)])
        await advance(self.db, self.name, chunks)

    def _together(self, events: Sequence[Placed]) -> Iterator[Sequence[Placed]]:
        """The events in order; as one, neighbours of different streams that one reaction takes at once."""
        some: list[Placed] = []
        streams: set[tuple[str, str]] = set()
        for event in events:
            stream = event.source, event.raw.stream
            if some and not (len(some) < MOST and stream not in streams and self._alike(some[-1].raw, event.raw)):
                yield some
                some, streams = [], set()
            some.append(event)
            streams.add(stream)
        if some:
            yield some

    def _alike(self, one: Raw, other: Raw) -> bool:
        return one.type == other.type != UNREADABLE and self.catalogue.class_of(one.type) in self.policy.to_several

    async def _waits(self, event: Placed) -> bool:
        """Parks the event if something of its stream is parked."""
        if (event.source, event.raw.stream) not in self._parked:
            return False
        async with self.db.transaction():
            return await self._blocked(event)

    async def _react_and_park(self, events: Sequence[Placed]) -> None:
        """Reacts to all of them at once; or, if that fails, to each by itself, and parks those that it fails for."""
        if not events:
            return
        try:
            await self.react([event.opened for event in events])
        except Exception as error:
            if parking.is_transient(error):
                raise
            if len(events) == 1:
                await self._park(events[0], parking.describe(error))
                return
            for event in events:
                await self._react_and_park([event])

    async def react(self, opened: Sequence[Raw | DoesNotOpen]) -> None:
        """Runs the reaction to events of one class. A second run changes nothing."""
        events = [Recorded(self.catalogue.decode(raw), raw) for raw in map(_readable, opened)]
        several = Several(self.name, self.commands, [(self._commands_for(event.raw), event) for event in events])
        await self.policy.reactions[type(events[0].data)](several)

    def _commands_for(self, raw: Raw) -> Commands:
        commands = self.commands.by(Context(actor=f"policy:{self.name}", correlation=raw.correlation, causation=raw.id))
        commands.key_seed = f"{self.name}:{raw.type}:{raw.id}"
        return commands

    async def retry(self, source: str, stream: str) -> int:
        """Runs the reactions to what is parked of a stream, in order; returns how many. Raises what a reaction
        raises; what went well before it stays done."""
        done = 0
        while True:
            async with self.db.transaction():
                waiting = await parking.of_stream(self.db, self.name, source, stream)
                if not waiting:
                    return done
                [opened] = await self.personal.open([waiting[0].raw], self.catalogue)
                await self.react([opened])
                await parking.remove(self.db, [waiting[0].id])
                done += 1


def _readable(opened: Raw | DoesNotOpen) -> Raw:
    """The event, if it is one of ours and as it was recorded."""
    if isinstance(opened, DoesNotOpen):
        raise opened
    if opened.type == UNREADABLE:
        raise NotOurs(opened.causation)
    return opened
