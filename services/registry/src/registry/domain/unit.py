"""A unit (实有单位): a shop, a hotel, a chess room, a foot-bath shop."""

from collections.abc import Sequence

from contracts.registry import UnitChanged, UnitFacts, UnitRegistered
from events import Aggregate, Event

from registry.domain import credit_code
from registry.domain.contact import is_phone
from registry.domain.entry import Register, entered, latest
from registry.domain.faults import Fault, Why


def check_unit(facts: UnitFacts) -> None:
    """Raises Fault."""
    if not credit_code.is_well_formed(facts.credit_code):
        raise Fault("credit_code", Why.CREDIT_CODE)
    if not credit_code.checks(facts.credit_code):
        raise Fault("credit_code", Why.CHECKSUM)
    if facts.phone and not is_phone(facts.phone):
        raise Fault("phone", Why.PHONE)


def decide(known: UnitFacts | None, command: Register[UnitFacts]) -> Sequence[Event]:
    """What is known of a unit."""
    check_unit(command.facts)
    return entered(known, command.facts, UnitRegistered, UnitChanged)


UNIT = Aggregate("unit", None, decide, latest, (UnitRegistered, UnitChanged))
