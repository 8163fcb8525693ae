"""Drawing grids from a file: all of a community at the same moment, no ground twice, and none left out."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, cast

from contracts.registry import MapGrid, MapRedrawn
from events import Commands, Done, Token

from registry.domain.faults import Fault, Why
from registry.domain.grid_map import MAP, WHOLE, Draw
from registry.domain.ground import Ring, gaps, overlapping, took_from
from registry.importing.entering import Read, Tally, message
from registry.read_models.territory import boundaries, grids_of, maps_of, maps_of_divisions


@dataclass
class Drawing:
    """A file of grids on its way onto the map. `whole`: the file has all grids of its communities, and those that it
    does not name are given up. `gaps_allowed`: ground may be left out. `since`: the day from which it holds."""

    commands: Commands
    read: Sequence[Read]
    whole: bool = False
    gaps_allowed: bool = False
    since: date | None = None
    tally: Tally = field(default_factory=Tally)

    async def run(self) -> AsyncIterator[dict[str, Any]]:
        """Draws everything; gives a message for each grid that cannot be, and one at the end."""
        faults = {number: it for number, it in self.read if isinstance(it, Fault)}
        numbers = {it.id: number for number, it in self.read if not isinstance(it, Fault)}
        grids = {it.id: cast(MapGrid, it.facts) for _, it in self.read if not isinstance(it, Fault)}
        plan = await self._planned(grids)
        faults |= {numbers.get(code, 0): fault for code, fault in plan.faults.items()}
        for number in sorted(faults):
            yield message(number, faults[number])
        token = await self._draw(plan)
        self.tally.rows = len(self.read)
        self.tally.refused = len([number for number in faults if number])
        yield {"done": asdict(self.tally), "consistency_token": str(token) if token else None}

    async def _planned(self, grids: Mapping[str, MapGrid]) -> "Plan":
        db = self.commands.db
        standing = await boundaries(db)
        maps = await self._maps(grids)
        neighbours = await grids_of(db, maps.values())
        given_up = {code for code in neighbours if self.whole and code not in grids}
        in_the_way = {code: ring for code, ring in standing.items() if code not in given_up}
        overlaps = overlapping({code: it.boundary for code, it in grids.items()}, in_the_way)
        faults = {code: Fault("boundary", Why.OVERLAP, where) for code, where in overlaps.items()}
        drawn = {code: it for code, it in grids.items() if code not in faults}
        plan = Plan(drawn, given_up, maps | neighbours, standing, faults)
        return plan if self.gaps_allowed else plan.without_gaps()

    async def _maps(self, grids: Mapping[str, MapGrid]) -> dict[str, str]:
        """The map of each grid: where it stands, or else where the others of its community do."""
        standing = await maps_of(self.commands.db, list(grids))
        divisions = {it.division_code or "" for it in grids.values()}
        others = await maps_of_divisions(self.commands.db, sorted(divisions))
        return {
            code: standing.get(code) or others.get(it.division_code or "") or it.division_code or WHOLE
            for code, it in grids.items()
        }

    async def _draw(self, plan: "Plan") -> Token | None:
        origins = took_from({code: it.boundary for code, it in plan.drawn.items()}, plan.standing)
        drawn = {code: replace_origin(it, origins[code]) for code, it in plan.drawn.items()}
        commands = {
            map_: Draw(
                map_,
                [it for code, it in drawn.items() if plan.maps[code] == map_],
                frozenset(code for code in plan.given_up if plan.maps[code] == map_),
                self.since,
            )
            for map_ in sorted({plan.maps[code] for code in (*drawn, *plan.given_up)})
        }
        token: Token | None = None
        redrawn: set[str] = set()
        for answer in (await self.commands.execute_many(MAP, commands)).values():
            if not isinstance(answer, Done):
                raise answer
            token = answer.token or token
            redrawn |= {it.grid for event in answer.events if isinstance(event, MapRedrawn) for it in event.drawn}
        self.tally.registered = len([code for code in redrawn if code not in plan.standing])
        self.tally.changed = len(redrawn) - self.tally.registered
        self.tally.unchanged = len(drawn) - len(redrawn)
        return token


@dataclass(frozen=True)
class Plan:
    """What is to be drawn and given up, by code, and what stands before; `maps` says which map each grid is on."""

    drawn: Mapping[str, MapGrid]
    given_up: set[str]
    maps: Mapping[str, str]
    standing: Mapping[str, Ring]
    faults: Mapping[str, Fault]

    def without_gaps(self) -> "Plan":
        """The same, if nothing is left out; else nothing moves, and each grid that would have says where the gap is."""
        moved = {code: it.boundary for code, it in self.drawn.items() if list(it.boundary) != self.standing.get(code)}
        if not moved and not self.given_up:
            return self
        former = {code: self.standing[code] for code in (*moved, *self.given_up) if code in self.standing}
        staying = {code: self.standing[code] for code in self.maps if code in self.standing and code not in former}
        if not (found := gaps(moved, former, staying)):
            return self
        where = {"type": "GeometryCollection", "geometries": found}
        faults = {code: Fault("boundary", Why.GAP, where) for code in (*moved, *self.given_up)}
        drawn = {code: it for code, it in self.drawn.items() if code not in moved}
        return replace(self, drawn=drawn, given_up=set(), faults={**self.faults, **faults})


def replace_origin(grid: MapGrid, origins: tuple[str, ...]) -> MapGrid:
    """The same grid, saying whose ground it took."""
    return grid.model_copy(update={"took_from": origins})
