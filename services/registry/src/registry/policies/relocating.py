"""When a grid is drawn anew, the addresses in it, and those no longer in it, say so.

Everything that asks for the grid of a person, a household or a unit asks its address.
"""

from contracts.registry import GridDrawn, GridFacts, GridRedrawn
from events import Commands, Policy, Recorded

from registry.domain.address import ADDRESS, Locate
from registry.read_models.addresses import addresses, misplaced
from registry.read_models.grids import grids

CHUNK = 500
PATIENCE = 60.0
"""Seconds to wait for the read models that say what lies where."""

relocating = Policy("relocating")


async def _relocate(commands: Commands, grid: str) -> None:
    await commands.caught_up(grids, PATIENCE)
    await commands.caught_up(addresses, PATIENCE)
    after = ""
    while found := await misplaced(commands.db, grid, after, CHUNK):
        await commands.execute_many(ADDRESS, {id_: Locate(grid) for id_, grid in found})
        after = found[-1][0]


@relocating.on(GridDrawn)
async def drawn(commands: Commands, event: Recorded[GridFacts]) -> None:
    """A new grid takes in what lies in it."""
    await _relocate(commands, event.data.grid)


@relocating.on(GridRedrawn)
async def redrawn(commands: Commands, event: Recorded[GridFacts]) -> None:
    """Others may lie in it now."""
    await _relocate(commands, event.data.grid)
