"""A command is atomic: its events, its idempotency key and its timers commit together or not at all (promise 1)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from events import (
    Cancel,
    Conflict,
    Context,
    Database,
    Done,
    EventTooLarge,
    Key,
    KeyMismatch,
    Policy,
    Recorded,
    Service,
    Timer,
    VersionMismatch,
    store,
)
from events.runtime import Runtime
from events.store import Appending, Fired, KeyUsed, TimerGone
from events.testing import eventually
from front_desk import MATTER, NOON, Close, Closed, Matter, Note, NotOpen, Raise, Raised, RaisedBefore, desk

Open = Callable[[Service], Awaitable[Runtime]]
NOBODY = Context()


def reminding() -> Policy:
    """Reminds of a matter an hour after it was raised, unless it was closed before."""
    policy = Policy("reminding")

    @policy.timer(Raised)
    def remind(event: Raised) -> Timer:
        return Timer("remind", event.at + timedelta(hours=1))

    @policy.timer(Closed)
    def forget(event: Closed) -> Cancel:
        return Cancel("remind")

    return policy


@pytest.fixture
async def runtime(opened: Open) -> Runtime:
    return await opened(desk(policies=[reminding()]))


async def rows_in_the_log(db: Any) -> tuple[int, int, int]:
    """How many events, idempotency keys and timers there are."""
    return tuple(
        await db.fetchrow(
            """select (select count(*) from log.events), (select count(*) from log.commands),
                      (select count(*) from log.timers)"""
        )
    )


def raising(stream: str, version: int = 0, key: Key | None = None, fired: Fired | None = None) -> Appending:
    """What raising a matter appends, with its reminder."""
    appending = Appending(NOBODY, key, None, fired)
    appending.add(stream, version, [Raised(place="gate")])
    appending.timers = [store.TimerChange("reminding", stream, "remind", NOON, f"{stream}/{version + 1}")]
    return appending


async def test_events_key_and_timer_of_a_command_are_there_after_it(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise(), key=Key("k"))
    assert await rows_in_the_log(runtime.db) == (1, 1, 1)
    await runtime.commands.execute(MATTER, "1", Close())
    assert await rows_in_the_log(runtime.db) == (2, 1, 0)


async def test_nothing_of_a_command_remains_if_its_version_is_taken(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    await runtime.commands.execute(MATTER, "1", Close())
    before = await rows_in_the_log(runtime.db)
    with pytest.raises(Conflict):
        await store.append(runtime.db, [raising("matter-1", version=1, key=Key("k"))])
    assert await rows_in_the_log(runtime.db) == before


async def test_nothing_of_a_command_remains_if_its_key_was_used(runtime: Runtime) -> None:
    await store.append(runtime.db, [raising("matter-1", key=Key("k"))])
    before = await rows_in_the_log(runtime.db)
    with pytest.raises(KeyUsed):
        await store.append(runtime.db, [raising("matter-2", key=Key("k"))])
    assert await rows_in_the_log(runtime.db) == before


async def test_nothing_of_a_command_remains_if_its_timer_is_gone(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    timer = Fired(await runtime.db.fetchval("select id from log.timers"), NOON + timedelta(hours=1))
    appending = Appending(fired=timer)
    appending.add("matter-1", 1, [Raised(place="reminded")])
    await store.append(runtime.db, [appending])
    before = await rows_in_the_log(runtime.db)
    assert before == (2, 0, 0)
    with pytest.raises(TimerGone):
        await store.append(runtime.db, [raising("matter-2", key=Key("k"), fired=timer)])
    assert await rows_in_the_log(runtime.db) == before


async def test_a_moved_timer_does_not_fire_at_its_old_time(runtime: Runtime) -> None:
    await store.append(runtime.db, [raising("matter-1")])
    timer = Fired(await runtime.db.fetchval("select id from log.timers"), NOON)
    moving = Appending()
    moving.add("matter-1", 1, [Raised(place="later, please")])
    moving.timers = [store.TimerChange("reminding", "matter-1", "remind", NOON + timedelta(days=1), "matter-1/2")]
    await store.append(runtime.db, [moving])
    appending = Appending(fired=timer)
    appending.add("matter-1", 2, [Raised(place="reminded")])
    with pytest.raises(TimerGone):
        await store.append(runtime.db, [appending])
    assert await runtime.db.fetchval("select due from log.timers") == NOON + timedelta(days=1)


async def test_of_many_commands_on_one_version_exactly_one_wins(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())

    async def note(version: int, who: int) -> bool:
        appending = Appending()
        appending.add("matter-1", version, [Raised(place=f"{who}")])
        try:
            await store.append(runtime.db, [appending])
        except Conflict:
            return False
        return True

    for version in range(1, 8):
        assert sum(await asyncio.gather(*(note(version, who) for who in range(24)))) == 1
    assert [it.version for it in await store.load(runtime.db, "matter-1")] == list(range(1, 9))


async def test_concurrent_commands_are_decided_anew_and_none_is_overwritten(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    expected: list[str] = []
    for nth in range(10):
        notes = [f"{nth}{who}" for who in "abcd"]
        await asyncio.gather(*(runtime.commands.execute(MATTER, "1", Note(note)) for note in notes))
        expected += notes
    matter, version = await runtime.commands.load(MATTER, "1")
    assert sorted(matter.notes) == expected
    assert version == 41


async def test_a_command_that_lost_the_race_is_refused_on_what_the_winner_left(runtime: Runtime) -> None:
    for nth in range(10):
        await runtime.commands.execute(MATTER, f"{nth}", Raise())
        outcomes = await asyncio.gather(
            *(runtime.commands.execute(MATTER, f"{nth}", Close()) for _ in range(4)), return_exceptions=True
        )
        assert [type(it) for it in outcomes].count(NotOpen) == 3


async def test_who_expected_another_version_is_told_the_present_one(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    await runtime.commands.execute(MATTER, "1", Note("first"), expected=1)
    with pytest.raises(VersionMismatch) as mismatch:
        await runtime.commands.execute(MATTER, "1", Note("second"), expected=1)
    assert mismatch.value.details == {"current": 2}


async def test_an_append_that_is_not_the_first_write_of_its_transaction_is_refused(runtime: Runtime) -> None:
    async with runtime.connection() as db:
        await db.execute("create table other (n int)")
        transaction = db.transaction()
        await transaction.start()
        await db.execute("insert into other values (1)")
        with pytest.raises(asyncpg.PostgresError) as refused:
            await store.append(db, [raising("matter-1")])
        await transaction.rollback()
        assert refused.value.sqlstate == "CG001"
        async with db.transaction():
            await store.append(db, [raising("matter-1")])
            await db.execute("insert into other values (2)")
        assert await db.fetchval("select n from other") == 2


async def test_two_appends_in_one_transaction_are_refused(runtime: Runtime) -> None:
    async with runtime.connection() as db:
        transaction = db.transaction()
        await transaction.start()
        await store.append(db, [raising("matter-1")])
        with pytest.raises(asyncpg.PostgresError) as refused:
            await store.append(db, [raising("matter-2")])
        await transaction.rollback()
        assert refused.value.sqlstate == "CG001"
    assert await rows_in_the_log(runtime.db) == (0, 0, 0)


async def test_a_blind_append_that_would_leave_a_gap_of_versions_is_refused(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    with pytest.raises(Conflict) as conflict:
        await store.append(runtime.db, [raising("matter-1", version=2)])
    assert getattr(conflict.value.__cause__, "sqlstate", None) == "CG409"
    both = raising("matter-2")
    both.add("matter-1", 2, [Raised(place="too far")])
    with pytest.raises(Conflict) as conflict:
        await store.append(runtime.db, [both])
    assert getattr(conflict.value.__cause__, "sqlstate", None) == "CG409"
    assert (await rows_in_the_log(runtime.db))[0] == 1


async def test_what_another_stream_has_reached_says_nothing_of_this_one(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    await runtime.commands.execute(MATTER, "1", Note("first"))
    with pytest.raises(Conflict):
        await store.append(runtime.db, [raising("matter-2", version=2)])
    assert (await rows_in_the_log(runtime.db))[0] == 2


async def test_no_event_stands_before_the_first_of_its_stream(runtime: Runtime) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await store.append(runtime.db, [raising("matter-1", version=-1)])
    assert await rows_in_the_log(runtime.db) == (0, 0, 0)


@pytest.mark.parametrize(
    "rewriting", ["update log.events set type = 'other'", "delete from log.events", "truncate log.events"]
)
async def test_events_cannot_be_rewritten_even_by_hand(runtime: Runtime, rewriting: str) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    with pytest.raises(asyncpg.PostgresError, match="append-only") as refused:
        await runtime.db.execute(rewriting)
    assert refused.value.sqlstate == "CG002"


@pytest.mark.parametrize("sign", ["x", "警", "👮"])
async def test_an_event_too_large_for_kafka_is_refused_whatever_it_is_written_in(runtime: Runtime, sign: str) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    size = len(sign.encode())
    # Sealed, a note is a third longer than it was written.
    await runtime.commands.execute(MATTER, "1", Note(sign * (590_000 // size)))
    with pytest.raises(EventTooLarge, match="reference"):
        await runtime.commands.execute(MATTER, "1", Note(sign * (610_000 // size)))


async def test_many_things_are_changed_in_one_transaction_and_what_is_refused_stops_nothing(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "closed", Raise())
    await runtime.commands.execute(MATTER, "closed", Close())
    done = await runtime.commands.execute_many(MATTER, {"a": Raise(), "closed": Note("late"), "b": Raise("hall")})
    assert isinstance(done["closed"], NotOpen)
    assert await runtime.db.fetchval("select count(distinct tx) from log.events where stream like 'matter-_'") == 1
    assert (await rows_in_the_log(runtime.db))[2] == 2, "the timers of all of them are set"


async def test_what_many_commands_would_do_can_be_asked_and_nothing_is_done(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "closed", Raise())
    await runtime.commands.execute(MATTER, "closed", Close())
    before = await rows_in_the_log(runtime.db)
    asked = {"a": Raise("hall"), "closed": Note("late")}
    would = await runtime.commands.execute_many(MATTER, asked, append=False)
    assert await rows_in_the_log(runtime.db) == before
    assert isinstance(would["closed"], NotOpen)
    new = would["a"]
    assert isinstance(new, Done)
    assert new.token is None
    done = (await runtime.commands.execute_many(MATTER, asked))["a"]
    assert isinstance(done, Done)
    assert (new.events, new.version, new.state) == (done.events, done.version, done.state)


async def test_imports_that_touch_the_same_things_in_different_orders_both_succeed(runtime: Runtime) -> None:
    """Each holds what the other wants, and both wait for a third: Postgres will end one of them, and it tries again."""
    async with runtime.connection() as third:
        transaction = third.transaction()
        await transaction.start()
        await store.append(third, [raising("matter-b")])
        one = asyncio.create_task(runtime.commands.execute_many(MATTER, dict.fromkeys("abc", Raise())))
        other = asyncio.create_task(runtime.commands.execute_many(MATTER, dict.fromkeys("cba", Raise())))
        await eventually(lambda: two_wait(runtime.db))
        await transaction.rollback()
    outcomes = await asyncio.gather(one, other)
    refused = [isinstance(it, RaisedBefore) for outcome in outcomes for it in outcome.values()]
    assert sorted(refused) == [False] * 3 + [True] * 3
    assert (await rows_in_the_log(runtime.db))[0] == 3


async def two_wait(db: Database) -> bool:
    """Whether two transactions wait for another one to end."""
    waiting = await db.fetchval(
        """select count(*) from pg_locks join pg_stat_activity using (pid)
           where locktype = 'transactionid' and not granted and datname = current_database()"""
    )
    return waiting == 2


# Idempotency keys


async def as_view(runtime: Runtime, id: str, command: Any, key: Key, **options: Any) -> Any:
    def view(matter: Matter, version: int) -> dict[str, Any]:
        return {"notes": list(matter.notes), "version": version}

    return await runtime.commands.execute(MATTER, id, command, key=key, view=view, **options)


@pytest.mark.parametrize("new", [True, False])
async def test_a_repeated_command_changes_nothing_and_gives_the_first_outcome(runtime: Runtime, new: bool) -> None:
    first = await as_view(runtime, "1", Raise(), Key("k", b"print"), new=new)
    await runtime.commands.execute(MATTER, "1", Note("meanwhile"))
    again = await as_view(runtime, "1", Raise(), Key("k", b"print"), new=new)
    assert again.repeated
    assert not first.repeated
    assert (again.outcome, again.token, again.events) == (first.outcome, first.token, ())
    assert (await rows_in_the_log(runtime.db))[:2] == (2, 1)


async def test_a_repetition_gives_the_place_of_the_last_event_that_its_command_brought(runtime: Runtime) -> None:
    appending = Appending(key=Key("k"))
    appending.add("matter-1", 0, [Raised(place="gate"), Raised(place="first"), Raised(place="second")])
    (position,) = await store.append(runtime.db, [appending])
    again = await runtime.commands.execute(MATTER, "1", Raise(), key=Key("k"))
    assert again.token
    assert (again.repeated, again.token.position) == (True, position)
    assert position == (await runtime.commands.history(MATTER, "1"))[-1].raw.position


async def test_of_commands_that_went_together_each_repetition_is_answered_for_its_own_thing(runtime: Runtime) -> None:
    positions = await store.append(runtime.db, [raising(f"matter-{id_}", key=Key(f"k{id_}")) for id_ in "12"])
    for id_, position in zip("12", positions, strict=True):
        again = await runtime.commands.execute(MATTER, id_, Raise(), key=Key(f"k{id_}"))
        assert again.token
        assert (again.repeated, again.token.stream, again.token.position) == (True, f"matter-{id_}", position)


async def test_a_repetition_that_would_be_refused_by_now_gives_the_first_answer(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    first = await as_view(runtime, "1", Close(), Key("k"))
    again = await as_view(runtime, "1", Close(), Key("k"))
    assert again.repeated
    assert again.outcome == first.outcome
    with pytest.raises(NotOpen):
        await as_view(runtime, "1", Close(), Key("another"))


async def test_a_repetition_with_the_version_it_once_expected_gives_the_first_answer(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    first = await as_view(runtime, "1", Note("a"), Key("k"), expected=1)
    again = await as_view(runtime, "1", Note("a"), Key("k"), expected=1)
    assert again.repeated
    assert again.outcome == first.outcome


async def test_a_key_used_for_something_else_is_refused(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    await runtime.commands.execute(MATTER, "1", Note("a"), key=Key("k", b"a"))
    with pytest.raises(KeyMismatch):
        await runtime.commands.execute(MATTER, "1", Note("b"), key=Key("k", b"b"))
    with pytest.raises(KeyMismatch):
        await runtime.commands.execute(MATTER, "2", Raise(), key=Key("k", b"c"))
    matter, _ = await runtime.commands.load(MATTER, "1")
    assert matter.notes == ("a",)


@pytest.mark.parametrize("new", [True, False])
async def test_one_request_sent_many_times_at_once_takes_effect_once(runtime: Runtime, new: bool) -> None:
    for nth in range(10):
        outcomes = await asyncio.gather(
            *(as_view(runtime, f"{nth}", Raise(), Key(f"k{nth}"), new=new) for _ in range(6))
        )
        assert [it.repeated for it in outcomes].count(False) == 1
        assert len({str(it.token) for it in outcomes}) == 1
    assert await rows_in_the_log(runtime.db) == (10, 10, 10)


async def test_one_note_sent_many_times_at_once_is_written_once(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    for nth in range(10):
        outcomes = await asyncio.gather(*(as_view(runtime, "1", Note(f"{nth}"), Key(f"k{nth}")) for _ in range(4)))
        assert [it.repeated for it in outcomes].count(False) == 1
    matter, _ = await runtime.commands.load(MATTER, "1")
    assert matter.notes == tuple(f"{nth}" for nth in range(10))


async def test_a_refused_command_leaves_its_key_unused(runtime: Runtime) -> None:
    with pytest.raises(NotOpen):
        await runtime.commands.execute(MATTER, "1", Note("early"), key=Key("k"))
    await runtime.commands.execute(MATTER, "1", Raise())
    done = await runtime.commands.execute(MATTER, "1", Note("early"), key=Key("k"))
    assert not done.repeated


async def test_a_reaction_that_runs_again_gives_each_thing_its_own_command(runtime: Runtime) -> None:
    """Even if it finds other things, or finds them in another order, when it runs for the second time."""
    for id_ in ("1", "2", "3"):
        await runtime.commands.execute(MATTER, id_, Raise())

    async def react(ids: str) -> None:
        commands = runtime.commands.by(Context("policy:closing", causation="other-1/1"))
        commands.key_seed = "closing:other-1/1"
        for id_ in ids:
            await commands.execute(MATTER, id_, Note("closing time"))
            await commands.execute(MATTER, id_, Note("really"))

    await react("12")
    await react("321")
    for id_ in ("1", "2", "3"):
        assert (await runtime.commands.load(MATTER, id_))[0].notes == ("closing time", "really")


async def test_history_tells_who_did_it_and_why(runtime: Runtime) -> None:
    context = Context("officer-li", correlation="request-1", causation="form-7")
    await runtime.commands.by(context).execute(MATTER, "1", Raise())
    history = await runtime.commands.history(MATTER, "1")
    assert [it.data for it in history] == [Raised(place="gate")]
    first: Recorded[Any] = history[0]
    assert (first.id, first.raw.actor, first.raw.correlation, first.raw.causation) == (
        "matter-1/1",
        "officer-li",
        "request-1",
        "form-7",
    )
