"""A building (实有房屋)."""

from collections.abc import Sequence

from contracts.registry import BuildingChanged, BuildingFacts, BuildingRegistered
from events import Aggregate, Event

from registry.domain.entry import Register, entered, latest


def decide(known: BuildingFacts | None, command: Register[BuildingFacts]) -> Sequence[Event]:
    """What is known of a building."""
    return entered(known, command.facts, BuildingRegistered, BuildingChanged)


BUILDING = Aggregate("building", None, decide, latest, (BuildingRegistered, BuildingChanged))
