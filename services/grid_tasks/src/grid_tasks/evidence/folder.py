"""A store that is a folder of this machine, for local systems: its signed addresses are routes of this service.

The signature (HMAC-SHA256) covers what may be done, with which evidence, how large, and until when. Its key lies in the
folder, so that all processes that share the folder agree on it.
"""

import asyncio
import hmac
import os
import re
import secrets
from collections.abc import AsyncIterable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from io import BufferedWriter
from pathlib import Path
from urllib.parse import urlencode

from events import Clock

from grid_tasks.domain.evidence_refusals import ArrivedDifferently, LinkOver
from grid_tasks.evidence.storage import DOWNLOAD, UPLOAD, Link, StoreAway, Ticket, TooMuch

_ID = re.compile(r"[0-9a-zA-Z-]{1,100}")


class Folder:
    """The folder; made if it is not there. `clock` is the real time."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def upload(self, id: str, media_type: str, size: int) -> Ticket:
        """See Store."""
        expires = self._clock() + UPLOAD
        return Ticket("PUT", self._address("PUT", id, size, expires), {"Content-Type": media_type}, expires)

    def download(self, id: str, sha256: str, media_type: str) -> Link:
        """See Store."""
        expires = self._clock() + DOWNLOAD
        return Link(self._address("GET", id, 0, expires), expires)

    def require(self, method: str, id: str, size: int, expires: int, signature: str) -> None:
        """Raises LinkOver unless this was signed here, and has not expired."""
        right = hmac.compare_digest(self._signature(method, id, size, expires).encode(), signature.encode())
        if not right or self._clock() >= datetime.fromtimestamp(expires, UTC):
            raise LinkOver

    async def take(self, id: str, size: int, blocks: AsyncIterable[bytes]) -> None:
        """Stores what is sent, whole or not at all. Raises ArrivedDifferently if it has another size."""
        place = self._file("incoming", id)
        work = place.with_suffix(f".{secrets.token_hex(4)}")
        try:
            with await asyncio.to_thread(_opened, work) as file:
                taken = 0
                async for block in blocks:
                    taken += len(block)
                    if taken > size:
                        raise ArrivedDifferently
                    await asyncio.to_thread(_append, file, block)
            if taken != size:
                raise ArrivedDifferently
            await asyncio.to_thread(_move, work, place)
        finally:
            await asyncio.to_thread(_remove, work)

    async def kept(self, id: str, sha256: str) -> bytes | None:
        """What is kept; None if it is not there."""
        return await asyncio.to_thread(_read, self._file("kept", f"{id}-{sha256}"), -1)

    async def sent(self, id: str, size: int) -> bytes | None:
        """See Store."""
        content = await asyncio.to_thread(_read, self._file("incoming", id), size + 1)
        if content is not None and len(content) > size:
            raise TooMuch
        return content

    async def keep(self, id: str, sha256: str, content: bytes, media_type: str) -> None:
        """See Store."""
        await asyncio.to_thread(_write, self._file("kept", f"{id}-{sha256}"), content)

    async def drop_sent(self, id: str) -> None:
        """See Store."""
        await asyncio.to_thread(_remove, self._file("incoming", id))

    async def drop_kept(self, id: str, sha256: str) -> None:
        """See Store."""
        await asyncio.to_thread(_remove, self._file("kept", f"{id}-{sha256}"))

    def _address(self, method: str, id: str, size: int, expires: datetime) -> str:
        until = int(expires.timestamp())
        query = {"size": size, "expires": until, "signature": self._signature(method, id, size, until)}
        return f"/evidence/{id}/content?{urlencode(query)}"

    def _signature(self, method: str, id: str, size: int, expires: int) -> str:
        return hmac.digest(self._key, f"{method}\n{id}\n{size}\n{expires}".encode(), "sha256").hex()

    @cached_property
    def _key(self) -> bytes:
        place = self._path / "signing.key"
        fresh = place.with_suffix(f".{secrets.token_hex(4)}")
        _write(fresh, secrets.token_bytes(32))
        with suppress(FileExistsError):  # another process made one at the same time, or long ago
            place.hardlink_to(fresh)
        fresh.unlink()
        return place.read_bytes()

    def _file(self, room: str, id: str) -> Path:
        if not _ID.fullmatch(id):
            raise LinkOver
        return self._path / room / id


@contextmanager
def _ours() -> Generator[None]:
    """What the file system refuses is the store's fault, not the sender's."""
    try:
        yield
    except OSError as error:
        raise StoreAway(os.strerror(error.errno or 0)) from None


@_ours()
def _opened(path: Path) -> BufferedWriter:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


@_ours()
def _append(file: BufferedWriter, block: bytes) -> None:
    file.write(block)


@_ours()
def _move(path: Path, to: Path) -> None:
    path.replace(to)


@_ours()
def _read(path: Path, most: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        return None


@_ours()
def _write(path: Path, content: bytes) -> None:
    work = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with _opened(work) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        work.replace(path)
    finally:
        work.unlink(missing_ok=True)


@_ours()
def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
