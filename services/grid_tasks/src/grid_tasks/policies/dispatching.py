"""Each case is dispatched (派遣) to whom it falls, as soon as it is accepted.

A case is with someone in post in its own grid, or it waits: where nobody is in post it is escalated at once, stays
listed as accepted and with nobody, and is dispatched when somebody is appointed there. What breaks that later is mended
by `reassigning`.
"""

from contracts.grid_tasks import CaseAccepted, EscalationCause
from contracts.registry import MemberAppointed, MemberChanged
from events import Commands, Event, Key, Policy, Recorded, Token

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Assign, Escalate
from grid_tasks.domain.placing import choose
from grid_tasks.read_models.open_work import Stranded, candidates, open_work, stranded
from grid_tasks.read_models.workers import workers

dispatching = Policy("dispatching")


@dispatching.on(CaseAccepted)
async def dispatch(commands: Commands, event: Recorded[CaseAccepted]) -> None:
    """The first dispatch. The cases dispatched just before count, so that a burst is spread."""
    await place(commands, Stranded(event.data.case, event.data.grid, None))


@dispatching.on(MemberAppointed)
async def appointed(commands: Commands, event: Recorded[MemberAppointed]) -> None:
    """The grid's waiting cases get somebody."""
    await known(commands, event)
    await place_all(commands, grid=event.data.grid)


@dispatching.on(MemberChanged)
async def moved_here(commands: Commands, event: Recorded[MemberChanged]) -> None:
    """Who changes to another grid is somebody new there."""
    await known(commands, event)
    await place_all(commands, grid=event.data.grid)


async def place(commands: Commands, case: Stranded) -> None:
    """Dispatches a case that is with nobody in post, or says that there is nobody."""
    await commands.caught_up(open_work)
    choice = choose(case.grid, await candidates(commands.db, case.grid))
    now = commands.clock()
    if choice:
        why = choice.why if case.worker is None else f"{case.worker} 不再在岗 / no longer in post; {choice.why}"
        command = Assign(choice.member, instead_of=case.worker, why=why, at=now)
    else:
        command = Escalate(EscalationCause.NOBODY_IN_POST, at=now)
    # A second run may find other cases, or another choice: keys by their number would mistake one for the other.
    key = Key(f"{commands.key_seed}:{type(command).__name__}:{case.case}")
    await commands.execute(CASE, case.case, command, key=key)


async def place_all(commands: Commands, *, grid: str | None = None, worker: str | None = None) -> None:
    """The same for all such cases of this grid, or with this worker."""
    await commands.caught_up(open_work)
    for case in await stranded(commands.db, grid=grid, worker=worker):
        await place(commands, case)


async def known(commands: Commands, event: Recorded[Event]) -> None:
    """Waits until the roster in `workers` shows this event; before, the choice could fall on who has left."""
    await commands.wait_for(Token("registry", event.stream, event.raw.position), workers)
