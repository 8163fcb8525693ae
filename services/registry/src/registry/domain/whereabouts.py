"""Where and when somebody who is to be visited can be met (何处何时可访): of whom a visit is wanted, and no others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts.registry import AddressFacts, WhereaboutsTold
from events import Aggregate, Event

from registry.domain.address import parts_of
from registry.domain.writing import writing


@dataclass(frozen=True, slots=True)
class Tell:
    """They can be met there and then. `again`: only if it was told before, and is otherwise now."""

    told: WhereaboutsTold
    again: bool = False


def building_of(address: AddressFacts) -> str:
    """The building as one says it, without unit and room: 蚕花路6号1幢."""
    return writing(replace(parts_of(address), unit="", floor="", room=""))


def decide(known: WhereaboutsTold | None, command: Tell) -> Sequence[Event]:
    """Nothing if it is known."""
    if command.told == known or (command.again and known is None):
        return []
    return [command.told]


def evolve(_: WhereaboutsTold | None, event: WhereaboutsTold) -> WhereaboutsTold | None:
    """What was told last."""
    return event


WHEREABOUTS = Aggregate[WhereaboutsTold | None, Tell]("whereabouts", None, decide, evolve, (WhereaboutsTold,))
