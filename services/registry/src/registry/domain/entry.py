"""How the lists are kept (roster, duties, powers): an entry says all that is known of a thing, from now on.

Entering it for the first time, entering something else, and entering the same again are one command. The state of a
thing is its last event, since each of them says all that is known. The registers, which several sources fill, go by
`sources` besides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from events import Event

F = TypeVar("F", bound=Event)

NEWEST, ASK = "newest", "ask"
Rule = str | tuple[str, ...]
"""Which source is believed of a field: NEWEST; ASK, a person decides; or sources, the most trusted first."""


@dataclass(frozen=True, slots=True)
class Register(Generic[F]):
    """This is so. `said` are the fields that it speaks of, None: all; `rules` by field, where sources may differ."""

    facts: F
    said: frozenset[str] | None = None
    rules: Mapping[str, Rule] = field(default_factory=dict[str, Rule])


def completed(known: F | None, command: Register[F]) -> F:
    """What would be so: of what the entry does not speak, one knows already."""
    if known is None or command.said is None:
        return command.facts
    kept = {name: value for name, value in known if name not in command.said}
    return command.facts.model_copy(update=kept)


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
