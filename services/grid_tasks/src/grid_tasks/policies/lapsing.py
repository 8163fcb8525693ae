"""What fell due and was not settled by its day (到期未办) is a case, if the duty list says so, by an entry whose `rule`
is this kind of due. It is called off if it is settled before anybody has begun.

Which of the two is told first needs no care: both are of one stream, whose events are handled in order.
"""

import secrets

from contracts.common import Place
from contracts.grid_tasks import ReporterKind
from contracts.registry import DuePassed, DueSettled
from contracts.visits import VisitKind
from events import Commands, NotYet, Policy, Recorded, Refused

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import CallOff, Report
from grid_tasks.domain.lapse import SETTLED, case_of, words
from grid_tasks.domain.receipt import hash_of
from grid_tasks.domain.visit import ASKED_BY_LAW, visit_of
from grid_tasks.read_models.duties import any_duty, duty_for
from grid_tasks.read_models.grids import any_grid, somewhere_in
from grid_tasks.read_models.whereabouts import left_alone, place_of
from grid_tasks.read_models.workers import anybody_of

lapsing = Policy("lapsing")


class LiesInNoGrid(Refused):
    """Nobody looks after the place."""

    reason = "lies-in-no-grid"

    def __init__(self, due: str) -> None:
        super().__init__(f"{due} has passed, and lies in no grid: draw one there and retry, or drop this")


@lapsing.on(DuePassed)
async def passed(commands: Commands, event: Recorded[DuePassed]) -> None:
    """Nobody gets the receipt, as a rule needs none."""
    it = event.data
    if not (await any_duty(commands.db) and await any_grid(commands.db)):
        raise NotYet("the registry has not told the duty list and the map yet")
    found = await duty_for(commands.db, it.kind)
    no_contact, gone = await left_alone(commands.db, it.thing)
    if found is None or gone or (no_contact and VisitKind(it.kind) not in ASKED_BY_LAW):
        return
    place = await _where(commands, it)
    if place is None:
        raise LiesInNoGrid(it.due)
    report = Report(
        case=case_of(it.due),
        category=found.duty.category,
        duty=found.duty,
        description=words(found.duty.title, it.on, visit_of(it.due, it.thing)),
        place=place,
        grid=it.grid,
        reporter_kind=ReporterKind.RULE,
        reporter=None,
        contact=None,
        receipt_hash=hash_of(secrets.token_urlsafe(24)),
        taken_by_department=await anybody_of(commands.db, found.duty.department.zh),
        at=commands.clock(),
    )
    if (await commands.load(CASE, report.case))[0].step is None:
        await commands.execute(CASE, report.case, report)


@lapsing.on(DueSettled)
async def settled(commands: Commands, event: Recorded[DueSettled]) -> None:
    id_ = case_of(event.data.due)
    if (await commands.load(CASE, id_))[0].step is not None:
        await commands.execute(CASE, id_, CallOff(SETTLED, commands.clock()))


async def _where(commands: Commands, due: DuePassed) -> Place | None:
    """A unit's door is public. Of people it is the grid and no more: the place of a case is in the open for ever."""
    door = await place_of(commands.db, due.thing) if due.of == "units" else None
    return door or (await somewhere_in(commands.db, due.grid) if due.grid else None)
