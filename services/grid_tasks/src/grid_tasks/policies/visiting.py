"""What falls due in the registry, and who was drawn to be visited again, is visited (走访任务): one visit for one
cause, however often it is told, until it is settled. Who asked not to be contacted is left alone, unless the law asks
for the visit."""

from contextlib import suppress

from contracts.grid_tasks import VisitPlanned
from contracts.registry import DueNoticed, DueSettled, SampleDrawn, WhereaboutsTold
from contracts.visits import CancelCause, VisitKind
from events import Commands, Policy, Recorded

from grid_tasks.domain.visit import VISIT, Cancel, EraseAnswers, Plan, Settle, visit_of
from grid_tasks.domain.visit_refusals import AskedNotToBeContacted
from grid_tasks.policies.dispatching import known
from grid_tasks.read_models.visit_board import visit_board, visits_of
from grid_tasks.read_models.whereabouts import left_alone, whereabouts

visiting = Policy("visiting")

PATIENCE = 60.0
"""Seconds to wait for a read model that says who is to be left alone."""


@visiting.on(DueNoticed)
async def noticed(commands: Commands, event: Recorded[DueNoticed]) -> None:
    """A month before it falls due."""
    it = event.data
    await _plan(
        commands,
        VisitPlanned(
            visit=visit_of(it.due, it.thing),
            kind=VisitKind(it.kind),
            of=it.of,
            thing=it.thing,
            grid=it.grid or "",
            cause=it.due,
            until=it.on,
            at=commands.clock(),
        ),
    )


@visiting.on(DueSettled)
async def settled(commands: Commands, event: Recorded[DueSettled]) -> None:
    """Nobody needs to ring any more. The visit that has settled it is over by then, and stays done."""
    id_ = visit_of(event.data.due, event.data.thing)
    await commands.execute(VISIT, id_, Settle(id_, commands.clock()))


@visiting.on(SampleDrawn)
async def drawn(commands: Commands, event: Recorded[SampleDrawn]) -> None:
    """One visit to each."""
    it = event.data
    for person in it.persons:
        planned = VisitPlanned(
            visit=visit_of(it.sample, person),
            kind=VisitKind.SAMPLE,
            of="people",
            thing=person,
            grid=it.grid,
            cause=it.sample,
            at=commands.clock(),
        )
        await _plan(commands, planned)


async def _plan(commands: Commands, planned: VisitPlanned) -> None:
    no_contact, gone = await left_alone(commands.db, planned.thing)
    if gone:
        return
    with suppress(AskedNotToBeContacted):
        await commands.execute(VISIT, planned.visit, Plan(planned, no_contact))


# Whether they asked not to be contacted may be heard of before the visit, or after it. Each of the two looks for the
# other, after what it tells of is known: so whichever comes second sees both.


@visiting.on(VisitPlanned)
async def planned(commands: Commands, event: Recorded[VisitPlanned]) -> None:
    it = event.data
    no_contact, gone = await left_alone(commands.db, it.thing)
    if gone:
        await commands.execute(VISIT, it.visit, EraseAnswers(commands.clock(), CancelCause.ERASED))
    elif no_contact:
        await commands.execute(VISIT, it.visit, Cancel(CancelCause.NO_CONTACT, "", None, commands.clock()))


@visiting.on(WhereaboutsTold)
async def told(commands: Commands, event: Recorded[WhereaboutsTold]) -> None:
    it = event.data
    if it.no_contact:
        await known(commands, event, whereabouts, PATIENCE)
        await commands.caught_up(visit_board, PATIENCE)
        for visit in await visits_of(commands.db, it.whereabouts, only_open=True):
            await commands.execute(VISIT, visit, Cancel(CancelCause.NO_CONTACT, "", None, commands.clock()))
