"""What is parked and what is tried again, what is said of it, and that a message of somebody else stops nothing
(promise 6)."""

import pytest
from broker import send
from events import Connection, Event, ReadModel, Recorded, parking
from events.testing import eventually, running
from front_desk import (
    MATTER,
    Note,
    Noted,
    Raise,
    Raised,
    busy,
    desk,
    has_journalled,
    journal,
    recorded,
)
from parked import NewDatabase, all_parked, are_parked, following, many_journalled, parked, retry
from structlog.testing import capture_logs

SECRET = "张三 13800138000"


async def as_a_number(db: Connection, event: Recorded[Noted]) -> None:
    int(event.data.note)


async def as_a_key(db: Connection, event: Recorded[Noted]) -> None:
    {}[event.data.note]  # pyright: ignore[reportUnknownVariableType]


async def as_a_parameter_of_another_type(db: Connection, event: Recorded[Noted]) -> None:
    await db.execute("insert into nothing values ($1)", event.data.note)


async def as_a_word_that_is_no_number_to_postgres(db: Connection, event: Recorded[Noted]) -> None:
    await db.execute("insert into nothing values ($1::text::int)", event.data.note)


async def as_a_row_that_is_there_already(db: Connection, event: Recorded[Noted]) -> None:
    await db.execute("insert into once values ($1)", event.data.note)
    await db.execute("insert into once values ($1)", event.data.note)


async def as_an_own_exception(db: Connection, event: Recorded[Noted]) -> None:
    raise RuntimeError(f"cannot do {event.data.note}")


HANDLERS = [
    as_a_number,
    as_a_key,
    as_a_parameter_of_another_type,
    as_a_word_that_is_no_number_to_postgres,
    as_a_row_that_is_there_already,
    as_an_own_exception,
]


async def test_what_is_said_of_an_error_holds_nothing_of_the_event(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """Whatever the handler does with it; and whatever it does, the event is parked, not tried for ever."""
    models: list[ReadModel] = []
    for handler in HANDLERS:
        model = ReadModel(
            handler.__name__, "create table nothing (n int); create table once (word text primary key)", personal=True
        )
        model.each(Noted)(handler)
        models.append(model)
    with capture_logs() as logs:
        async with running(desk(*models), await new_database(), kafka_server, topic_prefix) as runtime:
            await runtime.commands.execute(MATTER, "1", Raise())
            await runtime.commands.execute(MATTER, "1", Note(SECRET))
            await eventually(lambda: all_parked(runtime, len(HANDLERS)))
            errors = {it.consumer.removesuffix("_v1"): it.error for it in await parking.listed(runtime.db)}
    for name, error in errors.items():
        assert "test_parking_errors.py" in error or "Error: 2" in error, f"{name}: {error} does not say where"
        assert "张三" not in error
        assert "138" not in error
    assert "张三" not in repr(logs)


def test_an_error_is_told_by_the_line_of_ours_where_it_happened() -> None:
    def outer() -> None:
        middle()

    def middle() -> None:
        inner()

    def inner() -> None:
        raise RuntimeError(SECRET)

    line = inner.__code__.co_firstlineno + 1
    with pytest.raises(RuntimeError) as raised:
        outer()
    assert parking.describe(raised.value) == f"RuntimeError in test_parking_errors.py:{line}"


async def test_an_event_that_lacks_a_field_is_parked_and_the_field_named(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(desk(journal()), await new_database(), kafka_server, topic_prefix) as runtime:
        await runtime.db.execute(
            """insert into log.events (incarnation, tx, stream, version, type, data)
               values (1, pg_current_xact_id(), 'matter-1', 1, 'commongrid.desk.matter.raised.v1', '{"at": "张三"}')"""
        )
        await eventually(lambda: are_parked(runtime, "matter-1/1"))
        ((_, error),) = await parked(runtime)
        assert error.startswith("ValidationError: place: Field required; at: Input should be a valid datetime")
        assert "张三" not in error


async def test_an_error_of_the_moment_parks_nothing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    """Here the connection is lost in the middle of a handler, for a few times."""
    trouble = [1, 2, 3]
    model = journal()

    async def lose_the_connection(event: Recorded[Event]) -> None:
        if trouble:
            trouble.pop()
            await runtime.db.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and state = 'idle in transaction'"""
            )

    model = journal(hook=lose_the_connection)
    async with running(desk(model), await new_database(), kafka_server, topic_prefix) as runtime:
        await busy(runtime.commands, 10)
        expected = await recorded(runtime.db)
        await eventually(lambda: has_journalled(runtime.db, expected))
        assert not trouble
        assert await parked(runtime) == []


async def test_a_lock_that_somebody_holds_is_an_error_of_the_moment(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    model = ReadModel("log", "create table log (matter text)")
    tries: list[str] = []

    @model.each(Raised)
    async def raised(db: Connection, event: Recorded[Raised]) -> None:
        tries.append(event.stream)
        await db.execute("lock table log in exclusive mode nowait")
        await db.execute("insert into log values ($1)", event.stream)

    async with running(desk(model), await new_database(), kafka_server, topic_prefix) as runtime:
        async with runtime.connection() as holding, holding.transaction():
            await holding.execute("lock table log_v1.log in share mode")
            await runtime.commands.execute(MATTER, "1", Raise())
            await eventually(lambda: tried(tries, 3))
            assert await parked(runtime) == []
        await runtime.commands.caught_up(model, 30)
        assert await runtime.db.fetchval("select count(*) from log") == 1


async def tried(tries: list[str], times: int) -> bool:
    return len(tries) >= times


FOREIGN = [
    (b"k", b"hello", ()),
    (b"k", b"hello again", ()),
    (b"", None, ()),
    (None, b"", ()),
    (b"\x00\x01\x02\xff", b"\x00", ()),
    (b"k", b"{}", [("ce_position", b"1.1"), ("ce_subject", b"matter-9"), ("ce_sequence", b"1")]),
]


FORGED = {
    "ce_position": b"1.1.1",
    "ce_subject": b"matter-9",
    "ce_sequence": b"1",
    "ce_type": Raised.type_name.encode(),
    "ce_time": b"2026-03-02T12:00:00Z",
}


FORGED_WRONGLY = [
    {"ce_position": b"2147483648.1.1"},
    {"ce_position": b"1.18446744073709551616.1"},
    {"ce_sequence": b"0"},
    {"ce_sequence": b"2147483648"},
    {"ce_subject": b"matter-\x00"},
    {"ce_subject": None},
    {"ce_time": b"yesterday"},
    {"ce_actor": b"\xff"},
]


async def test_messages_that_are_no_events_are_parked_and_stop_nothing(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with following("hall", new_database, kafka_server, topic_prefix) as (commands, runtime, topic):
        await busy(commands, 20)
        for key, value, headers in FOREIGN:
            await send(kafka_server, topic, key, value, headers)
        for wrong in FORGED_WRONGLY:
            headers = [*(FORGED | wrong).items()]
            await send(kafka_server, topic, b"matter-9", b'{"place": "gate"}', headers)  # pyright: ignore[reportArgumentType]
        await busy(commands, 20, seed=2)
        await eventually(lambda: all_parked(runtime, len(FOREIGN) + len(FORGED_WRONGLY)))
        await eventually(lambda: many_journalled(runtime, 40))
        listed = await parking.listed(runtime.db)
        assert {it.raw.type for it in listed} == {"unreadable"}
        assert all(it.error == parking.BEHIND or "not an event of ours" in it.error for it in listed)
        journal_there = runtime.service.read_models[0]
        with pytest.raises(ValueError, match="can only be dropped"):
            await retry(runtime, journal_there, topic, listed[0].raw.stream)
        async with runtime.connection() as db:
            await parking.remove(db, [it.id for it in listed])
        assert await parked(runtime) == []
