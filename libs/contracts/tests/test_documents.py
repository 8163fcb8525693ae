"""The documents say what is really sent: types, topics, headers, and examples that hold to their own schemas."""

import json
from datetime import UTC, date, datetime

import jsonschema_rs
import pytest
from contracts.asyncapi import HEADERS, OPTIONAL, document
from contracts.catalogue import PUBLISHED
from contracts.examples import EXAMPLES
from contracts.grid_tasks import CaseReported
from contracts.registry import MemberAppointed, PersonRegistered
from contracts.schemas import schema_of
from contracts.sealed import on_the_wire, read, stream_of
from events import Event, personal
from events.event import Position, Raw, encode
from events.wire import headers_of

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CLASSES = [cls for classes in PUBLISHED.values() for cls in classes]


def test_the_catalogue_knows_the_events_of_all_four_services():
    assert set(PUBLISHED) == {"registry", "grid_tasks", "assessment", "notifications"}
    assert {"CaseReported", "CaseClosed", "CaseRated"} <= {cls.__name__ for cls in PUBLISHED["grid_tasks"]}
    assert "PersonFacts" not in {cls.__name__ for cls in PUBLISHED["registry"]}


def test_every_published_type_has_an_example():
    assert {event.type_name for event in EXAMPLES} == {cls.type_name for cls in CLASSES}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type_name)
def test_an_example_holds_to_its_published_schema_and_is_read_back(event: Event):
    data = on_the_wire(event).encode()
    jsonschema_rs.validate(schema_of(type(event)), json.loads(data), validate_formats=True)
    raw = Raw(Position(1, 1, 1), stream_of(event), 1, event.type_name, data, NOW)
    assert read(raw) == event


class Looked(Event, type="commongrid.registry.sample.looked.v1"):
    """An event with a sealed field, a marked one, and one that is nobody's."""

    sample: str
    name: str = personal()
    born: date = personal(erased=date.min)
    note: str = personal(sealed=False)


def test_a_sealed_value_in_the_open_does_not_hold_to_the_published_schema():
    """But what is sealed does, once opened, to what the schema says of it."""
    event = Looked(sample="1", name="王小明", born=date(1965, 3, 15), note="x")
    schema, in_the_open = schema_of(Looked), json.loads(encode(event))
    assert set(event.personal) == {"name", "born"}
    for name in event.personal:
        described = schema["properties"][name] | {"$defs": schema.get("$defs", {})}
        assert not jsonschema_rs.is_valid(described, in_the_open[name])
        jsonschema_rs.validate(described["x-personal"]["value"], in_the_open[name], validate_formats=True)
    sealed = json.loads(on_the_wire(event))
    jsonschema_rs.validate(schema, sealed, validate_formats=True)
    assert sealed["note"] == "x"


def test_personal_fields_are_marked_in_the_published_schema():
    marks = {name: field.get("x-personal") for name, field in schema_of(Looked)["properties"].items()}
    assert (marks["sample"], marks["note"]) == (None, True)
    assert isinstance(marks["name"], dict)
    marked = {cls for cls in CLASSES if any(it.get("x-personal") for it in schema_of(cls)["properties"].values())}
    assert {PersonRegistered, MemberAppointed, CaseReported} <= marked


@pytest.mark.parametrize("service", PUBLISHED)
def test_asyncapi_examples_hold_to_the_headers_and_payload_of_their_messages(service: str):
    described = document(service)
    for message in described["components"]["messages"].values():
        (example,) = message["examples"]
        for part, schema in (("headers", message["headers"]), ("payload", message["payload"]["schema"])):
            resolved = schema | {"components": described["components"]}
            jsonschema_rs.validate(resolved, example[part], validate_formats=True)


@pytest.mark.parametrize("service", PUBLISHED)
def test_each_channel_is_the_topic_of_one_kind_kept_for_ever_and_keyed_by_stream(service: str):
    described = document(service)
    for kind, channel in described["channels"].items():
        kafka = channel["bindings"]["kafka"]
        assert channel["address"] == kafka["topic"] == f"commongrid.{service}.{kind}"
        assert kafka["partitions"] == (1 if kind == "seals" else 12)
        assert kafka["topicConfiguration"]["retention.ms"] == -1
        for name in channel["messages"]:
            message = described["components"]["messages"][name]
            assert message["name"].startswith(f"commongrid.{service}.{kind}.")
            assert "stream" in message["bindings"]["kafka"]["key"]["description"]
    described_types = {message["name"] for message in described["components"]["messages"].values()}
    seals = f"commongrid.{service}.seals.published.v1"
    assert described_types == {cls.type_name for cls in PUBLISHED[service]} | {seals}


def test_the_described_headers_are_those_that_the_kernel_sends():
    known = Raw(Position(1, 2, 3), "case-1", 1, "t", b"{}", NOW, "actor", "correlation", "causation", "trace")
    assert {name for name, _ in headers_of(known, "/commongrid/registry")} == set(HEADERS)
    bare = Raw(Position(1, 2, 3), "case-1", 1, "t", b"{}", NOW)
    assert {name for name, _ in headers_of(bare, "/commongrid/registry")} == set(HEADERS) - set(OPTIONAL)
