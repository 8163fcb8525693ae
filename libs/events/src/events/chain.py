"""The hash chain over a service's whole log: its head stands for every row before it, with all that a row says.

A row's hash is SHA-256 of the hash before it and of the row: twelve fields in the order of `_fields`, each as
`length:bytes` in UTF-8, or `-` where there is nothing. All of them are on the topics too (`wire`), so anybody can
compute it anew. Sealed personal fields are chained as they are stored: whoever is erased changes no row.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from events.event import START, Position, Raw

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Head(NamedTuple):
    """The end of the chain after so many rows, the last of them at this position."""

    position: Position
    rows: int
    hash: bytes

    def after(self, raws: Iterable[Raw]) -> "Head":
        """The head when these rows follow, in the store's order."""
        position, rows, hash_ = self
        for raw in raws:
            hash_ = sha256(hash_ + _canonical(raw)).digest()
            position, rows = raw.position, rows + 1
        return Head(position, rows, hash_)


def beginning(service: str) -> Head:
    """The head of an empty log. It names the service, so that no other's chain can stand for its own."""
    return Head(START, 0, sha256(f"commongrid.{service} chain 1".encode()).digest())


def _canonical(raw: Raw) -> bytes:
    return b"".join([b"-" if it is None else b"%d:%b" % (len(it), it) for it in _fields(raw)])


def _fields(raw: Raw) -> Iterator[bytes | None]:
    yield from (b"%d" % number for number in raw.position)  # incarnation, tx, number
    yield raw.stream.encode()
    yield b"%d" % raw.version
    yield raw.type.encode()
    yield raw.data
    yield b"%d" % ((raw.recorded_at - EPOCH) // MICROSECOND)
    for text in (raw.actor, raw.correlation, raw.causation, raw.traceparent):
        yield None if text is None else text.encode()
