"""A case goes to somebody else by itself when whoever has it is no longer in post in its grid, or when its grid is
another one by the map. Whoever leaves owes no part (协办) of another's case either.

Two kinds of events can bring that about, the roster's and a case's own (someone was chosen just as they left). Each of
them looks for it, after what it tells of is known: so whichever comes second sees both.
"""

from contextlib import suppress

from contracts.grid_tasks import (
    CaseDispatched,
    CaseHelpAsked,
    CasePlaced,
    CaseResumed,
    CaseSentBack,
    CaseTakenOver,
)
from contracts.registry import MemberChanged, MemberDismissed
from events import Commands, Policy, Recorded

from grid_tasks.domain.case import CASE, Step
from grid_tasks.domain.commands import GiveHelp
from grid_tasks.domain.refusals import NotAskedToHelp, NotPossibleNow
from grid_tasks.policies.dispatching import known, place, place_all
from grid_tasks.read_models.field_work import field_work, helped_by
from grid_tasks.read_models.open_work import Stranded
from grid_tasks.read_models.workers import grid_for, is_member

reassigning = Policy("reassigning")

GONE = "不再在岗 / no longer in post"


@reassigning.on(MemberDismissed)
async def dismissed(commands: Commands, event: Recorded[MemberDismissed]) -> None:
    """A leaver's work moves by itself, and nobody waits for their part of another's."""
    await known(commands, event)
    await place_all(commands, worker=event.data.member)
    await commands.caught_up(field_work)
    for case in await helped_by(commands.db, event.data.member):
        await cannot_help(commands, case, event.data.member)


@reassigning.on(MemberChanged)
async def moved_away(commands: Commands, event: Recorded[MemberChanged]) -> None:
    """Who changes to another grid or post leaves their cases to those who stay."""
    await known(commands, event)
    await place_all(commands, worker=event.data.member)


@reassigning.on(CaseDispatched)
async def dispatched(commands: Commands, event: Recorded[CaseDispatched]) -> None:
    """They may have left while they were being chosen."""
    await again(commands, event.data.case, event.data.worker)


@reassigning.on(CaseTakenOver)
async def taken_over(commands: Commands, event: Recorded[CaseTakenOver]) -> None:
    """The same of whoever is to go on with it."""
    await again(commands, event.data.case, event.data.worker)


@reassigning.on(CaseResumed)
async def resumed(commands: Commands, event: Recorded[CaseResumed]) -> None:
    """They may have left while it stood, when nobody else was there."""
    await again(commands, event.data.case, event.data.worker)


@reassigning.on(CaseSentBack)
async def sent_back(commands: Commands, event: Recorded[CaseSentBack]) -> None:
    """They may have left while it was being verified."""
    await again(commands, event.data.case, event.data.worker)


@reassigning.on(CasePlaced)
async def placed(commands: Commands, event: Recorded[CasePlaced]) -> None:
    """What was accepted before is another grid's now, as the map was redrawn."""
    case, _ = await commands.load(CASE, event.data.case)
    if case.step is not Step.REPORTED:
        await again(commands, case.id, case.worker)


@reassigning.on(CaseHelpAsked)
async def help_asked(commands: Commands, event: Recorded[CaseHelpAsked]) -> None:
    """They may have left while they were being asked."""
    for helper in event.data.helpers:
        if not await is_member(commands.db, helper):
            await cannot_help(commands, event.data.case, helper)


async def again(commands: Commands, id_: str, worker: str | None) -> None:
    """Gives it to somebody else if this worker may not have it any more, or nobody has it."""
    case, _ = await commands.load(CASE, id_)
    if worker is None or not await grid_for(commands.db, worker, case.grid, case.role, case.body):
        await place(commands, Stranded(case.id, case.grid, worker, case.role, case.body, case.skills))


async def cannot_help(commands: Commands, case: str, helper: str) -> None:
    """Says so for somebody who is not there to say it."""
    with suppress(NotAskedToHelp, NotPossibleNow):
        await commands.execute(CASE, case, GiveHelp(helper, False, GONE, commands.clock()))
