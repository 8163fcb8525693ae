"""A case that was paused until a moment goes on by itself (自动解挂)."""

from contracts.grid_tasks import CaseMerged, CasePaused, CaseRefused, CaseResumed, CaseWithdrawn
from events import Cancel, Commands, Due, Policy, Timer

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Resume
from grid_tasks.read_models.calendar_days import calendar

resuming = Policy("resuming")

RESUME = "resume"


@resuming.timer(CasePaused)
def paused(event: CasePaused) -> Timer | Cancel:
    return Timer(RESUME, due=event.until) if event.until else Cancel(RESUME)


def _over(_: CaseResumed | CaseWithdrawn | CaseRefused | CaseMerged) -> Cancel:
    return Cancel(RESUME)


for _end in (CaseResumed, CaseWithdrawn, CaseRefused, CaseMerged):
    resuming.timer(_end)(_over)


@resuming.due(RESUME)
async def go_on(commands: Commands, due: Due) -> None:
    """It goes on already: then nothing follows."""
    days = await calendar(commands.db)
    await commands.execute(CASE, due.id, Resume("policy:resuming", days, commands.clock(), by_rule=True))
