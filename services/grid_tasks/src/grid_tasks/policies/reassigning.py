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
from events import Commands, Policy, Recorded, Several

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import GiveHelp
from grid_tasks.domain.refusals import NotAskedToHelp, NotPossibleNow
from grid_tasks.policies.dispatching import held, known, place_all, place_each
from grid_tasks.read_models.field_work import field_work, helped_by
from grid_tasks.read_models.open_work import open_work, stranded
from grid_tasks.read_models.workers import is_member

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


@reassigning.on_several(CaseDispatched)
async def dispatched(several: Several[CaseDispatched]) -> None:
    """They may have left while they were being chosen."""
    await place_each(several, {event.data.case: event.data.worker for _, event in several})


@reassigning.on_several(CaseTakenOver)
async def taken_over(several: Several[CaseTakenOver]) -> None:
    """The same of whoever is to go on with it."""
    await place_each(several, {event.data.case: event.data.worker for _, event in several})


@reassigning.on_several(CaseResumed)
async def resumed(several: Several[CaseResumed]) -> None:
    """They may have left while it stood, when nobody else was there."""
    await place_each(several, {event.data.case: event.data.worker for _, event in several})


@reassigning.on_several(CaseSentBack)
async def sent_back(several: Several[CaseSentBack]) -> None:
    """They may have left while it was being verified."""
    await place_each(several, {event.data.case: event.data.worker for _, event in several})


@reassigning.on_several(CasePlaced)
async def placed(several: Several[CasePlaced]) -> None:
    """What was accepted before is another grid's now, as the map was redrawn or its place corrected."""
    await several.commands.caught_up(open_work)
    cases = [event.data.case for _, event in several]
    await place_each(several, held(await stranded(several.commands.db, cases=cases)))


@reassigning.on(CaseHelpAsked)
async def help_asked(commands: Commands, event: Recorded[CaseHelpAsked]) -> None:
    """They may have left while they were being asked."""
    for helper in event.data.helpers:
        if not await is_member(commands.db, helper):
            await cannot_help(commands, event.data.case, helper)


async def cannot_help(commands: Commands, case: str, helper: str) -> None:
    """Says so for somebody who is not there to say it."""
    with suppress(NotAskedToHelp, NotPossibleNow):
        await commands.execute(CASE, case, GiveHelp(helper, False, GONE, commands.clock()))
