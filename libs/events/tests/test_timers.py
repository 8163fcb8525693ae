"""Durable timers commit with the event that sets them, survive any restart, and take effect once."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from events import Aggregate, Cancel, Commands, Context, Database, Due, Event, Policy, Service, Timer
from events import timers as timing
from events.migrate import migrate
from events.runtime import Runtime, open_runtime
from events.settings import Settings
from events.testing import RING, eventually
from front_desk import NOON
from pydantic import AwareDatetime

NewDatabase = Callable[..., Awaitable[str]]
SOON, LATER = NOON + timedelta(hours=1), NOON + timedelta(hours=3)


class Promised(Event, type="commongrid.calls.call.promised.v1"):
    """Somebody is to be called back."""

    at: AwareDatetime


class Called(Event, type="commongrid.calls.call.made.v1"):
    """They were."""


class Forgone(Event, type="commongrid.calls.call.forgone.v1"):
    """It is not needed any more."""


Command = datetime | str
CALL: Aggregate[tuple[str, ...], Command] = Aggregate(
    "call",
    (),
    lambda done, command: (
        [Promised(at=command)] if isinstance(command, datetime) else [Called() if command == "call" else Forgone()]
    ),
    lambda done, event: (*done, event.type_name.split(".")[3]),
    (Promised, Called, Forgone),
)


def calling(do: Callable[[Commands, Due], Awaitable[None]]) -> Service:
    """The service that calls people back, doing this when it is time."""
    policy = Policy("calling")
    policy.timer(Promised)(lambda event: Timer("call", event.at))
    policy.timer(Forgone)(lambda _: Cancel("call"))
    policy.due("call")(do)
    return Service("calls", [CALL], policies=[policy])


async def make_the_call(commands: Commands, due: Due) -> None:
    await commands.execute(CALL, due.id, "call")


@asynccontextmanager
async def process(service: Service, url: str, now: list[datetime]) -> AsyncGenerator[Runtime]:
    """A process that minds the timers; Kafka is not needed."""
    settings = Settings(url, "127.0.0.1:9", keys=RING)
    await migrate(service, settings)
    async with open_runtime(service, settings, lambda: now[0]) as runtime:
        minding = asyncio.create_task(timing.run_timers(runtime.commands))
        try:
            yield runtime
        finally:
            minding.cancel()
            await asyncio.wait([minding])


async def done(runtime: Runtime, id: str) -> tuple[str, ...]:
    return (await runtime.commands.load(CALL, id))[0]


async def waiting(runtime: Runtime) -> int:
    return await runtime.db.fetchval("select count(*) from log.timers")


async def until_done(runtime: Runtime, id: str, *expected: str) -> None:
    async def is_so() -> bool:
        assert await done(runtime, id) == expected
        return True

    await eventually(is_so)


async def test_what_is_due_by_the_clock_that_was_passed_in_is_done_and_nothing_earlier(
    new_database: NewDatabase,
) -> None:
    now = [NOON]
    async with process(calling(make_the_call), await new_database(), now) as runtime:
        await runtime.commands.execute(CALL, "soon", SOON)
        await runtime.commands.execute(CALL, "later", LATER)
        now[0] = SOON
        await until_done(runtime, "soon", "promised", "made")
        assert await done(runtime, "later") == ("promised",)
        now[0] = LATER
        await until_done(runtime, "later", "promised", "made")
        assert await waiting(runtime) == 0


async def test_setting_it_again_moves_it_and_cancelling_forgets_it(new_database: NewDatabase) -> None:
    now = [NOON]
    async with process(calling(make_the_call), await new_database(), now) as runtime:
        for id_ in ("moved", "dropped", "kept"):
            await runtime.commands.execute(CALL, id_, SOON)
        await runtime.commands.execute(CALL, "moved", LATER)
        await runtime.commands.execute(CALL, "dropped", "forgo")
        now[0] = SOON
        await until_done(runtime, "kept", "promised", "made")  # its neighbours were looked at, too
        assert await done(runtime, "moved") == ("promised", "promised")
        assert await done(runtime, "dropped") == ("promised", "forgone")
        assert await waiting(runtime) == 1


async def test_set_again_it_begins_anew_and_for_its_new_reason(new_database: NewDatabase) -> None:
    """Though it had rested, after many attempts in vain."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with process(calling(make_the_call), await new_database(), [NOON]) as runtime:
        await runtime.commands.by(Context(correlation="first")).execute(CALL, "n", SOON)
        await runtime.db.execute("update log.timers set attempts = 9, error = 'engaged', claimed_until = 'infinity'")
        await runtime.commands.by(Context(correlation="second", traceparent=trace)).execute(CALL, "n", LATER)
        row = await runtime.db.fetchrow(
            """select due, causation, correlation, traceparent, attempts, error, claimed_until = '-infinity'
               from log.timers"""
        )
        assert row
        assert tuple(row) == (LATER, "call-n/2", "second", trace, 0, None, True)


async def test_it_takes_effect_once_though_several_processes_mind_it(new_database: NewDatabase) -> None:
    now, url = [NOON], await new_database()
    service = calling(make_the_call)
    async with (
        process(service, url, now) as runtime,
        process(service, url, now),
        process(service, url, now),
    ):
        for nth in range(60):
            await runtime.commands.execute(CALL, nth, SOON)
        now[0] = SOON
        for nth in range(60):
            await until_done(runtime, str(nth), "promised", "made")


async def test_it_takes_effect_once_though_two_processes_run_it_at_the_same_time(new_database: NewDatabase) -> None:
    """A claim can run out under a slow handler: then a second process runs it, and only one command commits."""
    now, url = [NOON], await new_database()
    async with process(calling(make_the_call), url, now) as runtime:
        await runtime.commands.execute(CALL, "slow", SOON)
        now[0] = SOON
        rows = await runtime.db.fetch(
            "select id, policy, stream, name, due, 1, causation, correlation, traceparent from log.timers"
        )
        claimed = timing.Claimed(*rows[0])
        policies = {policy.name: policy for policy in runtime.service.policies}
        await asyncio.gather(*(timing.fire(runtime.commands, policies, claimed) for _ in range(5)))
        await until_done(runtime, "slow", "promised", "made")


async def test_it_survives_the_death_of_the_process_that_had_claimed_it(new_database: NewDatabase) -> None:
    now, url = [SOON], await new_database()
    async with process(calling(make_the_call), url, [NOON]) as before:
        await before.commands.execute(CALL, "n", SOON)
        assert await timing.claim(before.db, SOON, ["calling"])  # and it dies here
        await before.db.execute("update log.timers set claimed_until = clock_timestamp()")  # half a minute later
    async with process(calling(make_the_call), url, now) as after:
        await until_done(after, "n", "promised", "made")


async def test_cancelled_while_its_handler_runs_it_has_no_effect(new_database: NewDatabase) -> None:
    now, url = [NOON], await new_database()
    began, go_on = asyncio.Event(), asyncio.Event()

    async def hesitate(commands: Commands, due: Due) -> None:
        began.set()
        await go_on.wait()
        await commands.execute(CALL, due.id, "call")

    async with process(calling(hesitate), url, now) as runtime:
        await runtime.commands.execute(CALL, "n", SOON)
        now[0] = SOON
        async with asyncio.timeout(30):
            await began.wait()
        await runtime.commands.execute(CALL, "n", "forgo")
        go_on.set()
        await eventually(lambda: nothing_claimed(runtime))
        assert await done(runtime, "n") == ("promised", "forgone")


async def nothing_claimed(runtime: Runtime) -> bool:
    return await waiting(runtime) == 0


async def test_a_handler_that_fails_is_tried_again_and_in_the_end_rests_with_its_error(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "ATTEMPTS", 3)
    now, url = [NOON], await new_database()
    tried: list[int] = []

    async def fail(_: Commands, due: Due) -> None:
        tried.append(due.attempts)
        raise LookupError("the number is not in service")

    async with process(calling(fail), url, now) as runtime:
        await runtime.commands.execute(CALL, "n", SOON)
        now[0] = SOON

        async def rests() -> bool:
            # Its pauses grow by the machine's clock: the test lets them be over.
            await runtime.db.execute(
                """update log.timers set claimed_until = '-infinity'
                   where claimed_until < 'infinity' and error is not null"""
            )
            return await runtime.db.fetchval("select claimed_until = 'infinity' from log.timers")

        await eventually(rests)
        assert tried == [1, 2, 3]
        error = await runtime.db.fetchval("select error from log.timers")
        assert error.startswith("LookupError in test_timers.py")  # where, and nothing that may be personal


async def test_where_nothing_is_due_nobody_looks_again_at_once(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each idle process would ask its database without a pause."""
    looks: list[int] = []
    claim = timing.claim

    async def counted(db: Database, now: datetime, policies: list[str]) -> list[timing.Claimed]:
        looks.append(len(found := await claim(db, now, policies)))
        return found

    async def looked_twice() -> bool:
        return looks == [1, 0]

    monkeypatch.setattr(timing, "PAUSE", 3600)
    url = await new_database()
    async with process(calling(make_the_call), url, [NOON]) as before:
        await before.commands.execute(CALL, "n", SOON)
    monkeypatch.setattr(timing, "claim", counted)
    async with process(calling(make_the_call), url, [SOON]) as runtime:
        await until_done(runtime, "n", "promised", "made")
        await eventually(looked_twice)
        for _ in range(10):
            assert await waiting(runtime) == 0
        assert looks == [1, 0], "after work at once, after none in an hour"


async def test_what_fails_for_days_for_reasons_of_the_moment_is_tried_again_every_five_minutes(
    new_database: NewDatabase,
) -> None:
    now, engaged = [NOON], [True]

    async def call_if_the_line_is_free(commands: Commands, due: Due) -> None:
        if engaged:
            raise TimeoutError("engaged")
        await make_the_call(commands, due)

    async with process(calling(call_if_the_line_is_free), await new_database(), now) as runtime:
        await runtime.commands.execute(CALL, "n", SOON)
        await runtime.db.execute("update log.timers set attempts = 5000")  # more than two weeks of them
        now[0] = SOON

        async def has_failed_again() -> bool:
            return await runtime.db.fetchval("select error is not null from log.timers")

        await eventually(has_failed_again)
        attempts, pause = await runtime.db.fetchrow(  # type: ignore[misc]  # there is one
            "select attempts, extract(epoch from claimed_until - clock_timestamp())::int from log.timers"
        )
        assert attempts == 5001
        assert 200 < pause <= 300
        engaged.clear()
        await runtime.db.execute("update log.timers set claimed_until = '-infinity'")  # five minutes later
        await until_done(runtime, "n", "promised", "made")


async def test_what_leads_to_nothing_is_put_away(new_database: NewDatabase) -> None:
    now = [NOON]

    async def nothing_to_do(_: Commands, __: Due) -> None:
        pass

    async with process(calling(nothing_to_do), await new_database(), now) as runtime:
        await runtime.commands.execute(CALL, "n", SOON)
        now[0] = SOON
        await eventually(lambda: nothing_claimed(runtime))
        assert await done(runtime, "n") == ("promised",)
