"""An entry of the power list (权力清单): who may do what, on which legal basis, how far, for what, and when.

法无授权不可为: what stands on no entry is forbidden. What the list said at any time stays in its history.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.common import HolderKind, Post, Scope
from contracts.registry import PowerChanged, PowerFacts, PowerListed, PowerWithdrawn
from events import Aggregate, Event, Refused

from registry.domain.entry import Register, entered, latest
from registry.domain.faults import Fault, Why

TOPICS = "topics."
"""How the powers begin that let a partner follow a topic: `topics.registry.grid` for `commongrid.registry.grid`."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Nobody is to have it any more."""


class NotOnTheList(Refused):
    """It has been withdrawn already."""

    reason = "not-on-the-list"


def check_power(facts: PowerFacts) -> None:
    """Raises Fault unless each holder can hold it: a post that there is, a partner by its client id; who looks after no
    grid holds it everywhere or not at all. To follow a topic is for partners only."""
    for holder in facts.holders:
        if holder.kind is not HolderKind.PARTNER:
            if holder.quota:
                raise Fault("holders", Why.NO_QUOTA)
            if facts.power.startswith(TOPICS):
                raise Fault("holders", Why.NOT_TO_FOLLOW)
        match holder.kind:
            case HolderKind.POST:
                if holder.name not in set(Post):
                    raise Fault("holders", Why.UNKNOWN_POST)
            case HolderKind.PARTNER | HolderKind.ANYONE:
                if holder.scope is not Scope.ALL:
                    raise Fault("holders", Why.BEYOND_THEM)
                if bool(holder.name) is (holder.kind is HolderKind.ANYONE):
                    raise Fault("holders", Why.NOT_A_POWER)
    if facts.until and facts.until <= facts.since:
        raise Fault("until", Why.NOT_A_POWER)


def decide(known: PowerFacts | PowerWithdrawn | None, command: Register[PowerFacts] | Withdraw) -> Sequence[Event]:
    """What the list says. What was withdrawn may be listed again."""
    on_the_list = known if isinstance(known, PowerFacts) else None
    match command:
        case Register(facts):
            check_power(facts)
            return entered(on_the_list, facts, PowerListed, PowerChanged)
        case Withdraw():
            if on_the_list is None:
                raise NotOnTheList("the power list does not have it")
            return [PowerWithdrawn(power=on_the_list.power)]


POWER = Aggregate("power", None, decide, latest, (PowerListed, PowerChanged, PowerWithdrawn))
