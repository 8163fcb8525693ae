"""What a register knows of one thing, as the wire shows it."""

from typing import TypeVar

from edge import Call
from events import Event, NotFound

from registry.domain.person import PERSON, Person

F = TypeVar("F", bound=Event)


async def person_of(call: Call, person: str) -> Person:
    """Somebody by their id; raises NotFound."""
    known, version = await call.commands.load(PERSON, person)
    if version == 0:
        raise NotFound("there is no such thing")
    return known


def as_known(facts: F | None, _version: int) -> F:
    """All that is known of a thing that exists: for registers with nothing personal in them."""
    assert facts is not None  # noqa: S101  # a thing with a version has been registered
    return facts
