"""A street that is renamed (街路更名): each address on it keeps the old name as a former one."""

from collections.abc import Sequence

from contracts.registry import StreetRenamed
from events import Aggregate, Event

from registry.domain.address import check_division_code
from registry.domain.faults import Fault, Why
from registry.domain.history import day_in_china
from registry.domain.writing import part


def decide(known: StreetRenamed | None, command: StreetRenamed) -> Sequence[Event]:
    """The command is what is to be so. Raises Fault."""
    check_division_code(command.division_code)
    for field in ("street", "renamed"):
        if len(part("street", getattr(command, field))) < 2:
            raise Fault(field, Why.MISSING)
    if part("street", command.street) == part("street", command.renamed):
        raise Fault("renamed", Why.SAME_STREET)
    if command.on > day_in_china(command.at):
        raise Fault("on", Why.IN_FUTURE)
    return [] if known else [command]


def _latest(_: StreetRenamed | None, event: StreetRenamed) -> StreetRenamed:
    return event


STREET: Aggregate[StreetRenamed | None, StreetRenamed] = Aggregate("street", None, decide, _latest, (StreetRenamed,))
