"""A household (户)."""

from collections.abc import Sequence

from contracts.registry import HouseholdChanged, HouseholdFacts, HouseholdRegistered
from events import Aggregate, Event

from registry.domain.entry import Register, entered, latest


def decide(known: HouseholdFacts | None, command: Register[HouseholdFacts]) -> Sequence[Event]:
    """What is known of a household."""
    return entered(known, command.facts, HouseholdRegistered, HouseholdChanged)


HOUSEHOLD = Aggregate("household", None, decide, latest, (HouseholdRegistered, HouseholdChanged))
