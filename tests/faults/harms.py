"""The harm, by name. Each does it, lets it last, and heals; two may be at work at the same time, on different parts."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, TypeVar

import asyncpg
import backups
import httpx2
from assessment.read_models.outcomes import outcomes
from events.testing import eventually
from grid_tasks.read_models.case_board import case_board
from local.errors import MissingPart
from local.services import SERVICES
from notifications.read_models.cases import cases
from town import BASE, DUMP, KEYS, PREFIX, Copy, Part, Town

T = TypeVar("T")
Harm = Callable[[Town, Random], Awaitable[None]]

SESSION = 10.0
"""Seconds after which Kafka gives the partitions of a silent consumer to others."""
LEASE = 5.0
"""Seconds after which another process takes the relay over."""


@asynccontextmanager
async def in_hand(*parts: Part) -> AsyncGenerator[None]:
    """Nobody else harms these meanwhile."""
    for part in parts:
        await part.in_hand.acquire()
    try:
        yield
    finally:
        for part in parts:
            part.in_hand.release()


async def kill_service(service: str, town: Town, random: Random) -> None:
    """SIGKILL of one copy, and a start."""
    await _kill(random.choice(town.of(service)), random)


async def kill_relay(town: Town, random: Random) -> None:
    """SIGKILL of the process that relays."""
    await _kill(await relaying(town, random.choice(list(town.databases))), random)


async def _kill(copy: Copy, random: Random) -> None:
    async with in_hand(copy):
        await copy.kill()
        await _last(random, 0.5, 4)
        await copy.service.start()


async def kill_both(town: Town, random: Random) -> None:
    """SIGKILL of both copies of a service at once."""
    copies = town.of(random.choice(list(town.databases)))
    async with in_hand(*copies):
        await asyncio.gather(*(copy.kill() for copy in copies))
        await _last(random, 0.5, 6)
        await asyncio.gather(*(copy.service.start() for copy in copies))


async def kill_postgres(town: Town, random: Random) -> None:
    """SIGKILL of a service's PostgreSQL, sessions and all."""
    database = random.choice(list(town.databases.values()))
    async with in_hand(database):
        await database.kill()
        await _last(random, 0.5, 5)
        await database.server.start()


async def stop_postgres_at_once(town: Town, random: Random) -> None:
    """`pg_ctl stop -m immediate` of a service's PostgreSQL."""
    database = random.choice(list(town.databases.values()))
    async with in_hand(database):
        await database.stop_at_once()
        await _last(random, 0.5, 5)
        await database.server.start()


async def kill_kafka(town: Town, random: Random) -> None:
    """SIGKILL of all of Kafka, and a start."""
    await _kafka_away(town, random, 1, 6)


async def kafka_long_away(town: Town, random: Random) -> None:
    """Kafka is away for longer than any time-out of its clients."""
    await _kafka_away(town, random, 20, 25)


async def _kafka_away(town: Town, random: Random, least: float, most: float) -> None:
    async with in_hand(*town.brokers):
        await town.kafka.kill()
        await _last(random, least, most)
        await town.kafka.start()


async def lose_leader(town: Town, random: Random) -> None:
    """SIGKILL of the node that leads a partition of the cases: another has to take over what was acknowledged."""
    leader = await town.kafka.leader(f"{PREFIX}.grid_tasks.case", random.randrange(12))
    broker = town.brokers[(leader or 1) - 1]
    async with in_hand(broker):
        await broker.kill()
        await _last(random, 2, 8)
        await broker.server.start()


async def fill_disk(town: Town, random: Random) -> None:
    """The disk of one node's log is full: it halts, and is started again when there is space."""
    broker = town.brokers[-1]
    async with in_hand(broker):
        child = broker.server.child
        if not (town.disk and child):
            raise MissingPart("Kafka's last node has no disk of its own, which takes the right to mount one")
        await asyncio.to_thread(town.disk.fill)
        with suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), 20)
        await _last(random, 1, 4)
        await asyncio.to_thread(town.disk.free)
        if not child.alive:
            await broker.server.start()


async def harm_way(part: str, how: str, town: Town, random: Random) -> None:
    """The way of one copy to its PostgreSQL, or of all to one node of Kafka, is cut, stalled or slow."""
    it = random.choice(list(town.copies.values()) if part == "postgres" else town.brokers)
    async with in_hand(it):
        match how:
            case "cut":
                await it.way.cut()
            case "stall":
                await it.way.stall()
            case _:
                await it.way.slow(bytes_per_second=50_000, delay=0.05)
        await _last(random, 4, 12)
        await it.way.heal()


async def freeze_service(town: Town, random: Random) -> None:
    """SIGSTOP of a copy until its partitions are others', then SIGCONT: it still believes that they are its own."""
    await _freeze(random.choice(list(town.copies.values())), random, SESSION)


async def freeze_relay(town: Town, random: Random) -> None:
    """SIGSTOP of the process that relays until another has taken over, then SIGCONT: two believe that they relay."""
    await _freeze(await relaying(town, random.choice(list(town.databases))), random, LEASE)


async def _freeze(copy: Copy, random: Random, beyond: float) -> None:
    async with in_hand(copy):
        copy.freeze()
        await _last(random, beyond + 1, beyond + 4)
        copy.thaw()


async def come_and_go(town: Town, random: Random) -> None:
    """Copies end in order and start again, so that partitions change hands time and again."""
    for copy in random.sample(list(town.copies.values()), 3):
        async with in_hand(copy):
            await copy.service.end()
            await _last(random, 0, 2)
            await copy.service.start()


async def rebuild(town: Town, random: Random) -> None:
    """A read model is built anew beside the live one, and takes over."""
    service = random.choice(list(town.databases))
    async with in_hand(town.read_models[service]):
        db = town.databases[service]
        names = await insist(db.url, lambda it: it.fetch(r"select name from log.read_models where schema !~ '__'"))
        name = random.choice(sorted(row[0] for row in names))
        await operate(town, service, "rebuild", name)


async def poison(town: Town, random: Random) -> None:
    """Some events, in the middle of their streams, cannot be taken by a read model until an operator mends the cause
    and retries; everything else goes on."""
    service, schema, table, check = random.choice(POISONS)
    if service not in town.databases:
        return
    url = town.databases[service].url
    async with in_hand(town.read_models[service]):
        add = f'alter table "{schema}"."{table}" add constraint poison check ({check}) not valid'
        await insist(url, lambda db: db.execute(add))
        parked = "select min(id) from log.parked where consumer = $1 group by stream"
        await until(20, lambda: insist(url, lambda db: db.fetch(parked, schema)))
        drop = f'alter table if exists "{schema}"."{table}" drop constraint if exists poison'
        await insist(url, lambda db: db.execute(drop))
        while ids := await insist(url, lambda db: db.fetch(parked, schema)):
            await operate(town, service, "parked", "retry", str(ids[0][0]))


POISONS = (
    ("grid_tasks", case_board.schema, "board_case", "step <> 'handed_in' or case_id !~ '[0-3]$'"),
    ("assessment", outcomes.schema, "outcome", "worker !~ '[1-5]$'"),
    ("notifications", cases.schema, "reported_case", "case_id !~ '[0-3]$'"),
)
"""Service, schema, table, and what must hold of each of its rows for a while."""


async def clock_jumps(town: Town, random: Random) -> None:
    """The trade's clock of one copy is hours ahead or behind for a while, the other's is not."""
    copy = random.choice(list(town.copies.values()))
    away = timedelta(hours=random.choice((-4, -1, 1, 4)))
    simulation = town.simulation.model_copy(update={"start": town.simulation.start + away})
    async with in_hand(copy):
        for told in ({"COMMONGRID_CLOCK": simulation.model_dump_json()}, {}):
            await copy.service.end()
            town.tell(copy, told)
            await copy.service.start()
            await _last(random, 4, 8)


async def bring_back(how: str, town: Town, random: Random) -> None:
    """A service's PostgreSQL is replaced by its last backup, from some rounds ago; what it lacks comes back from the
    topics, the persons' keys from the backup of their own (docs/operators.md, Backup and restore)."""
    service = random.choice(list(town.databases))
    copies, database = town.of(service), town.databases[service]
    async with in_hand(town.read_models[service], *copies, database), town.doors[service].closed():
        await town.back_up(service)
        # What had not reached the topics would be gone: the one loss that a backup stands for.
        if newest := await insist(database.url, lambda db: db.fetchrow(NEWEST)):
            await eventually(lambda: insist(database.url, lambda db: db.fetchval(RELAYED, *newest)), 180)
        await asyncio.gather(*(copy.service.end() for copy in copies))
        await backups.keys(database.server, service, keys := town.backup(service, KEYS))
        if how == BASE:
            await backups.put_in_place(database.server, town.backup(service, BASE))
        else:
            await backups.restore_into_new_cluster(database.server, service, town.backup(service, DUMP))
        await backups.put_back_keys(database.server, service, keys)
        await copies[0].service.migrate()
        await operate(town, service, "restore")
        await asyncio.gather(*(copy.service.start() for copy in copies))
        town.notes.keys_are_lost(service)
        await asyncio.to_thread(shutil.rmtree, town.backup(service, BASE))
        town.backup(service, DUMP).unlink()


NEWEST = "select incarnation, tx, position from log.events order by incarnation desc, tx desc, position desc limit 1"
RELAYED = "select (incarnation, tx, position) >= ($1, $2, $3) from log.progress where consumer = 'relay'"


async def operate(town: Town, service: str, *command: str) -> None:
    """What an operator does, again until it works."""

    async def done() -> bool:
        code, said = await town.of(service)[0].service.events(*command)
        assert code == 0, said
        return True

    await eventually(done, 180)


async def insist(url: str, ask: Callable[[Any], Awaitable[T]]) -> T:
    """Asks a database until it answers: somebody else may be harming it."""
    deadline = asyncio.get_running_loop().time() + 120
    while True:
        try:
            db = await asyncpg.connect(url, timeout=5)
            try:
                return await ask(db)
            finally:
                await db.close(timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.3)


async def until(seconds: float, look: Callable[[], Awaitable[object]]) -> None:
    """Waits until there is something to see, or for so long."""
    with suppress(AssertionError):
        await eventually(look, seconds)


async def relaying(town: Town, service: str) -> Copy:
    """The copy whose relay is sending at the moment."""
    copies = town.of(service)
    before = [await _relayed(copy) for copy in copies]
    for _ in range(100):
        for copy, sent in zip(copies, before, strict=True):
            if await _relayed(copy) > sent:
                return copy
        await asyncio.sleep(0.1)
    return copies[0]  # there is nothing to send at the moment: one is as good as the other


async def _relayed(copy: Copy) -> float:
    try:
        async with httpx2.AsyncClient(timeout=2, trust_env=False) as http:
            text = (await http.get(f"{copy.service.url}/metrics")).text
    except httpx2.TransportError:
        return 0
    return sum(
        float(line.split()[-1]) for line in text.splitlines() if line.startswith("commongrid_relay_events_total")
    )


async def _last(random: Random, least: float, most: float) -> None:
    """How long the harm lasts."""
    await asyncio.sleep(random.uniform(least, most))


FULL_DISK = "fill kafka's disk"

HARMS: dict[str, Harm] = {
    **{f"kill {service}": partial(kill_service, service) for service in SERVICES},
    "kill the relay": kill_relay,
    "kill both copies": kill_both,
    "kill postgres": kill_postgres,
    "stop postgres at once": stop_postgres_at_once,
    "kill kafka": kill_kafka,
    "kafka long away": kafka_long_away,
    "lose a leader": lose_leader,
    FULL_DISK: fill_disk,
    **{
        f"{how} {part}": partial(harm_way, part, how)
        for part in ("postgres", "kafka")
        for how in ("cut", "stall", "slow")
    },
    "freeze a copy": freeze_service,
    "freeze the relay": freeze_relay,
    "come and go": come_and_go,
    "rebuild": rebuild,
    "poison": poison,
    "clock jumps": clock_jumps,
    "bring back a base backup": partial(bring_back, BASE),
    "bring back a dump": partial(bring_back, DUMP),
}
