"""What the registry says of itself by the day: how good it is. Each is said once."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.registry import QualityMeasured
from events import Aggregate, Event


@dataclass(frozen=True, slots=True)
class Say:
    """This is to be told."""

    event: QualityMeasured


def decide(said: bool, command: Say) -> Sequence[Event]:
    """Nothing if it was said before."""
    return [] if said else [command.event]


def evolve(_said: bool, _event: Event) -> bool:
    """It has been said."""
    return True


QUALITY = Aggregate("quality", False, decide, evolve, (QualityMeasured,))
