"""How a webhook is posted, whoever gets it: signed as Standard Webhooks has it, and to an address that was judged.

Where it may go stands in `targets`; of the answer only the head is read, redirects are not followed, and no proxy of
the environment comes between.
"""

import base64
import binascii
import hmac
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import httpx2
from events import Clock, system_clock

from notifications.channels.letter import TIMEOUT, NotTaken
from notifications.channels.targets import Resolver, TargetRefused, permitted, require_form, resolve

PREFIX = "whsec_"
GONE = 410
TO_CONNECT = 3.0
"""Seconds for each address of the target."""


def key_of(secret: str) -> bytes:
    """The key in a `whsec_…` secret; raises ValueError saying what is right."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(f"a webhook secret is {PREFIX} followed by 24 to 64 random bytes in base64")
    return key


def as_secret(key: bytes) -> str:
    """The `whsec_…` that stands for a key."""
    return PREFIX + base64.b64encode(key).decode()


def sign(key: bytes, id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of version 1."""
    mac = hmac.new(key, f"{id}.{timestamp}.".encode() + body, sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


@dataclass(frozen=True)
class Posting:
    """The way out."""

    local: bool = False
    """Whether it may be any server, as on a local system."""
    resolver: Resolver = resolve
    now: Clock = system_clock
    """The machine's time: receivers compare the timestamp with theirs."""
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    async def post(self, url: str, keys: Sequence[bytes], id: str, body: bytes) -> None:
        """Posts it once, with a signature by each of the keys; raises NotTaken."""
        timestamp = int(self.now().timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(sign(key, id, timestamp, body) for key in keys),
        }
        try:
            status = await self._posted(url, body, headers)
        except TargetRefused as refused:  # a name may lead elsewhere by the next attempt
            raise NotTaken(f"the webhook's target is refused: {refused}") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NotTaken(f"HTTP {type(error).__name__}") from error
        if not 200 <= status <= 299:
            raise NotTaken(f"HTTP {status}", permanent=status == GONE)

    async def _posted(self, to: str, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer. The server is addressed by a number that was judged, and named, in `Host` and in
        TLS, as the URL has it: nothing is resolved a second time."""
        require_form(to, local=self.local)
        url = httpx2.URL(to)
        name = url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await permitted(name, port, self.resolver, local=self.local)
        timeout = httpx2.Timeout(TIMEOUT, connect=TO_CONNECT)
        async with httpx2.AsyncClient(
            timeout=timeout, verify=self.tls, trust_env=False, follow_redirects=False
        ) as client:
            away: httpx2.TransportError | None = None
            for address in addresses:
                request = client.build_request(
                    "POST",
                    url.copy_with(host=str(address)),
                    content=body,
                    headers={**headers, "host": url.netloc.decode("ascii")},
                    extensions={"sni_hostname": name},
                )
                try:
                    response = await client.send(request, stream=True)
                except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                    away = error
                    continue
                await response.aclose()  # what it says besides is not read, so it can be as long as it likes
                return response.status_code
            raise away or TargetRefused("its name has no address")
