"""One running process of a service: its connections, its commands, and the work behind them.

`open_runtime` needs only the service's own database (promise 11). `work` runs relay, projections, policies and
timers until it is cancelled; each of them is started again when it fails, with growing pauses, and goes on from the
progress in Postgres.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import asyncpg
import structlog

from events import feeds, grouped, lag, parking, relay, seals
from events.clock import Clock, system_clock
from events.commands import Commands
from events.consumer import Consumer, Projection, Reacting
from events.leases import while_holding
from events.measures import Measures
from events.policy import Policy
from events.privacy.data import ForeignKeys, PersonalData
from events.privacy.keys import PersonKeys
from events.privacy.vault import KeyVault, NoVault
from events.progress import Overtaken
from events.read_model import Connection, Pool, ReadModel
from events.service import Service
from events.settings import Settings
from events.timers import run_timers
from events.wake import CHANNEL, Wake

__all__ = ["Runtime", "Settings", "open_runtime"]

log = structlog.get_logger(__name__)

STORE_LEASE = "store"
KEEP_KEYS_DAYS = 30
"""How long an idempotency key is remembered."""


@dataclass
class Runtime:
    """A running process of a service."""

    service: Service
    settings: Settings
    db: Pool
    clock: Clock
    wake: Wake
    commands: Commands
    personal: PersonalData
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    reading_store: bool = False

    def __post_init__(self) -> None:
        self.measures = Measures(self.service, self.settings, self.db)

    async def ready(self) -> list[str]:
        """Why this process cannot serve; empty if it can. Kafka and other services may be away."""
        try:
            async with asyncio.timeout(3):
                rows = await self.db.fetch(
                    """select r.schema from log.read_models r where r.caught_up_at is null and r.schema = any($1)
                       and exists (select from log.read_models o where o.name = r.name and o.version < r.version)""",
                    [read_model.schema for read_model in self.service.read_models],
                )
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return [f"the database does not answer: {type(error).__name__}"]
        return [f"read model {row[0]} is still being built" for row in rows]

    async def work(self) -> None:
        """Relays, projects, reacts and minds the timers, until cancelled."""
        prefix = self.settings.topic_prefix
        async with asyncio.TaskGroup() as tasks:

            def keep(name: str, run: Callable[[], Awaitable[None]]) -> None:
                tasks.create_task(keep_running(name, run), name=name)

            keep("timers", lambda: run_timers(self.commands))
            keep("listener", self._listen)
            keep("measures", self.measures.watch)
            if lag.foreign_consumers(self.service, prefix):
                keep("lag of topics", self.measures.watch_topics)
            keep("housekeeping", self._forget_old_keys)
            keep("store", lambda: while_holding(self.db, STORE_LEASE, self.holder, self._read_store))
            for part in (*self.service.read_models, *self.service.policies):
                topics = self.service.foreign_topics(part, prefix)
                if topics:
                    keep(f"topics {part.name}", lambda part=part, topics=topics: self._read_topics(part, topics))

    async def _read_store(self) -> None:
        """Relay, seals and own projections: one process at a time, by lease."""
        self.reading_store = True
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(keep_running("relay", self._relay))
                tasks.create_task(keep_running("seals", self._seal))
                for part in (*self.service.read_models, *self.service.policies):
                    if self.service.follows_own(part):
                        tasks.create_task(keep_running(f"store {part.name}", lambda part=part: self._feed(part)))
        finally:
            self.reading_store = False

    async def _relay(self) -> None:
        async with self.connection() as db:
            await relay.relay(db, self.service, self.settings, self.wake)

    async def _seal(self) -> None:
        async with self.connection() as db:
            await seals.keep_sealing(db, self.service, self.settings, system_clock)  # as evidence, by the real time

    async def _feed(self, part: ReadModel | Policy) -> None:
        async with self.consumer(part) as consumer:
            await feeds.feed_from_store(consumer, self.wake)

    async def _read_topics(self, part: ReadModel | Policy, topics: list[str]) -> None:
        group = lag.group_name(self.settings.topic_prefix, self.service, part)
        async with self.consumer(part) as consumer:
            await feeds.feed_from_topics(consumer, self.settings, topics, group)

    @asynccontextmanager
    async def consumer(self, part: ReadModel | Policy, schema: str | None = None) -> AsyncGenerator[Consumer]:
        """A consumer for a read model or policy, on a connection of its own; `schema` names other tables than the
        live ones, which nobody reads yet."""
        if isinstance(part, Policy):
            async with self.connection() as db:
                yield Reacting(part, db, self.commands)
        else:
            async with self.connection(schema or part.schema) as db:
                yield Projection(part, schema or part.schema, db, self.personal, durable=schema is None)

    @asynccontextmanager
    async def connection(self, schema: str | None = None) -> AsyncGenerator[Connection]:
        """A connection of one's own; unqualified table names are those of `schema`."""
        path = f'"{schema}", public' if schema else "public"
        db = await _connect(self.settings, path)
        try:
            yield db
        finally:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await db.close(timeout=2)

    async def _listen(self) -> None:
        """Wakes this process when another one of the service has appended."""
        async with self.connection() as db:
            lost = asyncio.Event()

            def on_lost(_: object) -> None:
                lost.set()

            def on_appended(*_: object) -> None:
                self.wake.set()

            db.add_termination_listener(on_lost)
            await db.add_listener(CHANNEL, on_appended)
            await lost.wait()
            raise ConnectionResetError("the listening connection was lost")

    async def tell_others(self) -> None:
        """Tells the service's other processes of appends: off the append's path, one NOTIFY for all of a moment.
        Runs until cancelled, in a process that takes commands."""
        await keep_running("notify", self._tell_others)

    async def _tell_others(self) -> None:
        async with self.connection() as db:
            told = 0
            while True:
                appends = self.wake.appends
                if appends == told:
                    await self.wake.wait(self.wake.count, 3600)
                    continue
                if not self.reading_store:
                    await db.execute(f"notify {CHANNEL}")
                told = appends
                await asyncio.sleep(0.005)

    async def _forget_old_keys(self) -> None:
        while True:
            await self.db.execute(
                "delete from log.commands where recorded_at < clock_timestamp() - make_interval(days => $1)",
                KEEP_KEYS_DAYS,
            )
            await asyncio.sleep(3600)


@asynccontextmanager
async def open_runtime(
    service: Service, settings: Settings, clock: Clock = system_clock, foreign_keys: ForeignKeys | None = None
) -> AsyncGenerator[Runtime]:
    """Opens a process of the service. The database may be away at first: commands and queries then fail, and succeed
    when it is there. `foreign_keys` open other services' events, by themselves those of the settings; what there is no
    source for reads as erased. Raises NoVault where the service's own events have personal fields and no
    key-encryption key is set, NotARing, or OSError."""
    vault = vault_of(service, settings)
    foreign = settings.foreign_keys() if foreign_keys is None else foreign_keys
    path = ", ".join([*(f'"{read_model.schema}"' for read_model in service.read_models), "public"])
    pool = asyncpg.create_pool(
        settings.database_url,
        min_size=0,
        max_size=settings.max_pool,
        statement_cache_size=settings.statement_cache_size,
        server_settings={"search_path": path, "application_name": f"{service.name} api"},
        timeout=10,
        reset=_nothing_to_reset,
    )
    async with pool:
        wake = Wake()
        keys = PersonKeys(pool, vault)
        personal = PersonalData(service.name, service.catalogue, keys, foreign)
        commands = Commands(
            service,
            pool,
            clock,
            wake,
            grouped.loads(pool),
            grouped.loads_with_keys(pool, keys),
            grouped.appends(pool),
            personal,
            partitions=settings.partitions,
            prefix=settings.topic_prefix,
        )
        yield Runtime(service, settings, pool, clock, wake, commands, personal)


def vault_of(service: Service, settings: Settings) -> KeyVault | None:
    """Where the service's key-encryption keys are, if its own events have personal fields. Raises NoVault, NotARing, or
    OSError."""
    if not service.personal:
        return None
    if vault := settings.vault():
        return vault
    raise NoVault


async def _nothing_to_reset(_: object) -> None:
    """Spares a round trip each time a connection goes back to the pool: who takes one from there leaves nothing behind
    (asyncpg itself ends a transaction that is still open)."""


async def _connect(settings: Settings, path: str) -> Connection:
    return await asyncpg.connect(
        settings.database_url,
        timeout=10,
        statement_cache_size=settings.statement_cache_size,
        server_settings={"search_path": path, "application_name": "commongrid worker"},
    )


async def keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Runs it again whenever it ends or fails, with growing pauses; says so once for each kind of failure."""
    pause, said = 0.1, ""
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            await run()
            what = "ended"
        except Overtaken:
            what = "overtaken"
        except Exception as error:
            what = parking.describe(error)
            if what != said:
                log.warning("will be tried again", part=name, error=what)
        said = what
        if loop.time() - started > 30:
            pause = 0.1
        await asyncio.sleep(pause)
        pause = min(pause * 2, 5.0)
