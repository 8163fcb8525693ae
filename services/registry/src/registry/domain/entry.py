"""How every register is kept: an entry says all that is known of a thing, from now on.

Entering it for the first time, entering something else, and entering the same again are one command. The state of a
thing is its last event, since each of them says all that is known.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from events import Event

F = TypeVar("F", bound=Event)


@dataclass(frozen=True, slots=True)
class Register(Generic[F]):
    """This is so."""

    facts: F


def entered(known: Event | None, facts: Event, first: type[Event], changed: type[Event]) -> list[Event]:
    """The first entry, a change, or nothing if all of it is known already."""
    if known is None:
        return [first(**dict(facts))]
    if dict(known) != dict(facts):
        return [changed(**dict(facts))]
    return []


def latest(_: Event | None, event: F) -> F:
    """The state after an event."""
    return event
