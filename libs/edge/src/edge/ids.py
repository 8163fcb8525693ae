"""Ids for new things: UUIDs of version 7 in hexadecimal, so that they sort by the trade's time; of version 8 (RFC 9562)
where an id is derived from the idempotency key of what made the thing."""

import hashlib
import secrets
from datetime import datetime


def new_id(at: datetime) -> str:
    """An id that nobody has."""
    milliseconds = int(at.timestamp() * 1000)
    bits = (milliseconds << 80) | secrets.randbits(80)
    bits = (bits & ~(0xF << 76) & ~(0x3 << 62)) | (0x7 << 76) | (0x2 << 62)
    return f"{bits:032x}"


def made_by(key: str) -> str:
    """The id of what a request with this key (`edge.idempotency.value_of`) makes: nobody else's request makes it."""
    bits = int.from_bytes(hashlib.sha256(f"made by {key}".encode()).digest()[:16])
    bits = (bits & ~(0xF << 76) & ~(0x3 << 62)) | (0x8 << 76) | (0x2 << 62)
    return f"{bits:032x}"
