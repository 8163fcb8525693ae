"""A case that is not handed in by its deadline is escalated (督办): one durable timer, moved by each new deadline."""

from datetime import timedelta

from contracts.grid_tasks import CaseAccepted, CaseDispatched, CaseHandedIn, CaseSentBack, EscalationCause
from events import Cancel, Commands, Due, Policy, Timer

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Escalate

deadlines = Policy("deadlines")

DEADLINE = "deadline"


@deadlines.timer(CaseAccepted)
def accepted(event: CaseAccepted) -> Timer:
    """Also for a case that nobody takes."""
    return Timer(DEADLINE, due=event.at + timedelta(minutes=event.deadline_minutes))


@deadlines.timer(CaseDispatched)
def dispatched(event: CaseDispatched) -> Timer:
    return Timer(DEADLINE, due=event.due)


@deadlines.timer(CaseSentBack)
def sent_back(event: CaseSentBack) -> Timer:
    return Timer(DEADLINE, due=event.due)


@deadlines.timer(CaseHandedIn)
def handed_in(event: CaseHandedIn) -> Cancel:
    return Cancel(DEADLINE)


@deadlines.due(DEADLINE)
async def overdue(commands: Commands, due: Due) -> None:
    """Handed in or escalated meanwhile: then nothing follows."""
    await commands.execute(CASE, due.id, Escalate(EscalationCause.OVERDUE, at=commands.clock()))
