"""What is loaded or appended at the same time goes together, and nobody pays for what another is refused."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar

import asyncpg
import pytest
from events import Conflict, Key, Service, store
from events.event import Position, Raw
from events.grouped import loads
from events.privacy import keys
from events.runtime import Runtime
from events.store import Appending, KeyUsed
from events.testing import eventually
from events.together import MOST, Together
from front_desk import MATTER, Close, Note, Raise, Raised, desk


@pytest.fixture
async def runtime(opened: Callable[[Service], Awaitable[Runtime]]) -> Runtime:
    return await opened(desk())


def raising(stream: str, version: int = 0, key: str | None = None) -> Appending:
    appending = Appending(key=Key(key) if key else None)
    appending.add(stream, version, [Raised(place="gate"), Raised(place=stream)])
    return appending


async def test_what_comes_at_the_same_time_shares_transactions_and_each_learns_its_own_position(
    runtime: Runtime,
) -> None:
    append = runtime.commands.append_together
    found = await asyncio.gather(*(append(raising(f"matter-{nth}", key=f"{nth}")) for nth in range(40)))
    rows = await runtime.db.fetch(
        """select e.incarnation, e.tx, e.position, c.position as of_key from log.events e
           join log.commands c on c.stream = e.stream and 'matter-' || c.key = e.stream
           where e.version = 2 order by split_part(e.stream, '-', 2)::int"""
    )
    assert found == [Position(*row[:3]) for row in rows]
    assert [row["of_key"] for row in rows] == [position.number for position in found]
    assert len({position.tx for position in found}) == 3, "two that found nobody, and one for all who came meanwhile"


async def test_one_that_is_refused_stops_no_other_of_its_group(runtime: Runtime) -> None:
    append = runtime.commands.append_together
    await append(raising("matter-old", key="used"))
    appendings = [raising(f"matter-{nth}") for nth in range(20)]
    appendings[5] = raising("matter-old")  # it exists already
    appendings[9] = raising("matter-9", version=7)  # it is not so far
    appendings[13] = raising("matter-13", key="used")
    outcomes = await asyncio.gather(*map(append, appendings), return_exceptions=True)
    refused = {nth: type(it) for nth, it in enumerate(outcomes) if not isinstance(it, Position)}
    assert refused == {5: Conflict, 9: Conflict, 13: KeyUsed}
    assert await runtime.db.fetchval("select count(distinct stream) from log.events") == 1 + 17


async def test_commands_on_one_thing_that_come_together_follow_one_another(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    others = [runtime.commands.execute(MATTER, f"other-{nth}", Raise()) for nth in range(10)]
    notes = [runtime.commands.execute(MATTER, "1", Note(who)) for who in "abc"]
    await asyncio.gather(*others, *notes)
    matter, version = await runtime.commands.load(MATTER, "1")
    assert (sorted(matter.notes), version) == (["a", "b", "c"], 4)


async def test_one_key_used_twice_at_the_same_time_takes_effect_once(runtime: Runtime) -> None:
    for nth in range(10):
        doubled = [runtime.commands.execute(MATTER, f"{nth}", Raise(), key=Key(f"{nth}")) for _ in range(4)]
        done = await asyncio.gather(*doubled)
        assert sorted(it.repeated for it in done) == [False, True, True, True]
    assert await runtime.db.fetchval("select count(*) from log.events") == 10


async def test_who_goes_away_while_waiting_disturbs_nobody(runtime: Runtime) -> None:
    append = runtime.commands.append_together
    waiting = [asyncio.create_task(append(raising(f"matter-{nth}"))) for nth in range(10)]
    await asyncio.sleep(0)
    for gone in waiting[::3]:
        gone.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [nth for nth, it in enumerate(outcomes) if isinstance(it, asyncio.CancelledError)] == [0, 3, 6, 9]

    async def all_there() -> bool:  # what was on its way already is committed all the same
        return await runtime.db.fetchval("select count(distinct stream) from log.events") == 10

    await eventually(all_there)


async def test_when_the_server_goes_away_each_is_told_and_later_ones_succeed(runtime: Runtime) -> None:
    append = runtime.commands.append_together
    async with runtime.connection() as other, other.transaction():
        await other.execute("lock table log.events in exclusive mode")
        waiting = [asyncio.create_task(append(raising(f"matter-{nth}"))) for nth in range(10)]

        async def two_wait() -> bool:
            return await other.fetchval("select count(*) from pg_locks where not granted") == 2

        await eventually(two_wait)
        await other.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
               where usename = current_user and pid <> pg_backend_pid() and wait_event_type = 'Lock'"""
        )
        first = await asyncio.gather(*waiting[:2], return_exceptions=True)
        assert all(isinstance(it, asyncpg.PostgresError | asyncpg.InterfaceError | OSError) for it in first), first
    await asyncio.gather(*waiting[2:])
    assert await runtime.db.fetchval("select count(distinct stream) from log.events") == 8
    await runtime.commands.execute(MATTER, "2", Close())


async def test_what_is_loaded_at_the_same_time_shares_queries_and_each_gets_its_own(runtime: Runtime) -> None:
    queries = 0
    for nth in range(10):
        await runtime.commands.execute(MATTER, f"{nth}", Raise())
        await runtime.commands.execute(MATTER, f"{nth}", Note(f"{nth}"))

    async def load(streams: Sequence[str]) -> Sequence[Sequence[Raw]]:
        nonlocal queries
        queries += 1
        return await asyncio.gather(*map(loads(runtime.db), streams))

    wanted = [*(f"matter-{nth}" for nth in range(10)), "matter-none", "matter-3"]
    found = await asyncio.gather(*map(Together(load), wanted))
    assert [[raw.stream for raw in raws] for raws in found] == [
        [] if stream == "matter-none" else [stream] * 2 for stream in wanted
    ]
    assert queries == 3, "two that found nobody, and one for all who came meanwhile"


async def test_commands_go_by_the_indexes_though_the_tables_were_small_when_they_were_prepared(
    runtime: Runtime,
) -> None:
    for nth in range(5):
        await runtime.commands.execute(MATTER, f"{nth}", Raise(), key=Key(f"{nth}"))
    async with runtime.connection() as db:

        async def read_as_a_whole() -> int:
            await db.execute("select pg_stat_force_next_flush()")
            return await db.fetchval("select sum(seq_scan) from pg_stat_user_tables where relname = any($1)", tables)

        tables = ["events", "commands", "person_keys"]
        await db.execute("analyze")
        before = await read_as_a_whole()
        for nth in range(12):  # after five times a plan is kept
            assert len((await store.load_many(db, ["matter-1", "matter-2"]))["matter-1"]) == 1
            await db.fetch(keys.LOOK, ["matter-1"])
            assert len((await store.load_with_keys(db, ["matter-1", "matter-2"]))[0]) == 2
            await store.append(db, [raising(f"matter-new-{nth}", key=f"new {nth}")])
        assert await read_as_a_whole() == before


async def test_who_loads_while_another_query_is_under_way_gets_what_was_written_before_they_asked(
    runtime: Runtime,
) -> None:
    async def raised_and_loaded(nth: int) -> int:
        await runtime.commands.execute(MATTER, f"{nth}", Raise(), new=True)
        return (await runtime.commands.load(MATTER, f"{nth}"))[1]

    assert await asyncio.gather(*map(raised_and_loaded, range(50))) == [1] * 50


async def test_however_many_come_at_the_same_time_no_group_grows_beyond_what_is_allowed() -> None:
    sizes: list[int] = []

    async def double(asked: Sequence[int]) -> Sequence[int]:
        sizes.append(len(asked))
        return [2 * number for number in asked]

    many = range(2 * MOST + 7)
    assert await asyncio.gather(*map(Together(double), many)) == [2 * number for number in many]
    assert sizes == [1, 1, MOST, MOST, 5]


async def test_what_is_done_for_a_group_is_traced_to_the_one_that_waited_longest() -> None:
    request: ContextVar[str] = ContextVar("request")

    async def traced_to(asked: Sequence[str]) -> Sequence[str]:
        return [request.get()] * len(asked)

    together = Together(traced_to)

    async def ask(name: str) -> str:
        request.set(name)
        return await together(name)

    assert await asyncio.gather(*map(ask, "abcde")) == ["a", "b", "c", "c", "c"]
