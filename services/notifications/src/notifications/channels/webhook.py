"""The community's own webhook: one URL that knows how to reach members by their ids.

The body is the same over all attempts, names a member by the pseudonymous id, and holds no address. Receivers drop what
they have had by `webhook-id`; 2xx is taken, 410 is never, anything else is tried again.
"""

from dataclasses import dataclass, field

import orjson
from contracts.notifications import Channel

from notifications.channels.letter import Letter
from notifications.channels.posting import Posting


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
    """Posts to one URL."""

    url: str
    key: bytes
    posting: Posting = field(default_factory=Posting)

    @property
    def channel(self) -> Channel:
        return Channel.WEBHOOK

    async def send(self, letter: Letter) -> None:
        """Raises NotTaken."""
        await self.posting.post(self.url, [self.key], letter.notification, body_of(letter))
