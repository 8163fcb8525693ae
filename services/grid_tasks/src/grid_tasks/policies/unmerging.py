"""A merged case is taken up again (恢复办理) when the one that was to go on for it ends without being dealt with.

Two kinds of events can bring that about: that end, and the merging itself, which may have been decided just before it,
or just as the other one was merged into this. Each looks for the other, after what it tells of is known: so whichever
comes second sees both. What was merged into a merged one stays so, as long as the last of them goes on.
"""

from itertools import dropwhile

from contracts.grid_tasks import CaseMerged, CaseRefused, CaseWithdrawn
from events import Commands, Policy, Recorded

from grid_tasks.domain.case import CASE, Case
from grid_tasks.domain.commands import TakeUp
from grid_tasks.domain.moves import Step
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.read_models.case_board import case_board, merged_into

unmerging = Policy("unmerging")

PATIENCE = 60.0
"""Seconds to wait until all is known that was merged."""


@unmerging.on(CaseRefused)
async def refused(commands: Commands, event: Recorded[CaseRefused]) -> None:
    await take_up_all(commands, event.data.case)


@unmerging.on(CaseWithdrawn)
async def withdrawn(commands: Commands, event: Recorded[CaseWithdrawn]) -> None:
    await take_up_all(commands, event.data.case)


async def take_up_all(commands: Commands, ended: str) -> None:
    """Each that this one was to go on for."""
    await commands.caught_up(case_board, PATIENCE)
    for case in await merged_into(commands.db, ended):
        await take_up(commands, case, ended)


@unmerging.on(CaseMerged)
async def merged(commands: Commands, event: Recorded[CaseMerged]) -> None:
    """Where cases were merged in a circle, the first by its id goes on for all of them."""
    way = [await look(commands, event.data.case)]
    while (into := way[-1].into) and all(it.id != into for it in way):
        way.append(await look(commands, into))
    if into:
        first = min(dropwhile(lambda it: it.id != into, way), key=lambda it: it.id)
        await take_up(commands, first.id, first.into or "")
    elif way[-1].step in (Step.REFUSED, Step.WITHDRAWN) and way[1:]:
        await take_up(commands, way[-2].id, way[-1].id)


async def look(commands: Commands, case: str) -> Case:
    return (await commands.load(CASE, case))[0]


async def take_up(commands: Commands, case: str, into: str) -> None:
    await commands.execute(CASE, case, TakeUp(into, await calendar(commands.db), commands.clock()))
