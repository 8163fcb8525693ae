"""Open cases follow the map (网格调整): when grids are redrawn, each goes to the one that its place lies in now, and
there to somebody in post (`reassigning`).

What was reported, corrected, reopened or taken up again while the map changed may be of a grid as it was before. Each
of the two looks for the other, after what it tells of is known: so whichever comes second sees both.
"""

from collections.abc import Collection

from contracts.grid_tasks import CasePlaceCorrected, CaseReopened, CaseReported, CaseTakenUp
from contracts.registry import GridDrawn, GridRedrawn, MapRedrawn
from events import Commands, Policy, Recorded, Several

from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import FollowMap
from grid_tasks.policies.dispatching import known
from grid_tasks.read_models.case_board import case_board, misplaced
from grid_tasks.read_models.grids import grid_now, grids

following_the_map = Policy("following_the_map")

PATIENCE = 60.0
"""Seconds to wait until all grids of a map are known, and all cases reported until then."""


@following_the_map.on(MapRedrawn)
async def redrawn(commands: Commands, event: Recorded[MapRedrawn]) -> None:
    it = event.data
    await known(commands, event, grids, PATIENCE)
    await follow(commands, {*it.given_up, *(drawn.grid for drawn in it.drawn)})


@following_the_map.on(GridDrawn)
async def one_drawn(commands: Commands, event: Recorded[GridDrawn]) -> None:
    await known(commands, event, grids, PATIENCE)
    await follow(commands, {event.data.grid})


@following_the_map.on(GridRedrawn)
async def one_redrawn(commands: Commands, event: Recorded[GridRedrawn]) -> None:
    await known(commands, event, grids, PATIENCE)
    await follow(commands, {event.data.grid})


@following_the_map.on_several(CaseReported)
async def reported(several: Several[CaseReported]) -> None:
    await several.each(follow_one)


@following_the_map.on(CasePlaceCorrected)
async def place_corrected(commands: Commands, event: Recorded[CasePlaceCorrected]) -> None:
    await follow_one(commands, event)


@following_the_map.on(CaseReopened)
async def reopened(commands: Commands, event: Recorded[CaseReopened]) -> None:
    """An ended case stays where it was, whatever is drawn meanwhile."""
    await follow_one(commands, event)


@following_the_map.on(CaseTakenUp)
async def taken_up(commands: Commands, event: Recorded[CaseTakenUp]) -> None:
    """The same of what was merged."""
    await follow_one(commands, event)


async def follow_one(
    commands: Commands, event: Recorded[CaseReported | CasePlaceCorrected | CaseReopened | CaseTakenUp]
) -> None:
    """Moves it where its place lies now; older events of reopened cases do not say where that is."""
    it = event.data
    if it.place and (grid := await grid_now(commands.db, it.place, it.grid)) != it.grid:
        await commands.execute(CASE, it.case, FollowMap(grid, commands.clock()))


async def follow(commands: Commands, drawn: Collection[str]) -> None:
    """Moves the open cases of these grids, and those that lie in them now."""
    await commands.caught_up(case_board, PATIENCE)
    for case, grid in await misplaced(commands.db, drawn):
        await commands.execute(CASE, case, FollowMap(grid, commands.clock()))
