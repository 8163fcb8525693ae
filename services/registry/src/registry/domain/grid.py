"""A grid (网格): the area that a team looks after.

That no two grids overlap concerns all of them: `ground.overlapping` says it, and whoever draws grids asks it before.
"""

from collections.abc import Sequence

from contracts.registry import GridDrawn, GridFacts, GridRedrawn
from events import Aggregate, Event

from registry.domain.entry import Register, entered, latest
from registry.domain.ground import check_boundary


def decide(known: GridFacts | None, command: Register[GridFacts]) -> Sequence[Event]:
    """Its boundary and name."""
    check_boundary(command.facts.boundary)
    return entered(known, command.facts, GridDrawn, GridRedrawn)


GRID = Aggregate("grid", None, decide, latest, (GridDrawn, GridRedrawn))
