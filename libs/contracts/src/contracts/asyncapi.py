"""The AsyncAPI document of a service's events: channels are topics, messages are CloudEvents in Kafka's binary mode.

It says nothing of servers: where Kafka is, is a matter of each installation.
"""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from contracts.catalogue import PUBLISHED
from contracts.examples import EXAMPLES
from contracts.schemas import Schema, schema_of
from contracts.sealed import on_the_wire, stream_of
from events import Event
from events.chain import Head
from events.event import Position, Raw, aggregate_of
from events.seals import Seal
from events.wire import headers_of, source_of
from pydantic_core import from_json

PARTITIONS = 12
BINDING = "0.5.0"
"""Version of AsyncAPI's Kafka bindings."""

HEADERS: dict[str, str] = {
    "content-type": "`application/json`.",
    "ce_specversion": "Version of CloudEvents: `1.0`.",
    "ce_id": "Unique for its source: the stream and the version in it.",
    "ce_source": "The service that wrote it.",
    "ce_type": "The type of the event.",
    "ce_time": "When the store took it, RFC 3339 in UTC. When it happened in the world stands in the data.",
    "ce_subject": "The stream: kind and id of the thing that it happened to. Also the message's key.",
    "ce_sequence": "The version within the stream: 1, 2, 3 …",
    "ce_position": "Its place in its source's store: incarnation.transaction.number. It rises from one message of "
    "a partition to the next, so a consumer drops what stands at or below the highest that it has applied.",
    "ce_actor": "Pseudonymous id of who caused it, where known.",
    "ce_correlationid": "Shared by all that one request led to.",
    "ce_causationid": "The event or command that directly led to it.",
    "traceparent": "W3C Trace Context of the request that caused it.",
}
OPTIONAL = ("ce_actor", "ce_correlationid", "ce_causationid", "traceparent")
SHAPES: dict[str, Schema] = {
    "ce_specversion": {"const": "1.0"},
    "content-type": {"const": "application/json"},
    "ce_time": {"format": "date-time"},
    "ce_sequence": {"pattern": r"^[1-9]\d*$"},
    "ce_position": {"pattern": r"^\d+\.\d+\.\d+$"},
    "traceparent": {"pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"},
}

SEAL = "SealPublished"
SEAL_SCHEMA: Schema = {
    "type": "object",
    "description": "Published every minute on which there was something new.",
    "properties": {
        "position": {"type": "string", "description": "Of the last row: incarnation.transaction.number."},
        "count": {"type": "integer", "minimum": 0, "description": "How many rows."},
        "hash": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256, chained row by row."},
        "at": {"type": "string", "format": "date-time"},
    },
    "required": ["position", "count", "hash", "at"],
}

DESCRIPTION = """Every event that this service publishes.

Topics are kept for ever, so that a new consumer can read everything from the beginning. Messages with the same key
(the stream) keep their order. Ignore properties that you do not know. A type keeps its meaning for ever: what changes
more than adding an optional property, or a value to an enumeration, gets a new type (`….v2`).

Properties marked `x-personal` name or locate a person. Where it is an object, they are sealed on the topics with that
person's own key (AES-256-GCM): `sealed.1.A256GCM.<key id>.<subject>.<nonce, ciphertext and tag in base64url>`. The
service that publishes them keeps the keys: ask it, by POST /keys, with your purpose. Once a person is erased there is
no key any more: read what `erased` says. In `x-personal`, `value` is the schema of what was sealed, as JSON, and `of`
says whose key it takes. Authenticated with the value are `sealed.1.A256GCM.<key id>.<subject>.` and, each after a NUL,
the type, the stream, the version and the property.

Addresses begin with `commongrid` unless the installation has another prefix."""


def document(service: str) -> dict[str, Any]:
    """The document of a service, by its name (`grid_tasks`)."""
    classes = PUBLISHED[service]
    schemas: dict[str, Schema] = {"CloudEventHeaders": _common_headers(service)}
    messages = {cls.__name__: _message(cls, schemas) for cls in classes} | {SEAL: _seal(service)}
    by_aggregate: dict[str, list[str]] = {}
    for cls in classes:
        by_aggregate.setdefault(aggregate_of(cls.type_name), []).append(cls.__name__)
    return {
        "asyncapi": "3.1.0",
        "id": f"urn:commongrid:{service}",
        "info": {
            "title": f"Commongrid {service}: events",
            "version": version("commongrid-contracts"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {kind: _channel(f"commongrid.{service}.{kind}", names) for kind, names in by_aggregate.items()}
        | {"seals": _channel(f"commongrid.{service}.seals", [SEAL], partitions=1)},
        "operations": {
            f"publish_{kind}": _operation(kind, f"What happened to each {kind}.", names)
            for kind, names in by_aggregate.items()
        }
        | {"publish_seals": _operation("seals", "The head of the hash chain over all these events.", [SEAL])},
        "components": {"messages": messages, "schemas": schemas},
    }


def _channel(topic: str, messages: list[str], partitions: int = PARTITIONS) -> dict[str, Any]:
    kept_for_ever = {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1}
    return {
        "address": topic,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": partitions,
                "topicConfiguration": kept_for_ever,
                "bindingVersion": BINDING,
            }
        },
    }


def _operation(kind: str, summary: str, messages: list[str]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{kind}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{kind}/messages/{name}"} for name in messages],
    }


def _message(cls: type[Event], schemas: dict[str, Schema]) -> dict[str, Any]:
    """The message of a type; what it refers to is added to `schemas`."""
    payload = schema_of(cls, ref_template="#/components/schemas/{model}")
    schemas.update(payload.pop("$defs", {}))
    key = f"The stream, `{aggregate_of(cls.type_name)}-<id>`, in UTF-8."
    examples = [_example(event) for event in EXAMPLES if type(event) is cls]
    return _described(cls.type_name, cls.__name__, (cls.__doc__ or "").partition("\n")[0], payload, key, examples)


def _seal(service: str) -> dict[str, Any]:
    """The message of the chain's head: no event, but sent like one, with the position that it vouches up to."""
    seal = Seal(7, Head(Position(1, 8123, 45), 20_411, bytes(range(32))), datetime(2026, 11, 24, 1, 0, tzinfo=UTC))
    raw = seal.raw(service)
    summary = "Every row of the service's log up to this position, in one hash: see `events verify`."
    return _described(
        raw.type,
        SEAL,
        summary,
        SEAL_SCHEMA,
        f"The stream, always `{raw.stream}`.",
        [_sent("seal", service, raw)],
    )


def _described(
    type_name: str, title: str, summary: str, payload: Schema, key: str, examples: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": type_name,
        "title": title,
        "summary": summary,
        "contentType": "application/json",
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "headers": {
            "type": "object",
            "properties": {"ce_type": {"const": type_name}},
            "allOf": [{"$ref": "#/components/schemas/CloudEventHeaders"}],
        },
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": payload},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": key},
                "bindingVersion": BINDING,
            }
        },
        "examples": examples,
    }


def _common_headers(service: str) -> Schema:
    shapes = SHAPES | {"ce_source": {"const": source_of(service)}}
    return {
        "type": "object",
        "description": "CloudEvents 1.0, binary mode: attributes are headers, each value UTF-8.",
        "properties": {
            name: {"type": "string", "description": text} | shapes.get(name, {}) for name, text in HEADERS.items()
        },
        "required": [name for name in HEADERS if name not in OPTIONAL],
    }


def _example(event: Event) -> dict[str, Any]:
    """The event as the relay would send it."""
    _, service, aggregate, *_ = event.type_name.split(".")
    raw = Raw(
        Position(1, 8123, 45),
        stream_of(event),
        1,
        event.type_name,
        on_the_wire(event).encode(),
        datetime(2026, 11, 24, 1, 0, tzinfo=UTC),
        correlation="4bf92f3577b34da6a3ce929d0e0e4736",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    return _sent(aggregate, service, raw)


def _sent(name: str, service: str, raw: Raw) -> dict[str, Any]:
    headers = {header: value.decode() for header, value in headers_of(raw, source_of(service))}
    return {"name": name, "headers": headers, "payload": from_json(raw.data)}
