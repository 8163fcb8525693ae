"""What clients were told: the promises that a fault run holds the system to."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A command that took effect: it led to the event of this type that stands in this stream at this version."""

    service: str
    stream: str
    version: int
    type: str
    key: str | None = None
    """The key under which the service remembers it; None for what takes effect once by its content."""


@dataclass
class Notes:
    """All that was answered."""

    acknowledged: list[Acknowledged] = field(default_factory=list[Acknowledged])
    refused: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Service and key of commands that must not have had any effect."""
    forgotten: Counter[str] = field(default_factory=Counter[str])
    """By service: so many of the first acknowledged commands may have lost their keys, by a restore from a backup."""

    def of(self, service: str) -> list[Acknowledged]:
        """A service's acknowledged commands, in the order of their answers."""
        return [it for it in self.acknowledged if it.service == service]

    def keys_are_lost(self, service: str) -> None:
        """Its database was brought back from a backup: events come back from the topics, the tail's keys do not."""
        self.forgotten[service] = len(self.of(service))


def remembered(key: str, caller: str | None, template: str) -> str:
    """The key under which a service remembers a POST to this address with this Idempotency-Key."""
    return sha256("\0".join((caller or "", "POST", template, key)).encode()).hexdigest()
