"""Webhooks as Standard Webhooks has them: signed, and with an id that stays the same over all attempts.

The receiver verifies `webhook-signature` (HMAC-SHA256 of id, timestamp and body with the shared secret), refuses old
timestamps, and drops what it has had by `webhook-id`. 2xx is taken, 410 is never, anything else is tried again.
The body names a member by the pseudonymous id, and holds no address. Where a webhook may go stands in `targets`; of the
answer only the head is read, redirects are not followed, and no proxy of the environment comes between.
"""

import base64
import binascii
import hmac
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import httpx2
import orjson
from contracts.notifications import Channel
from events import Clock, system_clock

from notifications.channels.letter import TIMEOUT, Letter, NotTaken
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


def sign(key: bytes, id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of version 1."""
    mac = hmac.new(key, f"{id}.{timestamp}.".encode() + body, sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def body_of(letter: Letter) -> bytes:
    """The same bytes at every attempt."""
    facts = letter.facts
    return orjson.dumps(
        {
            "type": letter.occasion.replace("_", ".", 1),
            "timestamp": letter.requested_at,
            "data": {
                "notification": letter.notification,
                "recipient": letter.member,
                "case": facts.case,
                "category": facts.category.model_dump(),
                "grid": facts.grid,
                "due": facts.due,
                "subject": letter.text.subject.model_dump(),
                "text": letter.text.body.model_dump(),
            },
        }
    )


@dataclass(frozen=True)
class Webhook:
    """Posts to one URL, which knows how to reach members by their ids."""

    url: str
    key: bytes
    local: bool = False
    """Whether it may be any server, as on a local system."""
    resolver: Resolver = resolve
    now: Clock = system_clock
    """The machine's time: receivers compare the timestamp with theirs."""
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    @property
    def channel(self) -> Channel:
        return Channel.WEBHOOK

    async def send(self, letter: Letter) -> None:
        """Raises NotTaken."""
        body, timestamp = body_of(letter), int(self.now().timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": letter.notification,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self.key, letter.notification, timestamp, body),
        }
        try:
            status = await self._posted(body, headers)
        except TargetRefused as refused:  # a name may lead elsewhere by the next attempt
            raise NotTaken(f"the webhook's target is refused: {refused}") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NotTaken(f"HTTP {type(error).__name__}") from error
        if not 200 <= status <= 299:
            raise NotTaken(f"HTTP {status}", permanent=status == GONE)

    async def _posted(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer. The server is addressed by a number that was judged, and named, in `Host` and in
        TLS, as the URL has it: nothing is resolved a second time."""
        require_form(self.url, local=self.local)
        url = httpx2.URL(self.url)
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
