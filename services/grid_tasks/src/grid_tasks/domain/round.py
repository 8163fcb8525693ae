"""A worker's own order of a day (自定次序)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contracts.visits import RoundArranged
from events import Aggregate, Event


@dataclass(frozen=True, slots=True)
class Arrange:
    """These visits first, in this order."""

    round: str
    worker: str
    day: date
    order: tuple[str, ...]
    at: datetime


def round_of(worker: str, day: date) -> str:
    """The id of a worker's round of a day."""
    return f"{worker}-{day.isoformat()}"


def decide(order: tuple[str, ...], command: Arrange) -> Sequence[Event]:
    """Nothing if it is the order already. What is named twice counts where it stands first."""
    wanted = tuple(dict.fromkeys(command.order))
    if wanted == order:
        return []
    arranged = RoundArranged(round=command.round, worker=command.worker, day=command.day, order=wanted, at=command.at)
    return [arranged]


def evolve(_: tuple[str, ...], event: RoundArranged) -> tuple[str, ...]:
    """The order after an event."""
    return event.order


ROUND = Aggregate[tuple[str, ...], Arrange]("round", (), decide, evolve, (RoundArranged,))
