"""Each visit is with somebody in post in its grid, or it waits: given out as soon as it is planned, again when whoever
has it leaves or it lies in another grid, to the leader when nobody was home too often, and to who is back from leave
where nobody was there (`waiting`). As with cases (`reassigning`), whichever of the roster's and the visit's own events
comes second sees both."""

from contracts.grid_tasks import VisitAssigned, VisitGridChanged, VisitNobodyHome, VisitPlanned
from contracts.registry import MemberAppointed, MemberChanged, MemberDismissed
from events import Commands, Key, Policy, Recorded

from grid_tasks.domain.sharing import whose
from grid_tasks.domain.visit import VISIT, Assign, VisitStep
from grid_tasks.domain.working_time import CHINA
from grid_tasks.policies.dispatching import known
from grid_tasks.read_models.visit_board import sharers, stranded, visit_board, waiting

sharing_visits = Policy("sharing_visits")

PATIENCE = 60.0
"""Seconds to wait for what was given out just before."""


@sharing_visits.on(VisitPlanned)
async def planned(commands: Commands, event: Recorded[VisitPlanned]) -> None:
    """Those given out just before count, so that many at once are shared out evenly."""
    await give(commands, event.data.visit)


@sharing_visits.on(VisitNobodyHome)
async def nobody_home(commands: Commands, event: Recorded[VisitNobodyHome]) -> None:
    """After too many tries it is the leader's."""
    if event.data.to_leader:
        await give(commands, event.data.visit)


@sharing_visits.on(VisitAssigned)
async def assigned(commands: Commands, event: Recorded[VisitAssigned]) -> None:
    """They may have left while they were being chosen."""
    await commands.caught_up(visit_board, PATIENCE)
    it = event.data
    if it.visit in await stranded(commands.db, grid=it.grid, worker=it.worker):
        await give(commands, it.visit)


@sharing_visits.on(VisitGridChanged)
async def grid_changed(commands: Commands, event: Recorded[VisitGridChanged]) -> None:
    """Its worker is of another grid, unless they look after both."""
    await commands.caught_up(visit_board, PATIENCE)
    if event.data.visit in await stranded(commands.db, grid=event.data.grid):
        await give(commands, event.data.visit)


@sharing_visits.on(MemberAppointed)
async def appointed(commands: Commands, event: Recorded[MemberAppointed]) -> None:
    """What waits in their grid gets somebody."""
    await known(commands, event)
    await give_all(commands, grid=event.data.grid)


@sharing_visits.on(MemberChanged)
async def changed(commands: Commands, event: Recorded[MemberChanged]) -> None:
    """Who changes to another grid or post leaves their visits to those who stay, and is somebody new there."""
    await known(commands, event)
    await give_all(commands, grid=event.data.grid, worker=event.data.member)


@sharing_visits.on(MemberDismissed)
async def dismissed(commands: Commands, event: Recorded[MemberDismissed]) -> None:
    """A leaver's visits move by themselves."""
    await known(commands, event)
    await give_all(commands, worker=event.data.member)


async def give_all(commands: Commands, *, grid: str | None = None, worker: str | None = None) -> None:
    """Gives out the open visits of this grid, and with this worker, that nobody in post there has."""
    await commands.caught_up(visit_board, PATIENCE)
    for visit in await stranded(commands.db, grid=grid, worker=worker):
        await give(commands, visit)


async def give_waiting(commands: Commands) -> int:
    """Gives out the open visits that nobody has where somebody is there by now; returns how many."""
    await commands.caught_up(visit_board, PATIENCE)
    today = commands.clock().astimezone(CHINA).date()
    return sum([await give(commands, visit) for visit in await waiting(commands.db, today)])


async def give(commands: Commands, id_: str) -> bool:
    """Gives a visit to whom it falls; returns whether it did. Nobody is there: it waits until somebody is appointed, or
    back."""
    await commands.caught_up(visit_board, PATIENCE)
    now = commands.clock()
    visit, _ = await commands.load(VISIT, id_)
    if visit.step is not VisitStep.OPEN:
        return False
    choice = whose(
        await sharers(commands.db, visit.grid, id_, now.astimezone(CHINA).date()), for_leader=visit.for_leader
    )
    if choice is None or choice.member == visit.worker:
        return False
    # A second run may find another choice: keys by their number would mistake one for the other.
    key = Key(f"{commands.key_seed}:visit:{id_}") if commands.key_seed else None
    assign = Assign(choice.member, visit.worker, True, choice.why, now)
    return bool((await commands.execute(VISIT, id_, assign, key=key)).events)
