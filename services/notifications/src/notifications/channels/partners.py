"""Webhooks to partners' systems, each to the address that it subscribed, signed with a secret of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from notifications.channels.posting import Posting


@dataclass(frozen=True, slots=True)
class Step:
    """What a partner is told: that something happened to a case. What there is to know they ask the API, by their
    powers."""

    notification: str
    what: str
    event: str
    case: str
    category: str
    at: datetime


@dataclass(frozen=True)
class Partners:
    """`master` is what all secrets follow from."""

    master: bytes
    posting: Posting = field(default_factory=Posting)

    async def send(self, step: Step, url: str, keys: Sequence[bytes]) -> None:
        """The same bytes at every attempt; raises NotTaken."""
        data = {"event": step.event, "case": step.case, "category": step.category}
        body = orjson.dumps({"type": step.what, "timestamp": step.at, "data": data})
        await self.posting.post(url, keys, step.notification, body)
