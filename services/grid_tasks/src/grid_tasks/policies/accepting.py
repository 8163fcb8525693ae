"""What was reported is accepted (受理) by the duty list, with its deadline.

Whether it is the grid's duty at all was decided at the door. If the duty list has changed since, so that it no longer
is, the report is parked for an operator: somebody was told that it would be dealt with.
"""

from contracts.grid_tasks import CaseReported
from events import Commands, Policy, Recorded, Refused

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Accept
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
async def accept(commands: Commands, event: Recorded[CaseReported]) -> None:
    duty = await duty_of(commands.db, event.data.category)
    if duty is None or duty.deadline_minutes is None:
        raise NoDeadline(event.data.category)
    await commands.execute(CASE, event.data.case, Accept(duty.deadline_minutes, at=commands.clock()))
