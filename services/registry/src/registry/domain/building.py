"""A building, or a house in one (实有房屋)."""

from collections.abc import Sequence

from contracts.registry import BuildingChanged, BuildingConfirmed, BuildingDisputed, BuildingFacts, BuildingRegistered
from events import Aggregate, Event

from registry.domain.entry import Register
from registry.domain.sources import Held, Kinds, evolved, told

KINDS = Kinds(BuildingRegistered, BuildingChanged, BuildingDisputed, BuildingConfirmed)


def decide(held: Held[BuildingFacts], command: Register[BuildingFacts]) -> Sequence[Event]:
    """What is known of a building."""
    return told(held, command, KINDS, "building")


BUILDING = Aggregate("building", Held[BuildingFacts](), decide, evolved, KINDS)
