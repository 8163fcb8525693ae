"""What was reported is accepted (受理) by the duty list, with its deadline.

Whether it is the grid's duty at all was decided at the door. If the duty list has changed since, so that it no longer
is, the report is parked for an operator: somebody was told that it would be dealt with.
"""

from contracts.grid_tasks import CasePlaced, CaseReported
from events import Commands, Policy, Recorded, Refused

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Accept
from grid_tasks.domain.moves import Step
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.read_models.duties import duty_of

accepting = Policy("accepting")


class NoDeadline(Refused):
    """Nothing on the duty list says by when it is to be handed in."""

    reason = "no-deadline"

    def __init__(self, category: str) -> None:
        super().__init__(
            f"{category} was a duty of the grid when it was reported and has no deadline on the duty list now: put it "
            "back on the list and retry, or drop this and tell the reporter whose duty it is"
        )


@accepting.on(CaseReported)
async def reported(commands: Commands, event: Recorded[CaseReported]) -> None:
    """A case outside every grid waits for the desk."""
    if event.data.grid:
        await accept(commands, event.data.case, event.data.category)


@accepting.on(CasePlaced)
async def placed(commands: Commands, event: Recorded[CasePlaced]) -> None:
    """Those that were accepted before only go by the map that was redrawn."""
    case, _ = await commands.load(CASE, event.data.case)
    if case.step is Step.REPORTED:
        await accept(commands, case.id, case.category)


async def accept(commands: Commands, case: str, category: str) -> None:
    """Accepts it by the duty list as it stands now."""
    found = await duty_of(commands.db, category)
    if found is None or found.duty.deadline_minutes is None:
        raise NoDeadline(category)
    command = Accept(found.duty, found.version, await calendar(commands.db), at=commands.clock())
    await commands.execute(CASE, case, command)
