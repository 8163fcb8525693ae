"""Ids for new things: UUIDs of version 7 in hexadecimal, so that they sort by the trade's time."""

import secrets
from datetime import datetime


def new_id(at: datetime) -> str:
    """An id that nobody has."""
    milliseconds = int(at.timestamp() * 1000)
    bits = (milliseconds << 80) | secrets.randbits(80)
    bits = (bits & ~(0xF << 76) & ~(0x3 << 62)) | (0x7 << 76) | (0x2 << 62)
    return f"{bits:032x}"
