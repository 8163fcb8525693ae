"""Who has a case is warned before its deadline (预警), once: a timer moved by each new deadline."""

from contracts.grid_tasks import (
    CaseDispatched,
    CaseHandedIn,
    CaseHandedOver,
    CaseMerged,
    CasePaused,
    CaseRefused,
    CaseResumed,
    CaseReturned,
    CaseSentBack,
    CaseTimeGiven,
    CaseUrgencyChanged,
    CaseWithdrawn,
)
from events import Cancel, Commands, Due, Policy, Timer

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Warn

warning = Policy("warning")

WARNING = "warning"


def _moved(
    event: CaseDispatched | CaseSentBack | CaseResumed | CaseTimeGiven | CaseUrgencyChanged,
) -> Timer | Cancel:
    """A new deadline, with a moment to be warned of it."""
    return Timer(WARNING, due=event.warn_at) if event.warn_at else Cancel(WARNING)


for _new in (CaseDispatched, CaseSentBack, CaseResumed, CaseTimeGiven, CaseUrgencyChanged):
    warning.timer(_new)(_moved)


def _over(
    _: CaseHandedIn | CaseHandedOver | CasePaused | CaseRefused | CaseReturned | CaseWithdrawn | CaseMerged,
) -> Cancel:
    """There is nobody to warn, or nothing to warn of."""
    return Cancel(WARNING)


for _end in (CaseHandedIn, CaseHandedOver, CasePaused, CaseRefused, CaseReturned, CaseWithdrawn, CaseMerged):
    warning.timer(_end)(_over)


@warning.due(WARNING)
async def near(commands: Commands, due: Due) -> None:
    """Handed in meanwhile: then nothing follows."""
    await commands.execute(CASE, due.id, Warn(commands.clock()))
