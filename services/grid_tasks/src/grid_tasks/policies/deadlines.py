"""A case that is not handed in by its deadline, or not verified by its own, is escalated (督办), rung by rung: one
durable timer, moved by each new deadline, forgotten while the clock stands and when it has ended."""

from datetime import timedelta

from contracts.grid_tasks import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseHandedOver,
    CaseLookAsked,
    CaseMerged,
    CasePaused,
    CaseRefused,
    CaseReopened,
    CaseResumed,
    CaseSentBack,
    CaseTakenUp,
    CaseTimeGiven,
    CaseUrgencyChanged,
    CaseWithdrawn,
)
from events import Cancel, Commands, Due, Policy, Timer

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Escalate
from grid_tasks.read_models.calendar_days import calendar

deadlines = Policy("deadlines")

DEADLINE = "deadline"


@deadlines.timer(CaseAccepted)
def accepted(event: CaseAccepted) -> Timer:
    """Also for a case that nobody takes."""
    return Timer(DEADLINE, due=event.due or event.at + timedelta(minutes=event.deadline_minutes))


def _moved(
    event: CaseDispatched | CaseHandedOver | CaseSentBack | CaseReopened | CaseTakenUp | CaseTimeGiven
    | CaseUrgencyChanged,
) -> Timer | Cancel:  # fmt: skip
    """A new deadline; none while the clock stands."""
    return Timer(DEADLINE, due=event.due) if event.due else Cancel(DEADLINE)


for _new in (
    CaseDispatched,
    CaseHandedOver,
    CaseSentBack,
    CaseReopened,
    CaseTakenUp,
    CaseTimeGiven,
    CaseUrgencyChanged,
):
    deadlines.timer(_new)(_moved)


@deadlines.timer(CaseResumed)
def resumed(event: CaseResumed) -> Timer:
    """On to the next rung, if it was late before its clock stood."""
    return Timer(DEADLINE, due=event.next_at or event.due)


@deadlines.timer(CaseEscalated)
def escalated(event: CaseEscalated) -> Timer | Cancel:
    """On to the next rung."""
    return Timer(DEADLINE, due=event.next_at) if event.next_at else Cancel(DEADLINE)


@deadlines.timer(CaseHandedIn)
def to_be_verified(event: CaseHandedIn) -> Timer | Cancel:
    """From now on it is somebody else's to say whether it is done."""
    return Timer(DEADLINE, due=event.check_by) if event.check_by else Cancel(DEADLINE)


@deadlines.timer(CaseLookAsked)
def to_be_looked_at(event: CaseLookAsked) -> Timer:
    """And then a second one's."""
    return Timer(DEADLINE, due=event.due)


def _over(_: CaseClosed | CasePaused | CaseRefused | CaseWithdrawn | CaseMerged) -> Cancel:
    """Nothing is due any more, or not for now."""
    return Cancel(DEADLINE)


for _end in (CaseClosed, CasePaused, CaseRefused, CaseWithdrawn, CaseMerged):
    deadlines.timer(_end)(_over)


@deadlines.due(DEADLINE)
async def overdue(commands: Commands, due: Due) -> None:
    """Handed in, verified or escalated meanwhile: then nothing follows."""
    days = await calendar(commands.db)
    await commands.execute(CASE, due.id, Escalate(days, commands.clock()))
