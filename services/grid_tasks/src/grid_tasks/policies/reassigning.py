"""A case goes to somebody else by itself when whoever has it is no longer in post in its grid.

Two kinds of events can bring that about, the roster's and a case's own (someone was chosen just as they left). Each of
them looks for it, after what it tells of is known: so whichever comes second sees both.
"""

from contracts.grid_tasks import CaseDispatched, CaseSentBack
from contracts.registry import MemberChanged, MemberDismissed
from events import Commands, Policy, Recorded

from grid_tasks.domain.case import CASE
from grid_tasks.policies.dispatching import known, place, place_all
from grid_tasks.read_models.open_work import Stranded
from grid_tasks.read_models.workers import grid_for

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


@reassigning.on(CaseDispatched)
async def dispatched(commands: Commands, event: Recorded[CaseDispatched]) -> None:
    """They may have left while they were being chosen."""
    await again(commands, event.data.case, event.data.worker)


@reassigning.on(CaseSentBack)
async def sent_back(commands: Commands, event: Recorded[CaseSentBack]) -> None:
    """They may have left while it was being verified."""
    await again(commands, event.data.case, event.data.worker)


async def again(commands: Commands, id_: str, worker: str) -> None:
    """Gives it to somebody else if this worker may not have it any more."""
    case, _ = await commands.load(CASE, id_)
    if not await grid_for(commands.db, worker, case.grid, case.role, case.body):
        await place(commands, Stranded(case.id, case.grid, worker, case.role, case.body, case.skills))
