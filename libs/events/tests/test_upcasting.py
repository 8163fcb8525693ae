"""Old events stay readable (promise 7): the newest class says how older types are read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from events import Aggregate, Batch, Connection, Event, ReadModel, Service
from events.event import Catalogue, Raw, UnknownEventType
from events.migrate import migrate
from events.runtime import open_runtime
from events.settings import Settings
from events.testing import eventually, running
from front_desk import NOON
from pydantic import Field, ValidationError

NewDatabase = Callable[..., Awaitable[str]]


class ParcelTakenV1(Event, type="commongrid.lodge.parcel.taken.v1"):
    """As it was in the first year."""

    weight_kg: float


def _in_grams(data: dict[str, Any]) -> dict[str, Any]:
    return {"grams": round(data["weight_kg"] * 1000), "sender": "unknown"}


class ParcelTaken(
    Event, type="commongrid.lodge.parcel.taken.v2", upcasts={"commongrid.lodge.parcel.taken.v1": _in_grams}
):
    """As it is now."""

    grams: int
    sender: str
    marks: list[str] = Field(default_factory=list)


def lodge(*classes: type[Event], read_model: ReadModel | None = None) -> Service:
    """The porter's lodge of one year or another."""
    aggregate: Aggregate[tuple[Event, ...], Event] = Aggregate(
        "parcel", (), lambda _, event: [event], lambda so_far, event: (*so_far, event), classes
    )
    return Service("lodge", [aggregate], [read_model] if read_model else [])


def parcels() -> ReadModel:
    """What lies in the lodge, read by columns."""
    model = ReadModel("parcels", "create table parcel (stream text, grams int, sender text, marks text[])")

    @model.on(ParcelTaken)
    async def taken(db: Connection, events: Batch[ParcelTaken]) -> None:
        for row in zip(*map(events.column, ("grams", "sender", "marks")), events.streams, strict=True):
            await db.execute("insert into parcel values ($4, $1, $2, $3)", *row)

    return model


async def test_the_newest_class_loads_what_an_older_program_wrote(new_database: NewDatabase) -> None:
    settings = Settings(await new_database(), "127.0.0.1:9")
    old, new = lodge(ParcelTakenV1), lodge(ParcelTaken)
    await asyncio.to_thread(migrate, old, settings)
    async with open_runtime(old, settings) as runtime:
        await runtime.commands.execute(old.aggregates[0], "p", ParcelTakenV1(weight_kg=1.5))
    async with open_runtime(new, settings) as runtime:
        done = await runtime.commands.execute(new.aggregates[0], "p", ParcelTaken(grams=2, sender="li"))
    assert done.state == (ParcelTaken(grams=1500, sender="unknown"), ParcelTaken(grams=2, sender="li"))


async def test_read_models_see_old_events_in_the_new_shape(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    url = await new_database()
    old, new = lodge(ParcelTakenV1), lodge(ParcelTaken, read_model=parcels())
    async with running(old, url, kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(old.aggregates[0], "p", ParcelTakenV1(weight_kg=0.25))
    async with running(new, url, kafka_server, topic_prefix) as runtime:
        await runtime.commands.execute(new.aggregates[0], "q", ParcelTaken(grams=7, sender="li", marks=["fragile"]))

        async def both() -> bool:
            rows = await runtime.db.fetch("select grams, sender, marks from parcel order by stream")
            assert [tuple(row) for row in rows] == [(250, "unknown", []), (7, "li", ["fragile"])]
            return True

        await eventually(both)


def raw(type_name: str, data: bytes) -> Raw:
    from events.event import START

    return Raw(START, "parcel-p", 1, type_name, data, NOON)


def test_fields_that_a_newer_producer_added_are_ignored() -> None:
    read = Catalogue([ParcelTaken]).decode(
        raw("commongrid.lodge.parcel.taken.v2", b'{"grams": 1, "sender": "li", "colour": "red"}')
    )
    assert read == ParcelTaken(grams=1, sender="li")


def test_an_unknown_type_is_named_with_what_to_do() -> None:
    with pytest.raises(UnknownEventType, match=r"taken\.v3: list one in an aggregate's events, or give one `upcasts`"):
        Catalogue([ParcelTaken]).decode(raw("commongrid.lodge.parcel.taken.v3", b"{}"))


def test_data_that_no_longer_fits_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(ValidationError):
        Catalogue([ParcelTaken]).decode(raw("commongrid.lodge.parcel.taken.v2", b'{"grams": "much"}'))


def test_a_type_that_does_not_say_whose_it_is_is_refused_where_it_is_written() -> None:
    with pytest.raises(TypeError, match="is not commongrid"):

        class Nameless(Event, type="parcel.taken"):  # pyright: ignore[reportUnusedClass]
            pass


def test_an_event_of_another_service_is_refused_in_an_aggregate() -> None:
    with pytest.raises(TypeError, match=r"its type must begin with commongrid\.gate\.parcel"):
        Service("gate", lodge(ParcelTaken).aggregates)
