"""Each case is dispatched (派遣) to whom it falls, as soon as it is accepted.

A case is with someone in post in its own grid, or it waits: where nobody is in post it is escalated at once, stays
listed as accepted and with nobody, and is dispatched when somebody is appointed there. What breaks that later is mended
by `reassigning`.
"""

from contracts.grid_tasks import CaseAccepted, CaseHandedOver, CaseReopened, EscalationCause
from contracts.registry import MemberAppointed, MemberChanged
from events import Commands, Event, Key, Policy, ReadModel, Recorded, Token

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Assign, Escalate
from grid_tasks.domain.placing import choose
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.read_models.open_work import Stranded, candidates, open_work, stranded
from grid_tasks.read_models.workers import workers

dispatching = Policy("dispatching")


@dispatching.on(CaseAccepted)
async def dispatch(commands: Commands, event: Recorded[CaseAccepted]) -> None:
    """The first dispatch. The cases dispatched just before count, so that a burst is spread."""
    it = event.data
    await place(commands, Stranded(it.case, it.grid, None, it.role, it.body, it.skills))


@dispatching.on(CaseReopened)
async def reopened(commands: Commands, event: Recorded[CaseReopened]) -> None:
    """Its reporter says that it is not done: somebody has it again."""
    it = event.data
    await place(commands, Stranded(it.case, it.grid, None, it.role, it.body, it.skills))


@dispatching.on(CaseHandedOver)
async def handed_over(commands: Commands, event: Recorded[CaseHandedOver]) -> None:
    """The other department's liaison gets it; or who is in post in the grid, if it comes back to it."""
    case, _ = await commands.load(CASE, event.data.case)
    await place(commands, Stranded(case.id, case.grid, None, case.role, case.body, case.skills))


@dispatching.on(MemberAppointed)
async def appointed(commands: Commands, event: Recorded[MemberAppointed]) -> None:
    """The grid's waiting cases get somebody, and the department's."""
    await known(commands, event)
    await place_all(commands, grid=event.data.grid, body=event.data.body)


@dispatching.on(MemberChanged)
async def moved_here(commands: Commands, event: Recorded[MemberChanged]) -> None:
    """Who changes to another grid is somebody new there."""
    await known(commands, event)
    await place_all(commands, grid=event.data.grid, body=event.data.body)


async def place(commands: Commands, case: Stranded) -> None:
    """Dispatches a case that is with nobody in post, or says that there is nobody."""
    await commands.caught_up(open_work)
    now = commands.clock()
    choice = choose(case.needed, await candidates(commands.db, case.needed), now)
    days = await calendar(commands.db)
    if choice:
        why = choice.why if case.worker is None else f"{case.worker} 不再在岗 / no longer in post; {choice.why}"
        command = Assign(choice.member, case.worker, why, days, now)
    else:
        command = Escalate(EscalationCause.NOBODY_IN_POST, days, now)
    # A second run may find other cases, or another choice: keys by their number would mistake one for the other.
    key = Key(f"{commands.key_seed}:{type(command).__name__}:{case.case}")
    await commands.execute(CASE, case.case, command, key=key)


async def place_all(commands: Commands, *, grid: str | None = None, worker: str | None = None, body: str = "") -> None:
    """The same for all such cases of this grid, with this worker, or of this department."""
    await commands.caught_up(open_work)
    for case in await stranded(commands.db, grid=grid, worker=worker, body=body):
        await place(commands, case)


async def known(
    commands: Commands, event: Recorded[Event], read_model: ReadModel = workers, patience: float = 5
) -> None:
    """Waits until this read model shows this event of the registry; of the roster: before, the choice could fall on who
    has left."""
    await commands.wait_for(Token("registry", event.stream, event.raw.position), read_model, patience)
