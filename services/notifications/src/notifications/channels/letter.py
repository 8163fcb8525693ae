"""What a channel is given, and what it may answer.

A letter carries the notification's id, which stays the same over all attempts: an attempt whose outcome is unknown
(the process died in between) is repeated, and the receiver can tell by the id that it has had it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from contracts.notifications import Channel, Occasion

from notifications.texts import Facts, Text

TIMEOUT = 10.0
"""Seconds that an attempt may take; well below those for which a timer is claimed."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one recipient. `member` is None, and `address` the contact they left, for a reporter."""

    notification: str
    occasion: Occasion
    member: str | None
    address: str
    facts: Facts
    text: Text
    requested_at: datetime


class NotTaken(Exception):
    """The channel did not take the letter. The message holds neither address nor content.

    `permanent`: it never will, so that trying again is no use.
    """

    def __init__(self, error: str, *, permanent: bool = False) -> None:
        super().__init__(error)
        self.permanent = permanent


class Outlet(Protocol):
    """A channel that is configured."""

    @property
    def channel(self) -> Channel: ...

    async def send(self, letter: Letter) -> None:
        """Returns when the other side has taken the letter; raises NotTaken. It is cancelled after TIMEOUT."""
        ...


Outlets: TypeAlias = Mapping[Channel, Outlet]
"""The channels that are configured."""
