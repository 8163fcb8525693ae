"""An issuer of tokens and its keys, found by OpenID Connect Discovery 1.0 and kept young.

Keys are fetched anew when they are older than their age, and when a token names one that is not among them, but not
more often than every `PAUSE` seconds: made-up names must not become a flood at the issuer. A key that the issuer has
dropped is gone with the next fetch. While the issuer is away the keys at hand go on serving.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import urlsplit

import httpx2
import structlog
from prometheus_client import Gauge

from edge.fetching import FetchFailed, fetch_json
from edge.keys import FITS, Keys

log = structlog.get_logger("edge.issuers")

LOCAL = "commongrid-local-issuer"
"""How the address of every issuer of a local system ends. Who can reach such a system can sign in as anybody."""
AGE = 300.0
"""Seconds after which keys are fetched anew, unless the settings say otherwise."""
PAUSE = 5.0
"""Seconds at least from one fetch to the next."""
PATIENCE = 5.0
"""Seconds that a fetch may take, both documents together."""

KEYS_AGE = Gauge("commongrid_issuer_keys_age_seconds", "Seconds since the issuer's keys were fetched.")


class Issuer:
    """Who issues tokens, and the keys that prove them."""

    def __init__(
        self,
        address: str,
        *,
        algorithms: Collection[str] = tuple(FITS),
        age: float = AGE,
        local: bool = False,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`address` is what its tokens' `iss` says. `local` allows http, and passes by the machine's proxies."""
        self.address = address
        self.keys = Keys()
        self.away = False
        """Whether the last fetch failed."""
        self._algorithms = algorithms
        self._age = age
        self._local = local
        self._clock = clock
        self._published: Any = None
        self._fetched = float("-inf")
        self._next = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._http = httpx2.AsyncClient(
            follow_redirects=False,
            timeout=PATIENCE,
            trust_env=not local,
            transport=transport,
            limits=httpx2.Limits(max_keepalive_connections=0),  # it is minutes to the next fetch
        )

    async def bring(self, name: str) -> None:
        """Fetches the keys if there is none of this name (`kid`) and they may be fetched now; returns when that is
        done, whatever came of it. Who comes meanwhile waits for the same fetch."""
        if name not in self.keys and (self._fetching or self._clock() >= self._next):
            await self._fetched_once()

    async def follow(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Keeps the keys young, until it is cancelled."""
        KEYS_AGE.set_function(lambda: self._clock() - self._fetched)
        while True:
            await self._fetched_once()
            await sleep(PAUSE if self.away else self._age)

    async def _fetched_once(self) -> None:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch(), name=f"keys of {self.address}")
        await asyncio.shield(self._fetching)  # who waits may go away; the others still wait

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                published = await self._jwks()
            keys = self.keys if published == self._published else Keys(published, self._algorithms)
            if not keys:
                raise FetchFailed("it publishes no key that could prove a token")
        except (FetchFailed, TimeoutError, ValueError) as error:
            why = str(error) or f"it took longer than {PATIENCE:g} s"
            log.warning("the issuer's keys cannot be fetched", issuer=self.address, why=why)
            self.away = True
        else:
            if keys is not self.keys:
                log.info("the issuer's keys are new", issuer=self.address, keys=len(keys))
            self.keys, self._published = keys, published
            self._fetched = self._clock()
            self.away = False
        finally:
            self._next = self._clock() + PAUSE
            self._fetching = None

    async def _jwks(self) -> Any:
        """Its published keys (OpenID Connect Discovery 1.0, 4)."""
        found = await fetch_json(self._http, f"{self.address.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.address:  # 4.3: else another could answer for it
            raise FetchFailed(f"it calls itself another issuer than {self.address}")
        where = found.get("jwks_uri")
        schemes = ("https", "http") if self._local else ("https",)
        if not isinstance(where, str) or urlsplit(where).scheme not in schemes:
            raise FetchFailed("it names no https address of its keys (jwks_uri)")
        return await fetch_json(self._http, where)
