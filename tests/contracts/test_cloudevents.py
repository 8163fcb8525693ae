"""What the relay sends is CloudEvents 1.0 in Kafka's binary mode, as the CloudEvents SDK understands it."""

import json
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from contracts.examples import EXAMPLES
from events import Event
from events.event import Position, Raw, encode, service_of
from events.wire import headers_of, raw_of, source_of

RECORDED = datetime(2026, 11, 24, 1, 2, 3, 456000, tzinfo=UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def stored(event: Event) -> Raw:
    return Raw(
        Position(2, 8123, 45),
        "case-0199",
        3,
        event.type_name,
        encode(event).encode(),
        RECORDED,
        actor="grid-leader-1",
        correlation="4bf92f35",
        causation="case-0199/2",
        traceparent=TRACE,
    )


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type_name)
def test_the_sdk_reads_every_event_that_the_kernel_sends(event: Event):
    raw = stored(event)
    sent = dict(headers_of(raw, source_of(service_of(event.type_name))))
    read = from_binary(KafkaMessage(headers=sent, key=raw.stream, value=raw.data), JSONFormat())
    assert (read.get_id(), read.get_type(), read.get_specversion()) == ("case-0199/3", event.type_name, "1.0")
    assert read.get_source() == f"/commongrid/{service_of(event.type_name)}"
    assert (read.get_subject(), read.get_time(), read.get_datacontenttype()) == (
        raw.stream,
        RECORDED,
        "application/json",
    )
    assert read.get_data() == json.loads(raw.data)
    extensions = {"sequence": "3", "position": "2.8123.45", "partitionkey": "case-0199", "actor": "grid-leader-1"}
    extensions |= {"correlationid": "4bf92f35", "causationid": "case-0199/2"}
    assert {name: read.get_extension(name) for name in extensions} == extensions


def test_what_the_kernel_reads_back_is_what_it_sent():
    raw = stored(EXAMPLES[0])
    headers = headers_of(raw, source_of("registry"))
    assert raw_of(raw.data, headers) == raw
