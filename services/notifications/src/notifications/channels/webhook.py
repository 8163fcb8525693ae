"""Webhooks as Standard Webhooks has them: signed, and with an id that stays the same over all attempts.

The receiver verifies `webhook-signature` (HMAC-SHA256 of id, timestamp and body with the shared secret), refuses old
timestamps, and drops what it has had by `webhook-id`. 2xx is taken, 410 is never, anything else is tried again.
The body names a member by the pseudonymous id, and holds no address.
"""

import base64
import binascii
import hmac
import ssl
from dataclasses import dataclass, field
from hashlib import sha256

import httpx2
import orjson
from contracts.notifications import Channel
from events import Clock, system_clock

from notifications.channels.letter import TIMEOUT, Letter, NotTaken

PREFIX = "whsec_"
GONE = 410


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
            async with httpx2.AsyncClient(timeout=TIMEOUT, verify=self.tls) as client:
                response = await client.post(self.url, content=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NotTaken(f"HTTP {type(error).__name__}") from error
        if not response.is_success:
            raise NotTaken(f"HTTP {response.status_code}", permanent=response.status_code == GONE)
