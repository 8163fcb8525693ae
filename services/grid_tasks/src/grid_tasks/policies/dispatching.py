"""Each case is dispatched (派遣) to whom it falls, as soon as it is accepted.

A case is with someone in post in its own grid, or it waits: where nobody is in post it is escalated at once, stays
listed as accepted and with nobody, and is dispatched when somebody is appointed there, or is back from leave
(`waiting`). What breaks that later is mended by `reassigning`.
"""

import asyncio
from collections.abc import Iterable, Mapping

from contracts.grid_tasks import CaseAccepted, CaseHandedOver, CaseReopened, CaseTakenUp
from contracts.registry import MemberAppointed, MemberChanged
from events import Commands, Event, Key, Policy, ReadModel, Recorded, Several, Token

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Assign, Unplaced
from grid_tasks.domain.placing import Spreading
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.read_models.open_work import Stranded, candidates, open_work, stranded, waiting
from grid_tasks.read_models.workers import workers

dispatching = Policy("dispatching")

PATIENCE = 60.0
"""Seconds to wait for what was placed just before, where nobody waits for the answer."""


@dispatching.on_several(CaseAccepted)
async def dispatch(several: Several[CaseAccepted]) -> None:
    """The first dispatch. The cases dispatched just before count, so that a burst is spread."""
    await place_each(several, {event.data.case: None for _, event in several})


@dispatching.on_several(CaseReopened)
async def reopened(several: Several[CaseReopened]) -> None:
    """Its reporter says that it is not done: somebody has it again."""
    await place_each(several, {event.data.case: None for _, event in several})


@dispatching.on_several(CaseTakenUp)
async def taken_up(several: Several[CaseTakenUp]) -> None:
    """The other one does not go on for it: somebody has it again, if it was accepted before."""
    await place_each(several, {event.data.case: None for _, event in several})


@dispatching.on(CaseHandedOver)
async def handed_over(commands: Commands, event: Recorded[CaseHandedOver]) -> None:
    """The other department's liaison gets it; or who is in post in the grid, if it comes back to it."""
    await place(commands, {event.data.case: None})


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


async def place_all(commands: Commands, *, grid: str | None = None, worker: str | None = None, body: str = "") -> None:
    """Places all such cases of this grid, with this worker, or of this department."""
    await commands.caught_up(open_work)
    await place(commands, held(await stranded(commands.db, grid=grid, worker=worker, body=body)))


async def place_waiting(commands: Commands) -> int:
    """Places all that wait where somebody is there by now, and says nothing of those where nobody is: that was told.
    Returns how many have somebody."""
    await commands.caught_up(open_work, PATIENCE)
    placings = await placings_of(commands, held(await waiting(commands.db)))
    found = {case: placing for case, placing in placings.items() if isinstance(placing, Assign)}
    return sum(await asyncio.gather(*(carry_out(commands, *it) for it in found.items())))


Held = Mapping[str, str | None]
"""Cases, and who has each: nobody, or who may not have it any more."""


def held(cases: Iterable[Stranded]) -> Held:
    """Whoever it is."""
    return {it.case: it.worker for it in cases}


async def place(commands: Commands, cases: Held) -> None:
    """Dispatches cases that are with nobody in post, or says that there is nobody."""
    placings = await placings_of(commands, cases)
    await asyncio.gather(*(carry_out(commands, case, placing) for case, placing in placings.items()))


async def place_each(several: Several[Event], cases: Held) -> None:
    """The same, of some of several events' cases, each on behalf of its event."""
    placings = await placings_of(several.commands, cases)

    async def one(commands: Commands, event: Recorded[Event]) -> None:
        id_ = event.stream.partition("-")[2]
        if id_ in placings:
            await carry_out(commands, id_, placings[id_])

    await several.each(one)


async def placings_of(commands: Commands, cases: Held) -> dict[str, Assign | Unplaced]:
    """What is to be done with each case that is still so, as things stand now, one after another. Where a batch is
    taken again, what its first run gave away is somebody's open work, and must not count twice."""
    if not cases:
        return {}
    await commands.caught_up(open_work)
    still = {it.case: it for it in await stranded(commands.db, cases=cases) if it.worker == cases[it.case]}
    to_place = [still[case] for case in cases if case in still]
    now, days = commands.clock(), await calendar(commands.db)
    in_post = await candidates(commands.db, {case.needed for case in to_place})
    placings: dict[str, Assign | Unplaced] = {}
    spreading = Spreading(now)
    for case in to_place:
        if choice := spreading.choose(case.needed, case.weight, in_post[case.needed]):
            why = choice.why if case.worker is None else f"{case.worker} 不再在岗 / no longer in post; {choice.why}"
            placings[case.case] = Assign(choice.member, case.worker, why, days, now, case.needed)
        else:
            placings[case.case] = Unplaced(case.worker, days, now)
    return placings


async def carry_out(commands: Commands, case: str, placing: Assign | Unplaced) -> bool:
    """Gives the case to whom it falls, or says that there is nobody; returns whether that was anything new."""
    # A second run may find other cases, or another choice: keys by their number would mistake one for the other.
    key = Key(f"{commands.key_seed}:{type(placing).__name__}:{case}") if commands.key_seed else None
    return bool((await commands.execute(CASE, case, placing, key=key)).events)


async def known(
    commands: Commands, event: Recorded[Event], read_model: ReadModel = workers, patience: float = 5
) -> None:
    """Waits until this read model shows this event of the registry; of the roster: before, the choice could fall on who
    has left."""
    await commands.wait_for(Token("registry", event.stream, event.raw.position), read_model, patience)
