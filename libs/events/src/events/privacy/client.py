"""Other services' keys, asked of the service that keeps them, with a purpose; they are never written down here.

    POST {owner}/keys  {"subjects": ["person-P0001"], "purpose": "…"}  →  {"keys": {"person-P0001": "<base64>" | null}}

null: destroyed, or not for this caller and purpose. Whatever is not a 200 is no answer: the events wait.
"""

from base64 import b64decode
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2

from events.privacy.cache import KeyCache
from events.privacy.keys import KeysAway
from events.privacy.sealing import PersonKey

AT_ONCE = 500
"""Subjects of one request."""
SECONDS = 10.0


class KeyClient:
    """The Keys of one other service. `token` is the path of a file with a bearer token, which is read each time."""

    def __init__(
        self,
        url: str,
        token: Path,
        purpose: str,
        cache: KeyCache | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = f"{url.rstrip('/')}/keys"
        self._token = token
        self._purpose = purpose
        self._cache = cache or KeyCache()
        self._transport = transport
        self._http: httpx2.AsyncClient | None = None

    async def obtain(self, subjects: Collection[str]) -> Mapping[str, PersonKey | None]:
        """The key of each; None where it was destroyed or is not for us. Raises KeysAway."""
        known = self._cache.find(subjects)
        ask = iter(sorted({*subjects} - known.keys()))
        for some in _parts(ask):
            asked_at = self._cache.now()
            found = await self._ask(some)
            self._cache.put(asked_at, found)
            known |= found
        return known

    async def _ask(self, subjects: list[str]) -> dict[str, PersonKey | None]:
        if self._http is None:  # a neighbour is asked without the proxies that lead outside
            self._http = httpx2.AsyncClient(timeout=SECONDS, transport=self._transport, trust_env=False)
        try:
            answer = await self._http.post(
                self._url, headers=self._headers(), json={"subjects": subjects, "purpose": self._purpose}
            )
        except (httpx2.HTTPError, OSError) as error:
            raise KeysAway(f"{self._url} does not answer: {type(error).__name__}") from None
        if answer.status_code != 200:
            raise KeysAway(f"{self._url} answers {answer.status_code}")
        try:
            keys: dict[str, Any] = answer.json()["keys"]
            return {it: PersonKey(it, b64decode(key)) if (key := keys[it]) else None for it in subjects}
        except (ValueError, KeyError, TypeError):
            raise KeysAway(f"{self._url} answers what is no answer") from None

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token.read_text(encoding='utf-8').strip()}"}


def _parts(subjects: Iterator[str]) -> Iterator[list[str]]:
    while some := list(islice(subjects, AT_ONCE)):
        yield some
