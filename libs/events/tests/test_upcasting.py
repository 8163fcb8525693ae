"""Old events stay readable: the newest class reads the older types, wherever events are read (promise 7)."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from events import Aggregate, Batch, Connection, Event, ReadModel, Recorded, Service
from events.event import START, Catalogue, Raw, UnknownEventType
from events.runtime import Runtime
from events.testing import eventually, running
from pydantic import ValidationError

NewDatabase = Callable[..., Awaitable[str]]


class Visited1(Event, type="commongrid.visits.visit.made.v1"):
    """As it was once: one name, and minutes."""

    officer: str
    minutes: int
    weather: str = "fair"


class Visited2(Event, type="commongrid.visits.visit.made.v2"):
    """Then several officers could go."""

    officers: list[str]
    minutes: int


def to_seconds(data: dict[str, Any]) -> dict[str, Any]:
    return {"officers": data["officers"], "seconds": data["minutes"] * 60}


def to_several(data: dict[str, Any]) -> dict[str, Any]:
    return to_seconds({"officers": [data["officer"]], "minutes": data["minutes"]})


class Visited(
    Event,
    type="commongrid.visits.visit.made.v3",
    upcasts={"commongrid.visits.visit.made.v2": to_seconds, "commongrid.visits.visit.made.v1": to_several},
):
    """As it is today; reads both."""

    officers: list[str]
    seconds: int
    remark: str = "none"


@dataclass(frozen=True)
class Visits:
    seconds: int = 0


def told(_: Visits, event: Event) -> list[Event]:
    return [event]


def add(visits: Visits, event: Event) -> Visits:
    match event:
        case Visited(seconds=seconds):
            return Visits(visits.seconds + seconds)
        case _:
            return visits


def visit(*events: type[Event]) -> Aggregate[Visits, Event]:
    return Aggregate("visit", Visits(), told, add, events)


def log(name: str = "log") -> ReadModel:
    """Each visit twice: by a handler for one, and by columns."""
    return ReadModel(name, "create table log (stream text, officers text, seconds int, remark text)")


def by_one(model: ReadModel) -> ReadModel:
    @model.each(Visited)
    async def visited(db: Connection, event: Recorded[Visited]) -> None:
        data = event.data
        await db.execute(
            "insert into log values ($1, $2, $3, $4)", event.stream, "+".join(data.officers), data.seconds, data.remark
        )

    return model


def by_set(model: ReadModel) -> ReadModel:
    @model.on(Visited)
    async def visited(db: Connection, events: Batch[Visited]) -> None:
        await db.execute(
            "insert into log select * from unnest($1::text[], $2::text[], $3::int[], $4::text[])",
            events.streams,
            ["+".join(officers) for officers in events.column("officers")],
            events.column("seconds"),
            events.column("remark"),
        )

    return model


OLD = Service("visits", [visit(Visited1, Visited2)])
NEW = Service("visits", [visit(Visited)], [by_one(log("one")), by_set(log("set"))])
OTHER = Service("elsewhere", read_models=[by_one(log("one")), by_set(log("set"))])
EXPECTED = [("visit-1", "Li", 600, "none"), ("visit-1", "Li+Wang", 1200, "none"), ("visit-1", "Wang", 5, "new")]


@pytest.fixture
async def visits(new_database: NewDatabase, kafka_server: str, topic_prefix: str) -> AsyncGenerator[Runtime]:
    """A service that wrote two older types before it was renewed, and writes the newest now."""
    database = await new_database()
    async with running(OLD, database, kafka_server, topic_prefix) as old:
        aggregate = OLD.aggregates[0]
        await old.commands.execute(aggregate, "1", Visited1(officer="Li", minutes=10, weather="rain"))
        await old.commands.execute(aggregate, "1", Visited2(officers=["Li", "Wang"], minutes=20))
    async with running(NEW, database, kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(NEW.aggregates[0], "1", Visited(officers=["Wang"], seconds=5, remark="new"))
        yield runtime


async def test_a_thing_of_old_events_is_loaded_by_the_newest_class(visits: Runtime) -> None:
    state, version = await visits.commands.load(NEW.aggregates[0], "1")
    assert (state, version) == (Visits(600 + 1200 + 5), 3)
    history = await visits.commands.history(NEW.aggregates[0], "1")
    assert [type(it.data) for it in history] == [Visited] * 3
    assert [it.raw.type[-2:] for it in history] == ["v1", "v2", "v3"], "what is stored stays as it was"


async def test_read_models_are_given_old_events_in_the_newest_shape(visits: Runtime) -> None:
    for schema in ("one_v1", "set_v1"):
        await eventually(lambda schema=schema: shows(visits, schema))


async def test_other_services_read_old_events_from_the_topic(
    visits: Runtime, new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(OTHER, await new_database(), kafka_server, topic_prefix) as other:
        for schema in ("one_v1", "set_v1"):
            await eventually(lambda schema=schema: shows(other, schema))


async def shows(runtime: Runtime, schema: str) -> bool:
    rows = await runtime.db.fetch(f"select * from {schema}.log order by officers, seconds")
    assert [tuple(row) for row in rows] == EXPECTED
    return True


async def test_an_old_event_that_cannot_be_read_any_more_is_parked(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    database = await new_database()
    async with running(OLD, database, kafka_server, topic_prefix) as old:
        await old.db.execute(
            """insert into log.events (incarnation, tx, stream, version, type, data)
               values (1, pg_current_xact_id(), 'visit-1', 1, 'commongrid.visits.visit.made.v1', '{}')"""
        )
    async with running(NEW, database, kafka_server, topic_prefix) as runtime:
        await eventually(lambda: parked_as(runtime, {"one_v1", "set_v1"}))


async def parked_as(runtime: Runtime, consumers: set[str]) -> bool:
    rows = await runtime.db.fetch("select consumer, error from log.parked")
    assert {row[0] for row in rows} == consumers
    assert all(row[1].startswith("KeyError in test_upcasting.py") for row in rows)
    return True


def test_properties_that_nobody_knows_are_ignored_and_optional_ones_take_their_default() -> None:
    catalogue = Catalogue([Visited])
    raws = [
        raw("commongrid.visits.visit.made.v3", b'{"officers": ["Li"], "seconds": 1, "colour": "red"}'),
        raw("commongrid.visits.visit.made.v3", b'{"officers": [], "seconds": 2, "remark": "short"}'),
    ]
    batch = Batch(Visited, raws, catalogue)
    assert [it.data for it in batch] == [
        Visited(officers=["Li"], seconds=1),
        Visited(officers=[], seconds=2, remark="short"),
    ]
    assert batch.column("remark") == ["none", "short"]
    assert batch.column("seconds") == [1, 2]


@pytest.mark.parametrize("data", [b'{"officers": ["Li"]}', b'{"officers": ["Li"], "seconds": "ten"}', b"{", b""])
def test_what_does_not_fit_its_type_is_refused(data: bytes) -> None:
    with pytest.raises(ValidationError):
        Catalogue([Visited]).decode(raw("commongrid.visits.visit.made.v3", data))
    with pytest.raises(ValueError):  # noqa: PT011 - orjson's and pydantic's are ValueErrors both
        Batch(Visited, [raw("commongrid.visits.visit.made.v3", data)], Catalogue([Visited])).column("seconds")


def test_an_upcaster_of_what_is_no_object_is_a_fault_of_the_event() -> None:
    with pytest.raises(TypeError):
        Catalogue([Visited]).decode(raw("commongrid.visits.visit.made.v1", b"[]"))


def raw(type_name: str, data: bytes) -> Raw:
    return Raw(START, "visit-1", 1, type_name, data, datetime(2026, 3, 2, tzinfo=UTC))


# What a catalogue and a service refuse


def test_a_type_that_no_class_reads_is_named() -> None:
    with pytest.raises(UnknownEventType, match=r"commongrid.visits.visit.made.v9.*upcasts"):
        Catalogue([Visited]).decode(raw("commongrid.visits.visit.made.v9", b"{}"))


def test_two_classes_that_read_one_type_are_refused() -> None:
    """Else it would be left to chance which of them does."""
    with pytest.raises(TypeError, match=r"Visited.? and Visited.? both read commongrid.visits.visit.made.v1"):
        Catalogue([Visited1, Visited])


def test_a_type_says_its_service_its_aggregate_and_its_version() -> None:
    with pytest.raises(TypeError, match="not commongrid"):

        class Nameless(Event, type="visited.v1"):  # pyright: ignore[reportUnusedClass]
            pass


def test_an_event_stands_in_the_aggregate_that_its_type_says() -> None:
    with pytest.raises(TypeError, match=r"must begin with commongrid.visits.walk\."):
        Service("visits", [Aggregate("walk", Visits(), told, add, (Visited,))])
    with pytest.raises(TypeError, match=r"must begin with commongrid.others.visit\."):
        Service("others", [visit(Visited)])


def test_names_of_parts_are_used_once() -> None:
    with pytest.raises(TypeError, match="two parts of the name log"):
        Service("visits", read_models=[log(), log()])


def test_a_read_model_has_one_handler_for_an_event() -> None:
    with pytest.raises(TypeError, match="one event, one handler"):
        by_one(by_one(log()))
