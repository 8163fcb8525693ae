"""A store compatible with Amazon S3. What it lets others do by signed addresses, it does by such addresses itself.

The size and type that were announced are part of what is signed: the store takes nothing else.
"""

from datetime import datetime, timedelta

import httpx2
from events import Clock

from grid_tasks.evidence.signing import Credentials, presigned
from grid_tasks.evidence.storage import DOWNLOAD, PATIENCE, UPLOAD, Link, StoreAway, Ticket, TooMuch, disposition

OURSELVES = timedelta(minutes=1)


class S3:
    """A bucket. `clock` is the real time, which the store's own must agree with to some minutes."""

    def __init__(self, bucket_url: str, credentials: Credentials, clock: Clock) -> None:
        """`bucket_url` is where the bucket is: https://s3.example/bucket, or https://bucket.s3.example."""
        self._bucket = bucket_url.rstrip("/")
        self._credentials = credentials
        self._clock = clock

    def upload(self, id: str, media_type: str, size: int) -> Ticket:
        """See Store."""
        now = self._clock()
        headers = {"Content-Type": media_type, "Content-Length": str(size)}
        return Ticket("PUT", self._signed("PUT", _sent(id), UPLOAD, now, headers=headers), headers, now + UPLOAD)

    def download(self, id: str, sha256: str, media_type: str) -> Link:
        """See Store."""
        now = self._clock()
        query = {"response-content-type": media_type, "response-content-disposition": disposition(id, media_type)}
        return Link(self._signed("GET", _kept(id, sha256), DOWNLOAD, now, query=query), now + DOWNLOAD)

    async def sent(self, id: str, size: int) -> bytes | None:
        """See Store."""
        url, content = self._signed("GET", _sent(id), OURSELVES, self._clock()), bytearray()
        try:
            async with _client() as http, http.stream("GET", url) as answer:
                if answer.status_code == 404:
                    return None
                _require(answer, 200)
                async for block in answer.aiter_bytes():
                    content += block
                    if len(content) > size:
                        raise TooMuch
        except httpx2.HTTPError as error:
            raise StoreAway(f"it cannot be reached: {type(error).__name__}") from None
        return bytes(content)

    async def keep(self, id: str, sha256: str, content: bytes, media_type: str) -> None:
        """See Store."""
        headers = {"Content-Type": media_type, "Content-Length": str(len(content))}
        await self._ask("PUT", _kept(id, sha256), 200, headers=headers, content=content)

    async def drop_sent(self, id: str) -> None:
        """See Store."""
        await self._ask("DELETE", _sent(id), 200, 204, 404)

    async def drop_kept(self, id: str, sha256: str) -> None:
        """See Store."""
        await self._ask("DELETE", _kept(id, sha256), 200, 204, 404)

    async def _ask(
        self, method: str, name: str, *right: int, headers: dict[str, str] | None = None, content: bytes = b""
    ) -> None:
        url = self._signed(method, name, OURSELVES, self._clock(), headers=headers)
        try:
            async with _client() as http:
                _require(await http.request(method, url, headers=headers, content=content or None), *right)
        except httpx2.HTTPError as error:
            raise StoreAway(f"it cannot be reached: {type(error).__name__}") from None

    def _signed(
        self,
        method: str,
        name: str,
        good_for: timedelta,
        now: datetime,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> str:
        url = f"{self._bucket}/{name}"
        return presigned(method, url, self._credentials, now, good_for, headers=headers, query=query)


def _sent(id: str) -> str:
    return f"incoming/{id}"


def _kept(id: str, sha256: str) -> str:
    return f"kept/{id}-{sha256}"


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=PATIENCE, trust_env=False)


def _require(answer: httpx2.Response, *right: int) -> None:
    if answer.status_code not in right:
        raise StoreAway(f"it answered {answer.status_code}")
