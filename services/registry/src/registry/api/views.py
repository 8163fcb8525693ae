"""What a register knows of one thing, as the wire shows it."""

from typing import TypeVar

from contracts.registry import Facts
from edge import Call
from events import Event, NotFound

from registry.domain.person import PERSON, Person
from registry.domain.sources import Held

F = TypeVar("F", bound=Event)
H = TypeVar("H", bound=Facts)


async def person_of(call: Call, person: str) -> Person:
    """Somebody by their id; raises NotFound."""
    known, version = await call.commands.load(PERSON, person)
    if version == 0:
        raise NotFound("there is no such thing")
    return known


def as_listed(facts: F | None, _version: int) -> F:
    """All that a list says of a thing that exists."""
    assert facts is not None  # noqa: S101  # a thing with a version has been listed
    return facts


def as_held(held: Held[H], _version: int) -> H:
    """All that a register holds of a thing that exists: for those with nothing personal in them."""
    assert held.facts is not None  # noqa: S101  # a thing with a version has been registered
    return held.facts
