"""Aggregates: the pure part of a service. Three plain functions and a name.

`decide(state, command)` gives the events that the command brings about, or raises `Refused`;
`evolve(state, event)` gives the state after an event. Neither does I/O nor asks for the time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, TypeVar

from events.event import Event

S = TypeVar("S")
C = TypeVar("C")


class Refused(Exception):
    """The trade's rules do not allow this command now. Subclass it for each reason.

    `reason` is a stable, lower-case code (`not-possible-now`) that integrators may rely on; the message is
    for people and holds nothing personal; `details` are further members of the problem's answer.
    """

    reason = "refused"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Aggregate(Generic[S, C]):
    """A kind of thing with a history of its own. `name` names its streams (`case-<id>`) and its topic."""

    name: str
    initial: S
    decide: Callable[[S, C], Sequence[Event]]
    evolve: Callable[[S, Any], S]
    events: tuple[type[Event], ...]

    def stream(self, id: object) -> str:
        """The stream of one such thing: `case-0199…`."""
        return f"{self.name}-{id}"

    def fold(self, events: Iterable[Event], start: S | None = None) -> S:
        """The state after these events."""
        return reduce(self.evolve, events, self.initial if start is None else start)
