"""What a register knows of one thing, as the wire shows it."""

from typing import TypeVar

from events import Event

F = TypeVar("F", bound=Event)


def as_known(facts: F | None, _version: int) -> F:
    """All that is known of a thing that exists: for registers with nothing personal in them."""
    assert facts is not None  # noqa: S101  # a thing with a version has been registered
    return facts
