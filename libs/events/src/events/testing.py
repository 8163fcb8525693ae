"""Given these events, when a command, then those events: a sentence of the trade as a test.

given(CASE, reported, accepted).when(Dispatch(worker=LI, due=FRIDAY)).then(CaseDispatched(worker=LI, due=FRIDAY))
given(CASE, reported, closed).when(Dispatch(worker=LI, due=FRIDAY)).refused(NotPossibleNow)
"""

from dataclasses import dataclass
from typing import Any

from events.aggregate import Aggregate, Refused
from events.event import Event


@dataclass(frozen=True)
class Given:
    """A history."""

    aggregate: Aggregate[Any, Any]
    history: tuple[Event, ...]

    def when(self, command: Any) -> "When":
        """The command to decide on that history."""
        state = self.aggregate.fold(self.history)
        try:
            return When(tuple(self.aggregate.decide(state, command)), None)
        except Refused as refusal:
            return When((), refusal)


@dataclass(frozen=True)
class When:
    """What came of the command."""

    events: tuple[Event, ...]
    refusal: Refused | None

    def then(self, *expected: Event) -> None:
        """Exactly these events follow; none, if none are named."""
        if self.refusal:
            raise AssertionError(f"expected {list(expected)}, but it was refused: {self.refusal}") from self.refusal
        assert self.events == expected, f"expected {list(expected)}, got {list(self.events)}"

    def refused(self, reason: type[Refused], match: str = "") -> None:
        """It is refused for this reason, with these words in the message."""
        assert self.refusal is not None, f"expected {reason.__name__}, got {list(self.events)}"
        assert isinstance(self.refusal, reason), f"expected {reason.__name__}, got {self.refusal!r}"
        assert match in str(self.refusal), f"expected {match!r} in {str(self.refusal)!r}"


def given(aggregate: Aggregate[Any, Any], *history: Event) -> Given:
    """Begins the sentence."""
    return Given(aggregate, history)
