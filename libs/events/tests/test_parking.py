"""One bad event stops nothing else: it is parked, what follows it in its stream waits behind it, in order, and the rest
goes on. An operator inspects, retries or drops (promise 6)."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest
from events import Commands, parking
from events.progress import OWN
from events.runtime import Runtime
from events.testing import eventually, running
from front_desk import (
    MATTER,
    Close,
    Note,
    Raise,
    at_work,
    desk,
    has_journalled,
    journal,
    journalled,
    recorded,
    tallied,
    tally,
)
from parked import (
    MENDED,
    POISON,
    NewDatabase,
    all_parked,
    are_parked,
    following,
    parked,
    retry,
    somebody_waits_for,
)


@pytest.fixture
async def poisoned(
    request: pytest.FixtureRequest, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> AsyncGenerator[tuple[Commands, Runtime, str]]:
    """A follower with a poison event parked, and two more of its stream behind it."""
    async with following(request.param, new_database, kafka_server, topic_prefix) as (commands, runtime, source):
        await commands.execute(MATTER, "bad", Raise())
        await commands.execute(MATTER, "good", Raise())
        await commands.execute(MATTER, "bad", POISON)
        await commands.execute(MATTER, "bad", Note("behind"))
        await eventually(lambda: are_parked(runtime, "matter-bad/2", "matter-bad/3"))
        await commands.execute(MATTER, "good", Note("goes on"))
        await commands.execute(MATTER, "bad", Close())
        await eventually(lambda: are_parked(runtime, "matter-bad/2", "matter-bad/3", "matter-bad/4"))
        yield commands, runtime, source


EACH = pytest.mark.parametrize("poisoned", ["desk", "hall"], indirect=True)


ONE = pytest.mark.parametrize("poisoned", ["desk"], indirect=True)


@EACH
async def test_a_bad_event_waits_with_all_that_follows_it_and_other_streams_go_on(
    poisoned: tuple[Commands, Runtime, str],
) -> None:
    _, runtime, _ = poisoned
    await eventually(lambda: has_journalled(runtime.db, {"matter-bad": [1], "matter-good": [1, 2]}))
    assert await parked(runtime) == [
        ("matter-bad/2", "CheckViolationError: 23514 no_poison"),
        ("matter-bad/3", parking.BEHIND),
        ("matter-bad/4", parking.BEHIND),
    ]


@EACH
async def test_when_the_handler_is_mended_a_retry_takes_all_of_the_stream_in_order(
    poisoned: tuple[Commands, Runtime, str],
) -> None:
    _, runtime, source = poisoned
    await runtime.db.execute(MENDED)
    assert await retry(runtime, runtime.service.read_models[0], source, "matter-bad") == 3
    assert await parked(runtime) == []
    assert (await journalled(runtime.db))["matter-bad"] == [1, 2, 3, 4]


@ONE
async def test_after_a_retry_the_stream_goes_its_usual_way(poisoned: tuple[Commands, Runtime, str]) -> None:
    commands, runtime, source = poisoned
    await commands.execute(MATTER, "bad2", Raise())
    await runtime.db.execute(MENDED)
    await retry(runtime, runtime.service.read_models[0], source, "matter-bad")
    await commands.execute(MATTER, "good", Close())
    await commands.execute(MATTER, "bad2", Close())
    expected = await recorded(runtime.db)
    await eventually(lambda: has_journalled(runtime.db, expected))
    assert await parked(runtime) == []


@ONE
async def test_a_retry_that_fails_changes_nothing(poisoned: tuple[Commands, Runtime, str]) -> None:
    _, runtime, source = poisoned
    before = await parking.listed(runtime.db)
    with pytest.raises(asyncpg.CheckViolationError):
        await retry(runtime, runtime.service.read_models[0], source, "matter-bad")
    assert await parking.listed(runtime.db) == before
    assert (await journalled(runtime.db))["matter-bad"] == [1]


@ONE
async def test_a_retry_that_fails_in_the_middle_changes_nothing(poisoned: tuple[Commands, Runtime, str]) -> None:
    commands, runtime, source = poisoned
    await commands.execute(MATTER, "worse", Raise())
    for note in ("poison", "fine", "worse than poison"):
        await commands.execute(MATTER, "worse", Note(note))
    await eventually(lambda: all_parked(runtime, 6))
    await runtime.db.execute(f"{MENDED}; alter table journal add check (last_note <> 'worse than poison')")
    before = await parking.listed(runtime.db)
    with pytest.raises(asyncpg.CheckViolationError):
        await retry(runtime, runtime.service.read_models[0], source, "matter-worse")
    assert await parking.listed(runtime.db) == before
    assert (await journalled(runtime.db))["matter-worse"] == [1]


@ONE
async def test_when_the_bad_event_is_dropped_what_waits_behind_it_can_be_retried(
    poisoned: tuple[Commands, Runtime, str],
) -> None:
    _, runtime, source = poisoned
    first = (await parking.listed(runtime.db))[0]
    async with runtime.connection() as db:
        await parking.remove(db, [first.id])
    assert await retry(runtime, runtime.service.read_models[0], source, "matter-bad") == 2
    assert (await journalled(runtime.db))["matter-bad"] == [1, 3, 4]


@ONE
async def test_a_retry_takes_what_is_parked_behind_while_it_waits(poisoned: tuple[Commands, Runtime, str]) -> None:
    _, runtime, source = poisoned
    await runtime.db.execute(MENDED)
    async with runtime.connection() as consumer:
        transaction = consumer.transaction()  # of the consumer, that parks one more
        await transaction.start()
        assert await parking.still_parked(consumer, "journal_v1", OWN, "matter-bad")
        last = (await parking.of_stream(consumer, "journal_v1", OWN, "matter-bad"))[-1].raw
        one_more = last._replace(version=5, position=last.position._replace(number=last.position.number + 1))
        await parking.park(consumer, "journal_v1", OWN, 0, one_more, parking.BEHIND)
        number = await consumer.fetchval("select pg_backend_pid()")
        retrying = asyncio.create_task(retry(runtime, runtime.service.read_models[0], source, "matter-bad"))
        await eventually(lambda: somebody_waits_for(runtime, number))
        await transaction.commit()
    assert await retrying == 4
    assert await parked(runtime) == []
    assert (await journalled(runtime.db))["matter-bad"] == [1, 2, 3, 4, 5]


@ONE
async def test_what_is_parked_stays_parked_over_a_restart(poisoned: tuple[Commands, Runtime, str]) -> None:
    commands, runtime, _ = poisoned
    settings = runtime.settings
    await runtime.db.execute("delete from log.leases")  # another process takes over
    async with at_work(runtime.service, settings.database_url, settings.kafka, settings.topic_prefix) as again:
        await eventually(lambda: is_reading(again))
        await runtime.db.execute(MENDED)
        await commands.execute(MATTER, "later", Raise())
        await eventually(lambda: shows(again.db, "matter-later"))
        await are_parked(again, "matter-bad/2", "matter-bad/3", "matter-bad/4")


async def is_reading(runtime: Runtime) -> bool:
    return runtime.reading_store


async def shows(db: Any, stream: str) -> bool:
    return stream in await journalled(db)


async def test_in_a_large_set_just_the_bad_ones_are_parked(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    service = desk(tally(), journal())
    async with running(service, await new_database(), kafka_server, topic_prefix, work=False) as runtime:
        places = ["gate", "hall", "poison", *["yard"] * 7] * 30
        await runtime.commands.execute_many(MATTER, {f"{nth}": Raise(place) for nth, place in enumerate(places)})
        await runtime.commands.execute_many(MATTER, {f"{nth}": Close() for nth in range(len(places))})
        settings = runtime.settings
        async with at_work(service, settings.database_url, settings.kafka, settings.topic_prefix):
            await runtime.commands.caught_up(service.read_models[0], 60)
        assert await tallied(runtime.db) == {"gate": 30, "hall": 30, "yard": 210}
        bad = {f"matter-{nth}" for nth, place in enumerate(places) if place == "poison"}
        assert {id_ for id_, _ in await parked(runtime)} == {f"{it}/1" for it in bad} | {f"{it}/2" for it in bad}
        closed = {row[0] for row in await runtime.db.fetch("select matter from closed")}
        assert len(closed) == 270
        assert not closed & bad
