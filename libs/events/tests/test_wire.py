"""An event goes over the wire as it is, and what is not an event of ours is told apart. (Promise 6)"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from events.event import START, Position, Raw
from events.partitioning import partition_of
from events.wire import UNREADABLE, headers_of, raw_of, source_of, unreadable
from hypothesis import given
from hypothesis import strategies as st

text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
positions = st.builds(
    Position, st.integers(0, 2**31 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**63 - 1)
)  # what Postgres can hold
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=zones)
raws = st.builds(
    Raw,
    positions,
    stream=text,
    version=st.integers(1, 2**31 - 1),
    type=text,
    data=st.binary(),
    recorded_at=times,
    actor=st.none() | text,
    correlation=st.none() | text,
    causation=st.none() | text,
    traceparent=st.none() | text,
    erased=st.just(frozenset[str]()),
)


@given(raws)
def test_what_is_read_is_what_was_sent(raw: Raw) -> None:
    assert raw_of(raw.data, headers_of(raw, source_of("desk"))) == raw


NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SENT = dict(headers_of(Raw(Position(1, 2, 3), "matter-1", 4, "raised", b"{}", NOON), source_of("desk")))


def test_the_headers_are_those_of_cloudevents_and_what_is_not_known_is_left_out() -> None:
    assert SENT == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": b"matter-1/4",
        "ce_source": b"/commongrid/desk",
        "ce_type": b"raised",
        "ce_time": b"2026-03-02T12:00:00Z",
        "ce_subject": b"matter-1",
        "ce_sequence": b"4",
        "ce_position": b"1.2.3",
    }


@pytest.mark.parametrize(("position", "version"), [(START, 1), (Position(2**31 - 1, 2**64 - 1, 2**63 - 1), 2**31 - 1)])
def test_the_first_and_the_last_that_a_store_can_hold_are_read(position: Position, version: int) -> None:
    sent = SENT | {"ce_position": str(position).encode(), "ce_sequence": b"%d" % version}
    raw = raw_of(b"{}", [*sent.items()])
    assert (raw.position, raw.version) == (position, version)


def test_a_message_without_a_value_has_no_data() -> None:
    assert raw_of(None, [*SENT.items()]).data == b""


@pytest.mark.parametrize("header", ["ce_position", "ce_subject", "ce_sequence", "ce_type", "ce_time"])
def test_a_message_that_lacks_a_header_is_not_ours_and_the_header_is_named(header: str) -> None:
    with pytest.raises(ValueError, match=f"no header '{header}'"):
        raw_of(b"{}", [it for it in SENT.items() if it[0] != header])


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_position", b"1.2"),
        ("ce_position", b"-1.2.3"),
        ("ce_position", b"1.-2.3"),
        ("ce_position", b"1.2.-3"),
        ("ce_position", b"%d.2.3" % 2**31),
        ("ce_position", b"1.%d.3" % 2**64),
        ("ce_position", b"1.2.%d" % 2**63),
        ("ce_subject", None),
        ("ce_type", b"\xff"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"0001-01-01T00:00:00+14:00"),
        ("ce_actor", b"\xff"),
    ],
)
def test_a_message_of_malformed_headers_is_not_ours(header: str, value: bytes | None) -> None:
    with pytest.raises(ValueError, match="its headers are malformed"):
        raw_of(b"{}", [*(SENT | {header: value}).items()])  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_sequence", b"0"),
        ("ce_sequence", b"%d" % 2**31),
        *((header, b"a\0b") for header in ("ce_subject", "ce_type", "ce_actor", "ce_correlationid", "ce_causationid")),
        ("traceparent", b"a\0b"),
    ],
)
def test_a_message_that_no_store_can_hold_is_not_ours(header: str, value: bytes) -> None:
    with pytest.raises(ValueError, match="what no store can"):
        raw_of(b"{}", [*(SENT | {header: value}).items()])


def test_what_is_not_ours_is_kept_as_far_as_it_can_be_for_somebody_to_look_at() -> None:
    raw = unreadable(b"a\0b\xff", b"?", 7, ValueError("it has no header"))
    assert (raw.stream, raw.type, raw.version, raw.data) == ("a\ufffdb\ufffd", UNREADABLE, 0, b"?")
    assert (raw.position, raw.causation) == (Position(0, 0, 7), "it has no header")
    assert datetime.now(UTC) - raw.recorded_at < timedelta(hours=1)
    nameless = unreadable(None, None, 7, ValueError(""))
    assert (nameless.stream, nameless.data) == ("", b"")


def test_kafkas_own_rule_places_a_stream() -> None:
    """The figures are those of Kafka's own clients (org.apache.kafka.common.utils.Utils.murmur2)."""
    places = {"21": -973932308, "foobar": -790332482, "a-little-bit-longer-string": -1486304829, "abc": 479470107}
    for key, murmur2 in places.items():
        assert partition_of(key, 12) == (murmur2 % 2**32 % 2**31) % 12
