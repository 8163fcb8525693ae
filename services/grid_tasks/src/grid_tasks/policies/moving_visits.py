"""An open visit is in the grid in which it lies now: it follows the map, and those who move.

The map, the whereabouts and the visit may be heard of in any order. Each of them looks for the visits that lie
elsewhere, after what it tells of is known: so whichever comes last sees all three. Only open visits are looked at, in
one question, however many people a redrawing is about.
"""

from contracts.grid_tasks import VisitGridChanged, VisitPlanned
from contracts.registry import GridDrawn, GridRedrawn, MapRedrawn, WhereaboutsTold
from events import Commands, Key, Policy, Recorded

from grid_tasks.domain.visit import VISIT, MoveTo
from grid_tasks.policies.dispatching import known
from grid_tasks.policies.visiting import PATIENCE
from grid_tasks.read_models.grids import grids
from grid_tasks.read_models.visit_board import elsewhere, visit_board
from grid_tasks.read_models.whereabouts import whereabouts

moving_visits = Policy("moving_visits")


@moving_visits.on(MapRedrawn)
async def redrawn(commands: Commands, event: Recorded[MapRedrawn]) -> None:
    """What lies in the grids follows by its place."""
    await known(commands, event, grids, PATIENCE)
    await move(commands)


@moving_visits.on(GridDrawn)
async def grid_drawn(commands: Commands, event: Recorded[GridDrawn]) -> None:
    """A grid of the time when each was drawn by itself."""
    await known(commands, event, grids, PATIENCE)
    await move(commands)


@moving_visits.on(GridRedrawn)
async def grid_redrawn(commands: Commands, event: Recorded[GridRedrawn]) -> None:
    await known(commands, event, grids, PATIENCE)
    await move(commands)


@moving_visits.on(WhereaboutsTold)
async def told(commands: Commands, event: Recorded[WhereaboutsTold]) -> None:
    """They live elsewhere."""
    await known(commands, event, whereabouts, PATIENCE)
    await move(commands, thing=event.data.whereabouts)


@moving_visits.on(VisitPlanned)
async def planned(commands: Commands, event: Recorded[VisitPlanned]) -> None:
    """What it comes from may have been told before the map was redrawn."""
    await move(commands, visit=event.data.visit)


@moving_visits.on(VisitGridChanged)
async def grid_changed(commands: Commands, event: Recorded[VisitGridChanged]) -> None:
    """It may have been redrawn again meanwhile."""
    await move(commands, visit=event.data.visit)


async def move(commands: Commands, *, visit: str | None = None, thing: str | None = None) -> None:
    """Moves the open visits that lie elsewhere: all, this one, or those to this person, unit or building."""
    await commands.caught_up(visit_board, PATIENCE)
    for id_, grid in await elsewhere(commands.db, visit=visit, thing=thing):
        # A second run may find others: keys by their number would mistake one for the other.
        key = Key(f"{commands.key_seed}:visit:{id_}:{grid}")
        await commands.execute(VISIT, id_, MoveTo(grid, commands.clock()), key=key)
