"""The map of a community (网格图): its grids, drawn together, so that nobody ever sees half of a redrawing.

That grids of one map do not overlap, nor those of another, and leave no gap, concerns more than one map: `ground` says
it, and whoever draws asks it before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from contracts.registry import GridDrawn, GridFacts, GridRedrawn, MapGrid, MapRedrawn
from events import Aggregate, Event

from registry.domain.entry import latest
from registry.domain.ground import check_boundary

WHOLE = "all"
"""The map where there is only one community."""


@dataclass(frozen=True, slots=True)
class Map:
    """The grids by code."""

    grids: Mapping[str, MapGrid] = field(default_factory=dict[str, MapGrid])


@dataclass(frozen=True, slots=True)
class Draw:
    """These grids look like this, and those are no more, from a day on. What is not named stays."""

    map: str
    grids: Sequence[MapGrid]
    given_up: frozenset[str] = frozenset()
    since: date | None = None


def decide(known: Map, command: Draw) -> Sequence[Event]:
    """One event for all that differs, or none. Raises Fault."""
    for grid in command.grids:
        check_boundary(grid.boundary)
    drawn = tuple(grid for grid in command.grids if not _same(known.grids.get(grid.grid), grid))
    if not drawn and not command.given_up:
        return []
    return [
        MapRedrawn(map=command.map, drawn=drawn, given_up=tuple(sorted(command.given_up)), since=command.since),
    ]


def _same(known: MapGrid | None, grid: MapGrid) -> bool:
    return known is not None and known.model_copy(update={"took_from": grid.took_from}) == grid


def evolve(known: Map, event: Event) -> Map:
    """The map after an event."""
    if not isinstance(event, MapRedrawn):
        return known
    stay = {code: grid for code, grid in known.grids.items() if code not in event.given_up}
    return Map({**stay, **{grid.grid: grid for grid in event.drawn}})


MAP = Aggregate("map", Map(), decide, evolve, (MapRedrawn,))


def _no_more(known: GridFacts | None, command: Draw) -> Sequence[Event]:
    raise TypeError("grids are drawn together, on a map")


GRID = Aggregate("grid", None, _no_more, latest, (GridDrawn, GridRedrawn))
"""Streams of the time when each grid was drawn by itself: read still, and never written."""
