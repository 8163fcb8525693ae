"""Drawing grids from a file: all of a community at the same moment, no ground twice, and none left out."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import cast

from contracts.registry import MapGrid, MapRedrawn
from events import Commands, Done, Token

from registry.domain.faults import Fault, Why
from registry.domain.grid_map import MAP, WHOLE, Draw
from registry.domain.ground import Ring, gaps, overlapping, took_from
from registry.domain.imports import Tally
from registry.importing.entering import Change, Progress, Refusal, Told
from registry.importing.reading import Read
from registry.importing.sheets import Entry
from registry.read_models.territory import boundaries, grids_of, maps_of, maps_of_divisions


@dataclass
class Drawing:
    """A file of grids on its way onto the map. `whole`: the file has all grids of its communities, and those that it
    does not name are given up. `gaps_allowed`: ground may be left out. `holds_since`: the day from which it holds. A
    `preview` draws nothing."""

    commands: Commands
    read: Sequence[Read]
    whole: bool = False
    gaps_allowed: bool = False
    holds_since: date | None = None
    preview: bool = False
    since: Progress | None = None
    """It is drawn at once, and never broke off."""
    tally: Tally = field(default_factory=Tally)
    token: Token | None = None

    @property
    def last(self) -> int:
        """The number of the last grid."""
        return self.read[-1].line if self.read else 0

    async def run(self) -> AsyncIterator[Told]:
        """Draws everything, and tells of each grid that cannot be drawn."""
        faults = {it.line: it.said for it in self.read if isinstance(it.said, Fault)}
        entries = {it.line: it.said for it in self.read if isinstance(it.said, Entry)}
        numbers = {it.id: line for line, it in entries.items()}
        plan = await self._planned({it.id: cast(MapGrid, it.facts) for it in entries.values()})
        faults |= {numbers.get(code, 0): fault for code, fault in plan.faults.items()}
        for line in sorted(faults):
            yield Refusal(line, faults[line], ())
        redrawn = await self._draw(plan)
        first = redrawn - plan.standing.keys()
        if self.preview:
            for code in sorted(redrawn):
                yield Change(numbers[code], code in first, [] if code in first else ["boundary"])
        self.tally = Tally(
            rows=len(self.read),
            registered=len(first),
            changed=len(redrawn) - len(first),
            unchanged=len(plan.drawn) - len(redrawn),
            refused=len(faults.keys() - {0}),
        )
        yield Progress(self.last, self.last, self.tally)

    async def _planned(self, grids: Mapping[str, MapGrid]) -> "Plan":
        db = self.commands.db
        standing = await boundaries(db)
        maps = await self._maps(grids)
        neighbours = await grids_of(db, maps.values())
        given_up = {code for code in neighbours if self.whole and code not in grids}
        in_the_way = {code: ring for code, ring in standing.items() if code not in given_up}
        overlaps = overlapping({code: it.boundary for code, it in grids.items()}, in_the_way)
        faults = {code: Fault("boundary", Why.OVERLAP, where=where) for code, where in overlaps.items()}
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

    async def _draw(self, plan: "Plan") -> set[str]:
        """Draws it, and says which grids look different."""
        origins = took_from({code: it.boundary for code, it in plan.drawn.items()}, plan.standing)
        drawn = {code: _saying_whose(it, origins[code]) for code, it in plan.drawn.items()}
        commands = {
            map_: Draw(
                map_,
                [it for code, it in drawn.items() if plan.maps[code] == map_],
                frozenset(code for code in plan.given_up if plan.maps[code] == map_),
                self.holds_since,
            )
            for map_ in sorted({plan.maps[code] for code in (*drawn, *plan.given_up)})
        }
        redrawn: set[str] = set()
        for answer in (await self.commands.execute_many(MAP, commands, append=not self.preview)).values():
            if not isinstance(answer, Done):
                raise answer
            self.token = answer.token or self.token
            redrawn |= {it.grid for event in answer.events if isinstance(event, MapRedrawn) for it in event.drawn}
        return redrawn


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
        faults = {code: Fault("boundary", Why.GAP, where=where) for code in (*moved, *self.given_up)}
        drawn = {code: it for code, it in self.drawn.items() if code not in moved}
        return replace(self, drawn=drawn, given_up=set(), faults={**self.faults, **faults})


def _saying_whose(grid: MapGrid, origins: tuple[str, ...]) -> MapGrid:
    """The same grid, saying whose ground it took."""
    return grid.model_copy(update={"took_from": origins})
