"""A lease is held by one at a time, who does the work meanwhile; who stops or dies makes way for another."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from events import Database, Service, leases
from events.leases import give_up, take, while_holding
from events.runtime import Runtime
from events.testing import eventually
from front_desk import desk


@pytest.fixture
async def db(opened: Callable[[Service], Awaitable[Runtime]], monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(leases, "SECONDS", 0.3)
    return (await opened(desk())).db


async def holder(db: Database) -> str | None:
    return await db.fetchval("select holder from log.leases where name = 'post'")


async def is_held_by(db: Database, who: str | None) -> bool:
    return await holder(db) == who


async def test_who_holds_it_may_renew_it_and_nobody_else_takes_it(db: Database) -> None:
    assert await take(db, "post", "Li", 60)
    assert not await take(db, "post", "Wang", 60)
    assert await take(db, "post", "Li", 90)
    assert await holder(db) == "Li"
    left = await db.fetchval("select extract(epoch from expires_at - clock_timestamp())::float from log.leases")
    assert 60 < left <= 90


async def test_what_has_run_out_may_be_taken(db: Database) -> None:
    assert await take(db, "post", "Li", 0)
    assert await take(db, "post", "Wang", 60)
    assert not await take(db, "post", "Li", 60)


async def test_who_gives_up_gives_up_what_is_theirs(db: Database) -> None:
    assert await take(db, "post", "Li", 60)
    assert await take(db, "gate", "Li", 60)
    await give_up(db, "post", "Wang")
    assert await holder(db) == "Li"
    await give_up(db, "post", "Li")
    assert await holder(db) is None
    assert await db.fetchval("select count(*) from log.leases") == 1, "the other one is held still"


async def test_who_waits_begins_when_the_holder_stops_and_not_before(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await take(db, "post", "Li", 60)
    began = asyncio.Event()
    answers: list[bool] = []

    async def note(db: Database, name: str, holder: str) -> bool:
        answers.append(await take(db, name, holder))
        return answers[-1]

    async def asked_three_times() -> bool:
        return len(answers) >= 3

    async def work() -> None:
        began.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(leases, "take", note)
    waiting = asyncio.create_task(while_holding(db, "post", "Wang", work))
    await eventually(asked_three_times)
    assert not any(answers)
    assert not began.is_set()
    await give_up(db, "post", "Li")
    async with asyncio.timeout(30):
        await began.wait()
    assert await holder(db) == "Wang"
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert await holder(db) is None, "who stops gives it up at once"


async def test_it_is_renewed_for_as_long_as_the_work_takes(db: Database) -> None:
    go_on = asyncio.Event()
    working = asyncio.create_task(while_holding(db, "post", "Li", lambda: until(go_on)))
    await eventually(lambda: is_held_by(db, "Li"))
    first = await db.fetchval("select expires_at from log.leases")

    async def is_renewed() -> bool:
        return await db.fetchval("select expires_at > $1 from log.leases", first)

    await eventually(is_renewed)
    assert not working.done()
    go_on.set()
    await working
    assert await holder(db) is None


async def until(event: asyncio.Event) -> None:
    await event.wait()


async def test_who_lost_it_stops_working(db: Database) -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    working = asyncio.create_task(while_holding(db, "post", "Li", work))
    await eventually(lambda: is_held_by(db, "Li"))
    await db.execute("update log.leases set holder = 'Wang', expires_at = clock_timestamp() + interval '1 hour'")
    async with asyncio.timeout(30):
        await working
    assert ended.is_set()
    assert await holder(db) == "Wang"


async def test_work_that_fails_is_not_taken_for_work_that_ended(db: Database) -> None:
    async def fail() -> None:
        raise ValueError("the post is closed")

    with pytest.raises(ValueError, match="closed"):
        await while_holding(db, "post", "Li", fail)
    assert await holder(db) is None
