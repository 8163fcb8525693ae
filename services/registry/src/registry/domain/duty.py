"""An entry of the duty list (责任清单): who must deal with a category of cases, by when, to what standard."""

from collections.abc import Sequence

from contracts.registry import DutyChanged, DutyFacts, DutyListed
from events import Aggregate, Event

from registry.domain.entry import Register, entered, latest
from registry.domain.faults import Fault, Why


def check_duty(facts: DutyFacts) -> None:
    """Raises Fault: what grid workers must do has a deadline."""
    if facts.grid_duty and not facts.deadline_minutes:
        raise Fault("deadline_minutes", Why.MISSING)


def decide(known: DutyFacts | None, command: Register[DutyFacts]) -> Sequence[Event]:
    """What the duty list says."""
    check_duty(command.facts)
    return entered(known, command.facts, DutyListed, DutyChanged)


DUTY = Aggregate("duty", None, decide, latest, (DutyListed, DutyChanged))
