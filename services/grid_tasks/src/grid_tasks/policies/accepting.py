"""What was reported is accepted (受理) by the duty list, with its deadline.

Whether it is the grid's duty at all was decided at the door. If the duty list has changed since, so that it no longer
is, the report is parked for an operator: somebody was told that it would be dealt with.
"""

from contracts.grid_tasks import CasePlaced, CaseReported, CaseTakenUp
from events import Commands, Policy, Recorded, Refused, Several

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Accept
from grid_tasks.domain.moves import Step
from grid_tasks.domain.working_time import Calendar
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.read_models.duties import Duty, duties_of, duty_of

accepting = Policy("accepting")


class NoDeadline(Refused):
    """Nothing on the duty list says by when it is to be handed in."""

    reason = "no-deadline"

    def __init__(self, category: str) -> None:
        super().__init__(
            f"{category} was a duty of the grid when it was reported and has no deadline on the duty list now: put it "
            "back on the list and retry, or drop this and tell the reporter whose duty it is"
        )


@accepting.on_several(CaseReported)
async def reported(several: Several[CaseReported]) -> None:
    """A case outside every grid waits for the desk."""
    db = several.commands.db
    known = await duties_of(db, {event.data.category for _, event in several if event.data.grid})
    days = await calendar(db)

    async def one(commands: Commands, event: Recorded[CaseReported]) -> None:
        if event.data.grid:
            await accept(commands, event.data.case, event.data.category, known.get(event.data.category), days)

    await several.each(one)


@accepting.on(CasePlaced)
async def placed(commands: Commands, event: Recorded[CasePlaced]) -> None:
    """Those that were accepted before only go by the map that was redrawn."""
    await accept_if_placed(commands, event.data.case)


@accepting.on(CaseTakenUp)
async def taken_up(commands: Commands, event: Recorded[CaseTakenUp]) -> None:
    """Those that were merged before they were accepted."""
    await accept_if_placed(commands, event.data.case)


async def accept_if_placed(commands: Commands, id_: str) -> None:
    """Accepts it if that is still to be done."""
    case, _ = await commands.load(CASE, id_)
    if case.step is Step.REPORTED and case.grid:
        found = await duty_of(commands.db, case.category)
        await accept(commands, case.id, case.category, found, await calendar(commands.db))


async def accept(commands: Commands, case: str, category: str, found: Duty | None, days: Calendar) -> None:
    """Accepts it by the duty list as it stands now."""
    if found is None or found.duty.deadline_minutes is None:
        raise NoDeadline(category)
    await commands.execute(CASE, case, Accept(found.duty, found.version, days, at=commands.clock()))
