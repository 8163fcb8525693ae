"""An event on Kafka: CloudEvents 1.0 in binary mode. Attributes are `ce_` headers, the value is the event's JSON.

Written by hand, because the relay spends most of its time here; tests hold it against the CloudEvents SDK.

| header | what it is |
|---|---|
| ce_specversion, ce_id, ce_source, ce_type, ce_time, ce_subject | CloudEvents' own; `ce_subject` is the stream, `ce_id` stream/version |
| ce_sequence | the version within the stream |
| ce_position | incarnation.tx.number in the source's store: the order that consumers drop repeats by |
| ce_actor, ce_correlationid, ce_causationid | who and why, where known |
| traceparent | W3C Trace Context of the request that caused it |
"""  # noqa: E501

from collections.abc import Sequence
from datetime import UTC, datetime

from events.event import Position, Raw

Headers = Sequence[tuple[str, bytes]]

_OPTIONAL = "ce_actor", "ce_correlationid", "ce_causationid", "traceparent"
UNREADABLE = "unreadable"
"""The type given to a message that is not an event of ours: it is parked."""


def source_of(service: str) -> str:
    """The CloudEvents source of a service's events."""
    return f"/commongrid/{service}"


def headers_of(raw: Raw, source: str) -> list[tuple[str, bytes]]:
    """The headers of an event's message."""
    headers = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", raw.id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", raw.type.encode()),
        ("ce_time", raw.recorded_at.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
        ("ce_subject", raw.stream.encode()),
        ("ce_sequence", b"%d" % raw.version),
        ("ce_position", b"%d.%d.%d" % raw.position),
    ]
    for header, value in zip(_OPTIONAL, (raw.actor, raw.correlation, raw.causation, raw.traceparent), strict=True):
        if value is not None:
            headers.append((header, value.encode()))
    return headers


def raw_of(value: bytes | None, headers: Headers) -> Raw:
    """An event from its message; raises ValueError if it is not one of ours."""
    attributes = dict(headers)
    found = attributes.get
    try:
        raw = Raw(
            Position.parse(attributes["ce_position"]),
            attributes["ce_subject"].decode(),
            int(attributes["ce_sequence"]),
            attributes["ce_type"].decode(),
            value or b"",
            _time(attributes["ce_time"]),
            # spelled out: a loop over the four of them took a fifth of the time
            None if (actor := found("ce_actor")) is None else actor.decode(),
            None if (correlation := found("ce_correlationid")) is None else correlation.decode(),
            None if (causation := found("ce_causationid")) is None else causation.decode(),
            None if (traceparent := found("traceparent")) is None else traceparent.decode(),
        )
    except KeyError as error:
        raise ValueError(f"not an event of ours: it has no header {error}") from error
    except (ValueError, AttributeError, OverflowError) as error:  # a header's value may be null, too
        raise ValueError("not an event of ours: its headers are malformed") from error
    if not 0 < raw.version < 2**31 or _hold_nul(raw):
        raise ValueError("not an event of ours: its headers hold what no store can")
    return raw


def _time(text: bytes) -> datetime:
    time = datetime.fromisoformat(text.decode())
    return time if time.tzinfo is UTC else time.astimezone(UTC)


def _hold_nul(raw: Raw) -> bool:
    texts = raw.stream, raw.type, raw.actor or "", raw.correlation or "", raw.causation or "", raw.traceparent or ""
    return "\0" in "".join(texts)


def unreadable(key: bytes | None, value: bytes | None, offset: int, error: ValueError) -> Raw:
    """Stands for a message that is not one of ours, so that it can be parked and looked at. Its version is 0, and its
    offset stands where an event's position would."""
    return Raw(
        Position(0, 0, offset),
        (key or b"").decode(errors="replace").replace("\0", "\ufffd"),
        0,
        UNREADABLE,
        value or b"",
        datetime.now(UTC),
        causation=str(error),
    )
