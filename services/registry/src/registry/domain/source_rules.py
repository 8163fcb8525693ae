"""Which source is believed in which field of a register, where sources differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.registry import (
    AddressFacts,
    BuildingFacts,
    Facts,
    HouseholdFacts,
    PersonFacts,
    SourceRulesSet,
    UnitFacts,
)
from events import Aggregate, Event

from registry.domain.entry import ASK, NEWEST, Rule
from registry.domain.faults import Fault, Why
from registry.domain.sources import OF_THE_ENTRY

REGISTERS: Mapping[str, type[Facts]] = {
    "addresses": AddressFacts,
    "buildings": BuildingFacts,
    "households": HouseholdFacts,
    "people": PersonFacts,
    "units": UnitFacts,
}


@dataclass(frozen=True, slots=True)
class SetRules:
    """From now on these hold, and no others."""

    register: str
    rules: Mapping[str, Rule]
    by: str
    at: datetime


def decide(known: Mapping[str, Rule], command: SetRules) -> Sequence[Event]:
    """Raises Fault for a field that the register has not, and for a rule that is none."""
    fields = REGISTERS[command.register].model_fields.keys() - OF_THE_ENTRY
    for field, rule in command.rules.items():
        if field not in fields:
            raise Fault(field, Why.NOT_A_FIELD)
        if rule not in (NEWEST, ASK) and (isinstance(rule, str) or not rule or len(set(rule)) < len(rule)):
            raise Fault(field, Why.NOT_A_RULE)
    if dict(known) == dict(command.rules):
        return []
    return [SourceRulesSet(of=command.register, rules=dict(command.rules), by=command.by, at=command.at)]


def evolve(known: Mapping[str, Rule], event: Event) -> Mapping[str, Rule]:
    """The rules after an event."""
    return event.rules if isinstance(event, SourceRulesSet) else known


NO_RULES: Mapping[str, Rule] = {}
SOURCE_RULES = Aggregate("source_rules", NO_RULES, decide, evolve, (SourceRulesSet,))
