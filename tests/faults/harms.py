"""The harm, by name. Each does it, lets it last, and heals; two may be at work at the same time, on different parts."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from random import Random

import httpx2
from local.services import SERVICES
from town import Copy, Part, Town

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
    """SIGKILL of Kafka, and a start."""
    await _kafka_away(town, random, 1, 6)


async def kafka_long_away(town: Town, random: Random) -> None:
    """Kafka is away for longer than any time-out of its clients."""
    await _kafka_away(town, random, 20, 25)


async def _kafka_away(town: Town, random: Random, least: float, most: float) -> None:
    async with in_hand(town.broker):
        if child := town.kafka.child:
            child.kill()
            await child.wait()
        await _last(random, least, most)
        await town.kafka.start()


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


HARMS: dict[str, Harm] = {
    **{f"kill {service}": partial(kill_service, service) for service in SERVICES},
    "kill the relay": kill_relay,
    "kill both copies": kill_both,
    "kill postgres": kill_postgres,
    "stop postgres at once": stop_postgres_at_once,
    "kill kafka": kill_kafka,
    "kafka long away": kafka_long_away,
}
