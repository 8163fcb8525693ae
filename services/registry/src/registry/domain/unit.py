"""A unit (实有单位): a company, a shop, a hotel, a chess room, a foot-bath shop, a school."""

from collections.abc import Sequence

from contracts.registry import UnitChanged, UnitConfirmed, UnitDisputed, UnitFacts, UnitRegistered
from events import Aggregate, Event

from registry.domain import credit_code
from registry.domain.contact import is_phone
from registry.domain.entry import Register
from registry.domain.faults import Fault, Why
from registry.domain.sources import Held, Kinds, completed, evolved, told

KINDS = Kinds(UnitRegistered, UnitChanged, UnitDisputed, UnitConfirmed)


def check_unit(facts: UnitFacts) -> None:
    """Raises Fault."""
    if not credit_code.is_well_formed(facts.credit_code):
        raise Fault("credit_code", Why.CREDIT_CODE)
    if not credit_code.checks(facts.credit_code):
        raise Fault("credit_code", Why.CHECKSUM)
    if facts.phone and not is_phone(facts.phone):
        raise Fault("phone", Why.PHONE)


def decide(held: Held[UnitFacts], command: Register[UnitFacts]) -> Sequence[Event]:
    """What is known of a unit. Raises Fault."""
    check_unit(completed(held, command))
    return told(held, command, KINDS, "unit")


UNIT = Aggregate("unit", Held[UnitFacts](), decide, evolved, KINDS)
