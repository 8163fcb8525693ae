"""A policy parks what it cannot react to, and goes on where it was (promise 6)."""

import pytest
from broker import messages
from events import Commands, Policy, Recorded, Service
from events.runtime import Runtime
from events.testing import eventually, running
from front_desk import (
    MATTER,
    SCREEN,
    Note,
    Noted,
    Raise,
    Show,
    at_work,
    desk,
    hall,
)
from parked import POISON, NewDatabase, are_parked, retry


def showing(refuse: set[str]) -> Policy:
    """Shows each note on the screen; not those that are refused."""
    policy = Policy("showing", personal=True)

    @policy.on(Noted)
    async def show(commands: Commands, event: Recorded[Noted]) -> None:
        if event.data.note in refuse:
            raise RuntimeError("the screen is broken")
        await commands.execute(SCREEN, "1", Show(event.id))

    return policy


async def shown(runtime: Runtime) -> list[str]:
    history = await runtime.commands.history(SCREEN, "1")
    return [getattr(it.data, "matter", "") for it in history]


async def test_a_policy_parks_what_it_cannot_react_to_and_a_retry_goes_on_in_order(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    refuse = {"poison"}
    policy = showing(refuse)
    service: Service = hall(policies=[policy])
    async with (
        running(desk(), await new_database(), kafka_server, topic_prefix) as here,
        running(service, await new_database(), kafka_server, topic_prefix) as runtime,
    ):
        for id_ in ("bad", "good"):
            await here.commands.execute(MATTER, id_, Raise())
        await here.commands.execute(MATTER, "bad", POISON)
        await here.commands.execute(MATTER, "bad", Note("behind"))
        await here.commands.execute(MATTER, "good", Note("goes on"))
        await eventually(lambda: are_parked(runtime, "matter-bad/2", "matter-bad/3"))
        await eventually(lambda: has_shown(runtime, ["matter-good/2"]))
        with pytest.raises(RuntimeError):
            await retry(runtime, policy, f"{topic_prefix}.desk.matter", "matter-bad")
        await are_parked(runtime, "matter-bad/2", "matter-bad/3")
        refuse.clear()
        assert await retry(runtime, policy, f"{topic_prefix}.desk.matter", "matter-bad") == 2
        await here.commands.execute(MATTER, "bad", Note("after"))
        await eventually(lambda: has_shown(runtime, ["matter-good/2", "matter-bad/2", "matter-bad/3", "matter-bad/4"]))


async def has_shown(runtime: Runtime, expected: list[str]) -> bool:
    assert await shown(runtime) == expected
    return True


async def test_a_policy_that_ends_before_it_noted_its_progress_reacts_and_parks_once(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    service = hall(policies=[showing({"poison"})])
    async with running(desk(), await new_database(), kafka_server, topic_prefix) as here:
        database = await new_database()
        async with running(service, database, kafka_server, topic_prefix, work=False) as runtime:
            for id_ in ("bad", "good"):
                await here.commands.execute(MATTER, id_, Raise())
            await here.commands.execute(MATTER, "bad", POISON)
            await here.commands.execute(MATTER, "good", Note("a"))
            topic = f"{topic_prefix}.desk.matter"
            await eventually(lambda: on_topic(kafka_server, topic, 4))
            async with runtime.connection() as holding:
                await holding.execute(
                    """insert into log.progress (consumer, source, partition)
                       select 'showing', $1, n from generate_series(0, 11) n""",
                    topic,
                )
                transaction = holding.transaction()
                await transaction.start()
                await holding.execute("select from log.progress for update")
                async with at_work(service, database, kafka_server, topic_prefix):
                    await eventually(lambda: are_parked(runtime, "matter-bad/2"))
                    await eventually(lambda: has_shown(runtime, ["matter-good/2"]))
                number = await holding.fetchval("select pg_backend_pid()")
                await eventually(lambda: nobody_waits_for(runtime, number))
                await transaction.rollback()
            assert await runtime.db.fetchval("select max(next_offset) from log.progress") == 0, "all of it comes again"
            await here.commands.execute(MATTER, "good", Note("b"))
            await here.commands.execute(MATTER, "bad", Note("behind"))
            async with at_work(service, database, kafka_server, topic_prefix):
                await eventually(lambda: has_shown(runtime, ["matter-good/2", "matter-good/3"]))
                await eventually(lambda: are_parked(runtime, "matter-bad/2", "matter-bad/3"))


async def nobody_waits_for(runtime: Runtime, backend: int) -> bool:
    """Ends whoever still waits: the process died."""
    ended = await runtime.db.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))", backend
    )
    return not ended


async def on_topic(kafka: str, topic: str, count: int) -> bool:
    return len(await messages(kafka, topic)) == count
