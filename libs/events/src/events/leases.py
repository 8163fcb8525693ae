"""A lease says who does what only one process should do at a time: read the store for relay and projections.

It saves work and no more. Who loses it unknowingly does no harm: progress is a compare-and-swap, and consumers drop
what a second relay repeats.
"""

import asyncio
from collections.abc import Awaitable, Callable

from events.read_model import Database

SECONDS = 5.0

TAKE = """
insert into log.leases as l (name, holder, expires_at)
values ($1, $2, clock_timestamp() + make_interval(secs => $3))
on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
where l.holder = excluded.holder or l.expires_at < clock_timestamp()
returning true"""


async def take(db: Database, name: str, holder: str, seconds: float = SECONDS) -> bool:
    """Takes or renews the lease; false if somebody else holds it."""
    return bool(await db.fetchval(TAKE, name, holder, seconds))


async def give_up(db: Database, name: str, holder: str) -> None:
    """Lets somebody else take it at once."""
    await db.execute("delete from log.leases where name = $1 and holder = $2", name, holder)


async def while_holding(db: Database, name: str, holder: str, work: Callable[[], Awaitable[None]]) -> None:
    """Does the work while holding the lease; waits for it first, and returns when it is lost or the work ends."""
    while not await take(db, name, holder):  # noqa: ASYNC110 - it is another process that we wait for
        await asyncio.sleep(SECONDS / 5)
    working = asyncio.ensure_future(work())
    try:
        while not working.done():
            await asyncio.wait({working}, timeout=SECONDS / 3)
            if not working.done() and not await take(db, name, holder):
                return
        working.result()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await asyncio.shield(give_up(db, name, holder))
