"""What a phone is given to come back with: up to where it has been told, for which grids, and when we last spoke.

It is signed, so that no phone makes itself an earlier contact; it is the caller's own, and says nothing about anybody.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from events.event import START, Position
from events.privacy.blind_index import blind_word

FIELD = "sync token"


@dataclass(frozen=True, slots=True)
class SyncToken:
    """Where a phone stands. It was first told what was open at `first`; `scope` names the grids that it is told of."""

    position: Position
    first: Position
    scope: str
    contact: datetime

    def signed(self, key: bytes, caller: str) -> str:
        """The token for this caller; `key` is the service's own."""
        text = f"{self.position} {self.first} {self.scope} {int(self.contact.timestamp())}"
        return base64.urlsafe_b64encode(_signature(key, caller, text) + text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, token: str | None, key: bytes, caller: str) -> "SyncToken | None":
        """What `signed` gave to this caller; None for everything else."""
        try:
            found = base64.urlsafe_b64decode((token or "") + "=" * (-len(token or "") % 4))
            text = found[8:].decode()
            if not hmac.compare_digest(found[:8], _signature(key, caller, text)):
                return None
            position, first, scope, contact = text.split(" ")
            at = datetime.fromtimestamp(int(contact), UTC)
            return cls(Position.parse(position), Position.parse(first), scope, at)
        except (ValueError, binascii.Error):
            return None


def scope_of(grids: list[str]) -> str:
    """A short name for these grids: whoever has others now is told everything anew."""
    return sha256("\n".join(sorted(grids)).encode()).hexdigest()[:12]


def beginning(scope: str, first: Position, contact: datetime) -> SyncToken:
    """Where a phone stands that was told nothing yet."""
    return SyncToken(START, first, scope, contact)


def _signature(key: bytes, caller: str, text: str) -> bytes:
    return blind_word(key, FIELD, f"{caller}\n{text}")
