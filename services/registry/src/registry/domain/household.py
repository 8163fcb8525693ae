"""A household (户)."""

from collections.abc import Sequence

from contracts.registry import (
    HouseholdChanged,
    HouseholdConfirmed,
    HouseholdDisputed,
    HouseholdFacts,
    HouseholdRegistered,
)
from events import Aggregate, Event, Refused

from registry.domain.entry import Register
from registry.domain.sources import Held, Kinds, evolved, told


class NoHouseholdToJoin(Refused):
    """It is this one, or is no more."""

    reason = "no-household-to-join"


KINDS = Kinds(HouseholdRegistered, HouseholdChanged, HouseholdDisputed, HouseholdConfirmed)


def decide(held: Held[HouseholdFacts], command: Register[HouseholdFacts]) -> Sequence[Event]:
    """What is known of a household."""
    return told(held, command, KINDS, "household")


HOUSEHOLD = Aggregate("household", Held[HouseholdFacts](), decide, evolved, KINDS)
