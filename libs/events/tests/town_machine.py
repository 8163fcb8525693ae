"""The desk's machine with Kafka beside it: relays that are killed or two at once, and a hall that follows the desk. The
topic must hold every settled event, in the order of the store, and each must take effect in the hall once."""

import asyncio
from collections.abc import Callable

from broker import messages
from desk_machine import Killed, Machine, awaited, bad_note
from events import ReadModel, relay
from events.event import Position
from events.feeds import TopicFeed
from events.kafka import TopicReader, ensure_topics
from events.partitioning import partition_of
from events.progress import OWN, RELAY, Overtaken, marks
from events.runtime import Runtime
from events.settings import Settings
from events.testing import eventually
from front_desk import Closed, Noted, Raised, journal
from hypothesis import strategies as st
from hypothesis.stateful import rule
from model import Follower

PARTITIONS = 2
HEARD = "heard"
HEARD_SCHEMA = journal(HEARD).schema


class Town(Machine):
    """The desk, its relays, and the journal of a hall that follows the desk by its topic."""

    async def _open(self, postgres: str, template: str, settings: Callable[[str], Settings]) -> None:
        await super()._open(postgres, template, settings)
        self.topic = f"{self.runtime.settings.topic_prefix}.desk.matter"
        self.heard = Follower((Raised, Noted, Closed), bad_note)
        self.sent = 0
        self.hearing: TopicFeed | None = None
        await ensure_topics(self.service, self.runtime.settings)

    # Relays

    async def _sent_all(self) -> bool:
        mark = (await marks(self.db, RELAY, OWN, [0]))[0]
        return self.desk.settled()[-1].position <= mark.position

    async def _relay(self) -> None:
        async with self.runtime.connection() as db:
            await relay.relay(db, self.service, self.runtime.settings, self.runtime.wake)

    @rule(relays=st.sampled_from([1, 1, 2]))
    @awaited
    async def relay(self, relays: int) -> None:
        """One, or two that each believe to be alone."""
        await self._relay_all(relays)

    async def _relay_all(self, relays: int) -> None:
        await self._settled()
        if not self.desk.settled():
            return
        tasks = [asyncio.create_task(self._relay()) for _ in range(relays)]
        try:
            await eventually(self._sent_all)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(it) for it in ended} <= {asyncio.CancelledError, Overtaken}
        self.sent = len(self.desk.settled())

    @rule()
    @awaited
    async def a_relay_is_killed_before_it_marked(self) -> None:
        await self._settled()
        if not self.desk.settled() or await self._sent_all():
            return
        async with self.runtime.connection() as holding, holding.transaction():
            await holding.execute("select from log.progress where consumer = $1 for update", RELAY)
            killed = asyncio.create_task(self._relay())
            await eventually(lambda: _waits_for(self.runtime, holding.get_server_pid()))
            killed.cancel()
            await asyncio.wait([killed])

    # The hall

    @rule(kill=st.none() | st.none() | st.integers(0, 5), owners=st.sampled_from([1, 1, 2]))
    @awaited
    async def hear(self, kill: int | None, owners: int) -> None:
        await self._hear(kill, owners)

    async def _hear(self, kill: int | None = None, owners: int = 1) -> None:
        """Somebody hears all that is there; whoever is killed or overtaken begins anew."""
        self.until_killed = kill
        try:
            while not all(await asyncio.gather(*(self._hear_to_the_end() for _ in range(owners)))):
                self.until_killed = None
        finally:
            self.until_killed = None
        self.heard.give(self.desk.settled()[self.heard.read : self.sent])

    async def _hear_to_the_end(self) -> bool:
        async with self.runtime.consumer(self._hall(), HEARD_SCHEMA) as consumer:
            feed = TopicFeed(consumer, TopicReader(self.runtime.settings, [self.topic], None), None)
            try:
                await feed.start()
                while any(feed.marks[it].next_offset < end for it, end in (await feed.ends()).items()):
                    await feed.step(1.0)
            except (Killed, Overtaken):
                return False
            finally:
                await feed.stop()
        return True

    def _hall(self) -> ReadModel:
        return journal(HEARD, hook=self._hook)

    @rule()
    @awaited
    async def the_hall_is_mended_and_retries(self) -> None:
        self.heard.mended = True
        await self.db.execute(f"alter table {HEARD_SCHEMA}.journal drop constraint if exists no_poison")
        async with self.runtime.consumer(self._hall()) as operator:
            for stream in sorted(self.heard.waiting()):
                assert await operator.retry(self.topic, stream) == self.heard.retry(stream)

    # What must be true

    async def _compare_followers(self) -> None:
        await super()._compare_followers()
        assert dict(await self.db.fetch(f"select matter, versions from {HEARD_SCHEMA}.journal")) == self.heard.journal()
        rows = await self.db.fetch(
            "select stream, version from log.parked where consumer = $1 order by id", HEARD_SCHEMA
        )
        for stream in {row[0] for row in rows} | self.heard.waiting():
            waiting = [it.version for it in self.heard.parked if it.stream == stream]
            assert [version for it, version in rows if it == stream] == waiting

    async def _finish(self) -> None:
        if self.late:
            await self._end_late(commit=True)
        await self._relay_all(1)
        await self._hear()
        await super()._finish()
        await self._compare_topic()

    async def _compare_topic(self) -> None:
        """Every event at least once, none that was never committed, and in each partition the first of each in the
        order of the store."""
        first: dict[int, dict[tuple[Position, str], None]] = {number: {} for number in range(PARTITIONS)}
        for message in await messages(self.runtime.settings.kafka, self.topic, PARTITIONS):
            first[message.partition][Position.parse(message.headers["ce_position"]), message.id] = None
        for number, found in first.items():
            settled = (it for it in self.desk.settled() if partition_of(it.stream, PARTITIONS) == number)
            assert [*found] == [(it.position, f"{it.stream}/{it.version}") for it in settled]


async def _waits_for(runtime: Runtime, backend: int) -> bool:
    return await runtime.db.fetchval(
        "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))", backend
    )
