"""A key for each person (promise 8): made at first use, one for all writers, and destroyed for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from events import Aggregate, Event, Key, Service, personal, store
from events.grouped import loads_with_keys
from events.privacy.cache import KeyCache
from events.privacy.data import Erased
from events.privacy.keys import PersonKeys
from events.privacy.ring import KeyRing, new_ring, read_ring
from events.privacy.sealing import PersonKey, is_sealed, parsed
from events.privacy.vault import DoesNotUnwrap, NoVault, TransitSettings, VaultAway
from events.runtime import Runtime, open_runtime
from events.settings import Settings
from front_desk import MATTER, Matter, Note, Raise, desk

NO_KAFKA = "127.0.0.1:9"


class Visited(Event, type="commongrid.rounds.round.visited.v1"):
    """A visit to somebody, on a round."""

    person: str
    saw: str = personal(of="person")


@dataclass(frozen=True)
class Visit:
    person: str
    saw: str


def decide(saw: tuple[str, ...], command: Visit) -> list[Event]:
    return [Visited(person=command.person, saw=command.saw)]


def evolve(saw: tuple[str, ...], event: Event) -> tuple[str, ...]:
    return (*saw, event.saw) if isinstance(event, Visited) else saw


ROUND: Aggregate[tuple[str, ...], Visit] = Aggregate("round", (), decide, evolve, (Visited,))
ROUNDS = Service("rounds", [ROUND])


@pytest.fixture
async def at_desk(opened: Callable[[Service], Awaitable[Runtime]]) -> Runtime:
    return await opened(desk())


@pytest.fixture
async def on_rounds(opened: Callable[[Service], Awaitable[Runtime]]) -> Runtime:
    return await opened(ROUNDS)


def view(state: Matter, version: int) -> dict[str, Any]:
    return {"notes": list(state.notes)}


async def persons(runtime: Runtime) -> list[str]:
    rows = await runtime.db.fetch("select subject from log.person_keys where wrapped is not null order by subject")
    return [row[0] for row in rows]


def forget_all(runtime: Runtime) -> None:
    """Leaves nothing in memory, as in a process that has just begun."""
    runtime.personal.keys._cache = KeyCache()  # pyright: ignore[reportPrivateUsage]


# Made at first use


async def test_what_is_recorded_of_somebody_stands_sealed_in_the_store_and_reads_as_it_was(at_desk: Runtime) -> None:
    await at_desk.commands.execute(MATTER, "1", Raise())
    assert await persons(at_desk) == []
    await at_desk.commands.execute(MATTER, "1", Note("谭瑞 13800138000"))
    assert await persons(at_desk) == ["matter-1"]
    data = await at_desk.db.fetchval("select data ->> 'note' from log.events where version = 2")
    sealed = parsed(data)
    assert sealed
    assert sealed.subject == "matter-1"
    state, _ = await at_desk.commands.load(MATTER, "1")
    assert state.notes == ("谭瑞 13800138000",)
    assert (await at_desk.commands.history(MATTER, "1"))[1].data.note == "谭瑞 13800138000"  # type: ignore[attr-defined]


async def test_the_key_is_not_in_the_database_but_wrapped(at_desk: Runtime) -> None:
    await at_desk.commands.execute(MATTER, "1", Raise())
    await at_desk.commands.execute(MATTER, "1", Note("x"))
    key = (await at_desk.personal.keys.obtain(("matter-1",)))["matter-1"]
    assert key
    row = await at_desk.db.fetchrow("select kek, wrapped from log.person_keys")
    assert row
    assert row["kek"] == "of-tests"
    assert key.secret not in row["wrapped"]


async def test_writers_at_the_same_time_agree_on_one_key(on_rounds: Runtime) -> None:
    """On many streams, by two processes: whoever comes second seals with the first one's key."""
    async with open_runtime(ROUNDS, on_rounds.settings) as other:
        visits = [
            runtime.commands.execute(ROUND, f"{who}-{nth}", Visit("P1", f"{who}/{nth}"), new=True)
            for nth in range(20)
            for who, runtime in enumerate((on_rounds, other))
        ]
        await asyncio.gather(*visits)
    assert await persons(on_rounds) == ["person-P1"]
    forget_all(on_rounds)
    for nth in range(20):
        for who in (0, 1):
            state, _ = await on_rounds.commands.load(ROUND, f"{who}-{nth}")
            assert state == (f"{who}/{nth}",)


async def test_a_new_stream_whose_person_has_a_key_already_is_sealed_with_that_one(on_rounds: Runtime) -> None:
    stream = ROUND.stream("1")
    made = await on_rounds.personal.keys.material((stream,))
    [(kek, wrapped)] = made.new.values()
    await on_rounds.db.execute(
        "insert into log.person_keys (subject, wrapped, kek) values ($1, $2, $3)", stream, wrapped, kek
    )
    await on_rounds.commands.execute(ROUND, "1", Visit("", "alone"), new=True)
    data = await on_rounds.db.fetchval("select data ->> 'saw' from log.events")
    sealed = parsed(data)
    assert sealed
    assert sealed.key_id == made.keys[stream].id


async def test_nothing_of_a_key_remains_if_its_event_is_refused(at_desk: Runtime) -> None:
    await at_desk.commands.execute(MATTER, "1", Raise(), key=Key("k"))
    appending = store.Appending(key=Key("k"))
    material = await at_desk.personal.keys.material(("matter-2",))
    appending.new_keys = material.new
    appending.add("matter-2", 0, MATTER.decide(Matter(open=True), Note("谭瑞")), material.keys)
    with pytest.raises(store.KeyUsed):
        await at_desk.commands.append_together(appending)
    assert await persons(at_desk) == []


async def test_a_service_whose_events_are_personal_does_not_open_without_a_key_ring(fresh_database: str) -> None:
    with pytest.raises(NoVault, match="COMMONGRID_KEYS"):
        async with open_runtime(desk(), Settings(fresh_database, NO_KAFKA)):
            pass


async def test_a_service_whose_events_are_not_needs_none(fresh_database: str) -> None:
    async with open_runtime(Service("quiet"), Settings(fresh_database, NO_KAFKA)) as runtime:
        assert runtime.personal.keys


# Destroyed


async def noted(runtime: Runtime) -> None:
    await runtime.commands.execute(MATTER, "1", Raise())
    await runtime.commands.execute(MATTER, "1", Note("谭瑞"), key=Key("k", b"asked"), view=view)


async def test_once_the_key_is_destroyed_nothing_reads_and_the_event_says_so(at_desk: Runtime) -> None:
    await noted(at_desk)
    await at_desk.personal.keys.destroy("matter-1")
    state, version = await at_desk.commands.load(MATTER, "1")
    assert (state.notes, version) == (("",), 2)
    event = (await at_desk.commands.history(MATTER, "1"))[1]
    assert event.erased == {"note"}


async def test_destroying_again_changes_nothing_and_says_when_it_was(at_desk: Runtime) -> None:
    await noted(at_desk)
    first = await at_desk.personal.keys.destroy("matter-1")
    assert await at_desk.personal.keys.destroy("matter-1") == first
    row = await at_desk.db.fetchrow("select wrapped, kek, destroyed_at from log.person_keys")
    assert row
    assert tuple(row) == (None, None, first)


async def test_nothing_more_is_recorded_of_somebody_erased_but_what_tells_nothing(at_desk: Runtime) -> None:
    await noted(at_desk)
    await at_desk.personal.keys.destroy("matter-1")
    with pytest.raises(Erased):
        await at_desk.commands.execute(MATTER, "1", Note("谭瑞 again"))
    done = await at_desk.commands.execute(MATTER, "1", Note(""))
    assert done.version == 3


async def test_who_was_erased_before_anything_was_recorded_stays_erased(on_rounds: Runtime) -> None:
    await on_rounds.personal.keys.destroy("round-1")
    forget_all(on_rounds)
    with pytest.raises(Erased):
        await on_rounds.commands.execute(ROUND, "1", Visit("", "x"), new=True)
    assert await on_rounds.db.fetchval("select count(*) from log.events") == 0


async def test_of_many_commands_at_once_those_of_the_erased_alone_are_refused(on_rounds: Runtime) -> None:
    await on_rounds.personal.keys.destroy("person-P1")
    answers = await on_rounds.commands.execute_many(ROUND, {"1": Visit("P1", "x"), "2": Visit("P2", "x")})
    assert isinstance(answers["1"], Erased)
    assert (await on_rounds.commands.load(ROUND, "2"))[0] == ("x",)
    assert (await on_rounds.commands.load(ROUND, "1"))[0] == ()


async def test_another_process_knows_within_seconds(at_desk: Runtime) -> None:
    await noted(at_desk)
    now = [0.0]
    keys = PersonKeys(at_desk.db, at_desk.settings.vault(), KeyCache(clock=lambda: now[0]))
    assert (await keys.obtain(("matter-1",)))["matter-1"]
    await at_desk.personal.keys.destroy("matter-1")
    now[0] = 4.9
    assert (await keys.obtain(("matter-1",)))["matter-1"]
    now[0] = 5.0
    assert (await keys.obtain(("matter-1",)))["matter-1"] is None


async def test_a_thing_that_tells_of_somebody_is_loaded_together_with_the_key(at_desk: Runtime) -> None:
    await noted(at_desk)
    await at_desk.commands.execute(MATTER, "2", Raise())
    keys = PersonKeys(asyncpg.create_pool(min_size=0), at_desk.settings.vault())  # a pool that is never opened
    load = loads_with_keys(at_desk.db, keys)
    matter, other = await asyncio.gather(load("matter-1"), load("matter-2"))
    assert ([raw.version for raw in matter], [raw.version for raw in other]) == ([1, 2], [1])
    assert (await keys.obtain(("matter-1",)))["matter-1"], "without asking the table"
    with pytest.raises(asyncpg.InterfaceError):
        await keys.obtain(("matter-2",))


async def test_a_key_that_another_process_destroyed_is_gone_with_the_next_load(at_desk: Runtime) -> None:
    await noted(at_desk)
    async with open_runtime(at_desk.service, at_desk.settings) as other:
        await other.personal.keys.destroy("matter-1")
    assert (await at_desk.personal.keys.obtain(("matter-1",)))["matter-1"], "in memory still"
    state, _ = await at_desk.commands.load(MATTER, "1")
    assert state.notes == ("",)
    assert (await at_desk.personal.keys.obtain(("matter-1",)))["matter-1"] is None


async def test_a_key_in_memory_lives_no_longer_because_its_thing_is_loaded(at_desk: Runtime) -> None:
    """The table may have lost it, and hold another: nothing should be sealed with the old one for ever."""
    await noted(at_desk)
    now = [0.0]
    keys = PersonKeys(at_desk.db, at_desk.settings.vault(), KeyCache(5.0, clock=lambda: now[0]))
    load = loads_with_keys(at_desk.db, keys)
    await load("matter-1")
    first = (await keys.obtain(("matter-1",)))["matter-1"]
    for now[0] in (2.0, 4.0):
        await load("matter-1")
        assert (await keys.obtain(("matter-1",)))["matter-1"] is first
    now[0] = 5.0
    await load("matter-1")
    assert (await keys.obtain(("matter-1",)))["matter-1"] is not first


async def test_while_the_vault_is_away_what_tells_of_nobody_is_loaded(at_desk: Runtime, tmp_path: Path) -> None:
    await noted(at_desk)
    await at_desk.commands.execute(MATTER, "2", Raise())
    await at_desk.db.execute("update log.person_keys set kek = 'transit/commongrid:v1'")
    (token := tmp_path / "token").write_text("t")
    away = TransitSettings("http://127.0.0.1:9", str(token))
    async with open_runtime(at_desk.service, replace(at_desk.settings, keys=None, transit=away)) as other:
        told, silent = await asyncio.gather(
            other.commands.load(MATTER, "1"), other.commands.load(MATTER, "2"), return_exceptions=True
        )
    assert isinstance(told, VaultAway)
    assert not isinstance(silent, BaseException)
    assert silent[1] == 1


def test_what_was_asked_before_a_destruction_does_not_bring_a_key_back() -> None:
    now = [0.0]
    cache, key = KeyCache(clock=lambda: now[0]), PersonKey("p", bytes(32))
    asked_at = cache.now()
    now[0] = 1.0
    cache.put(cache.now(), {"p": None})
    cache.put(asked_at, {"p": key})
    assert cache.find("p") == {"p": None}


def test_memory_holds_so_many_keys_and_no_more() -> None:
    cache = KeyCache(most=2)
    cache.put(cache.now(), {"a": None, "b": None})
    cache.put(cache.now(), {"c": None})
    assert cache.find("abc") == {"b": None, "c": None}


def test_a_key_that_was_asked_for_long_ago_is_not_kept_by_younger_ones() -> None:
    now = [0.0]
    cache = KeyCache(5.0, clock=lambda: now[0])
    now[0] = 3.0
    cache.put(3.0, {"young": None})
    cache.put(0.0, {"old": None})
    now[0] = 5.0
    assert cache.find(("old", "young")) == {"young": None}


# What a command was answered


async def test_the_answer_to_a_command_is_sealed_as_well_and_a_repetition_gets_it(at_desk: Runtime) -> None:
    await noted(at_desk)
    row = await at_desk.db.fetchrow("select outcome #>> '{}' as outcome, fingerprint from log.commands")
    assert row
    assert is_sealed(row["outcome"])
    assert row["fingerprint"] == b""  # a hash of a name or a number can be guessed at
    again = await at_desk.commands.execute(MATTER, "1", Note("谭瑞"), key=Key("k", b"asked"), view=view)
    assert (again.repeated, again.outcome) == (True, {"notes": ["谭瑞"]})


async def test_the_answer_is_sealed_even_if_only_an_earlier_event_was_personal(at_desk: Runtime) -> None:
    await noted(at_desk)
    await at_desk.commands.execute(MATTER, "1", Note(""), key=Key("later"), view=view)
    for (outcome,) in await at_desk.db.fetch("select outcome #>> '{}' from log.commands"):
        assert is_sealed(outcome)


async def test_after_an_erasure_a_repetition_is_answered_with_what_can_be_said(at_desk: Runtime) -> None:
    await noted(at_desk)
    await at_desk.personal.keys.destroy("matter-1")
    again = await at_desk.commands.execute(MATTER, "1", Note("谭瑞"), key=Key("k", b"asked"), view=view)
    assert (again.repeated, again.outcome) == (True, {"notes": [""]})


async def test_the_answer_that_tells_of_two_is_unreadable_once_either_is_erased(on_rounds: Runtime) -> None:
    def seen(state: tuple[str, ...], version: int) -> dict[str, Any]:
        return {"saw": list(state)}

    await on_rounds.commands.execute(ROUND, "1", Visit("P1", "one"))
    await on_rounds.commands.execute(ROUND, "1", Visit("P2", "two"), key=Key("k"), view=seen)
    again = await on_rounds.commands.execute(ROUND, "1", Visit("P2", "two"), key=Key("k"), view=seen)
    assert again.outcome == {"saw": ["one", "two"]}
    await on_rounds.personal.keys.destroy("person-P1")
    again = await on_rounds.commands.execute(ROUND, "1", Visit("P2", "two"), key=Key("k"), view=seen)
    assert (again.repeated, again.outcome) == (True, {"saw": ["", "two"]})


# The key ring


async def test_a_ring_is_read_as_it_was_written_from_a_file_or_as_it_is(tmp_path: Any) -> None:
    ring = new_ring("2026-11")
    path = tmp_path / "ring.json"
    ring.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    for source in (str(path), ring.text()):
        read = read_ring(source)
        assert (read.current_id, read.keys, read.index) == (ring.current_id, ring.keys, ring.index)
    assert "keys" not in repr(ring)


WHOLE = "A" * 43 + "="


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{",
        '{"current": "a", "keys": {}, "index": ""}',
        '{"current": "a", "keys": {"a": "AAAA"}, "index": ""}',
        f'{{"current": "a", "keys": {{"a": "*{WHOLE}"}}, "index": "{WHOLE}"}}',
        f'{{"current": "a", "keys": {{"a": "{WHOLE}"}}, "index": "*{WHOLE}"}}',
    ],
)
def test_what_is_no_ring_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="ring") as refused:
        read_ring(text)
    assert "AAAA" not in str(refused.value)


async def test_a_wrapped_key_unwraps_with_any_key_of_the_ring_and_for_nobody_else() -> None:
    old = new_ring("2026")
    new = old.with_new("2027")
    [was], [becomes] = await old.wrap([("p", b"k" * 32)]), await new.wrap([("p", b"k" * 32)])
    assert (was.kek, becomes.kek) == ("2026", "2027")
    assert await new.unwrap([("p", was), ("p", becomes)]) == [b"k" * 32] * 2
    with pytest.raises(DoesNotUnwrap):
        await new.unwrap([("q", was)])
    with pytest.raises(DoesNotUnwrap, match="2027, which is not on the key ring"):
        await old.unwrap([("p", becomes)])


def test_the_index_key_is_another_than_those_that_wrap() -> None:
    with pytest.raises(ValueError, match="index key"):
        KeyRing("a", {"a": bytes(32)}, bytes(32))


async def test_the_index_key_is_there_at_the_first_asking_and_the_vault_is_asked_for_it_once(
    on_rounds: Runtime,
) -> None:
    asked: list[str] = []

    class Counted(KeyRing):
        async def index_key(self) -> bytes:
            asked.append("index key")
            return await super().index_key()

    keys = PersonKeys(on_rounds.db, Counted("a", {"a": bytes(32)}, b"i" * 32))
    assert [await keys.index_key() for _ in range(3)] == [b"i" * 32] * 3
    assert len(asked) == 1


async def test_a_restored_database_without_its_keys_reads_as_erased_and_goes_on(at_desk: Runtime) -> None:
    """The keys made since the backup are lost with the database; what is recorded from now on has a new one."""
    await noted(at_desk)
    await at_desk.db.execute("delete from log.person_keys")
    forget_all(at_desk)
    assert (await at_desk.commands.load(MATTER, "1"))[0].notes == ("",)
    await at_desk.commands.execute(MATTER, "1", Note("new"))
    assert (await at_desk.commands.load(MATTER, "1"))[0].notes == ("", "new")


@pytest.mark.parametrize("data", [b"{", b"[]"])
async def test_what_is_no_event_at_all_keeps_none_beside_it_sealed(at_desk: Runtime, data: bytes) -> None:
    await noted(at_desk)
    [_, event] = await store.load(at_desk.db, "matter-1")
    none = event._replace(stream="matter-2", data=data)
    before, stays, after = await at_desk.personal.open([event, none, event])
    assert stays == none
    for opened in (before, after):
        assert orjson.loads(opened.data) == {"note": "谭瑞"}


async def test_what_was_moved_in_the_store_is_refused(at_desk: Runtime) -> None:
    await noted(at_desk)
    [_, event] = await store.load(at_desk.db, "matter-1")
    with pytest.raises(Exception, match="moved from where it was sealed for"):
        await at_desk.personal.open([event._replace(version=3)])
