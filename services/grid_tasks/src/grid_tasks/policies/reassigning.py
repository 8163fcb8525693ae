"""A case goes to somebody else by itself when whoever has it is no longer in post in its grid.

Two kinds of events can bring that about, the roster's and a case's own (someone was chosen just as they left). Each of
them looks for it, after what it tells of is known: so whichever comes second sees both.
"""

from collections.abc import Mapping

from contracts.grid_tasks import CaseDispatched, CaseSentBack
from contracts.registry import MemberChanged, MemberDismissed
from events import Commands, Policy, Recorded, Several

from grid_tasks.policies.dispatching import known, place_all, place_each
from grid_tasks.read_models.open_work import open_work, stranded

reassigning = Policy("reassigning")


@reassigning.on(MemberDismissed)
async def dismissed(commands: Commands, event: Recorded[MemberDismissed]) -> None:
    """A leaver's work moves by itself."""
    await known(commands, event)
    await place_all(commands, worker=event.data.member)


@reassigning.on(MemberChanged)
async def moved_away(commands: Commands, event: Recorded[MemberChanged]) -> None:
    """Who changes to another grid or post leaves their cases to those who stay."""
    await known(commands, event)
    await place_all(commands, worker=event.data.member)


@reassigning.on_several(CaseDispatched)
async def dispatched(several: Several[CaseDispatched]) -> None:
    """They may have left while they were being chosen."""
    await again(several, {event.data.case: event.data.worker for _, event in several})


@reassigning.on_several(CaseSentBack)
async def sent_back(several: Several[CaseSentBack]) -> None:
    """They may have left while it was being verified."""
    await again(several, {event.data.case: event.data.worker for _, event in several})


async def again(several: Several[CaseDispatched] | Several[CaseSentBack], workers: Mapping[str, str]) -> None:
    """Gives those cases to somebody else whose worker may not have them any more."""
    await several.commands.caught_up(open_work)
    found = await stranded(several.commands.db, cases=workers)
    await place_each(several, [it for it in found if it.worker == workers[it.case]])
