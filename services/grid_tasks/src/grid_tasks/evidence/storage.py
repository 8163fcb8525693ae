"""Where evidence is stored: what a store must be able to do. The bytes go from the sender to it, and from it to the
reader, by signed addresses that are good for some minutes; the service itself reads each file once.

What was sent lies apart (`incoming/`) until it was looked at; only what is kept can be downloaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

UPLOAD = timedelta(minutes=15)
"""So long a ticket is good: 50 MB by a weak mobile connection."""
DOWNLOAD = timedelta(minutes=5)
PATIENCE = 60.0
"""Seconds for each step with a store."""

ENDINGS: Mapping[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
}


class StoreAway(Exception):
    """The store does not answer, or not as it should. The message holds no address and no secret."""


class TooMuch(Exception):
    """More lies there than was announced."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that the sender makes to upload, with these headers as they are. An `url` that begins with / is of this
    API. `expires` is the real time, not a simulated one: whoever checks it knows no other."""

    method: str
    url: str
    headers: Mapping[str, str]
    expires: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """Where to download, by GET, without any header; `url` and `expires` as in a ticket."""

    url: str
    expires: datetime


class Store(Protocol):
    """A store of evidence. What is kept goes by the evidence's id and the SHA-256 of the content, so that nothing that
    is sent later can take its place. Everything that is asynchronous may raise StoreAway."""

    def upload(self, id: str, media_type: str, size: int) -> Ticket:
        """Where so many bytes of this type may be sent to."""
        ...

    def download(self, id: str, sha256: str, media_type: str) -> Link:
        """Where what is kept can be had, as an attachment of this type."""
        ...

    async def sent(self, id: str, size: int) -> bytes | None:
        """What was sent; None if nothing was. Raises TooMuch if it has more than so many bytes."""
        ...

    async def keep(self, id: str, sha256: str, content: bytes, media_type: str) -> None:
        """Keeps this."""
        ...

    async def drop_sent(self, id: str) -> None:
        """Deletes what was sent, if anything was."""
        ...

    async def drop_kept(self, id: str, sha256: str) -> None:
        """Deletes what is kept, if it is there."""
        ...


def disposition(id: str, media_type: str) -> str:
    """Content-Disposition of a download: never shown in the page, and under no name that a sender chose."""
    return f'attachment; filename="evidence-{id[-12:]}.{ENDINGS.get(media_type, "bin")}"'
