"""Which grid (网格) a place lies in, from the registry's grids.

A place on the line between two grids belongs to the one whose code comes first, so that the answer is always the same.
"""

from collections.abc import Sequence

from contracts.common import Place
from contracts.registry import GridDrawn, GridFacts, GridRedrawn, MapRedrawn
from events import Batch, Connection, Database, ReadModel, Recorded

from grid_tasks.domain.ground import inner_point

MICRO = 1_000_000
"""Boundaries are kept in millionths of a degree. Postgres takes differences below 0.000001 for none, in products of
coordinates too: in degrees, that puts places on a border that is many metres away."""

grids = ReadModel(
    "grids",
    tables="""
    create table grid_area (
        grid text primary key,
        boundary polygon not null -- millionths of a degree
    );
    create index grid_area_boundary on grid_area using gist (boundary);
    """,
)

HERE = "point($1, $2)"


def _grid_at(point: str) -> str:
    """SQL for the grid that this point lies in. GiST serves polygon @> polygon but not polygon @> point: the first
    condition finds, the second is exact."""
    return f"""(
        select grid from grid_area where boundary @> polygon(box({point}, {point})) and boundary @> {point}
        order by grid limit 1
    )"""  # noqa: S608


def grid_now_of(point: str, grid: str) -> str:
    """SQL for the grid of a point that was in `grid` (empty: in none): where it lies; if in no grid, `grid` as long as
    there is one of that code; if that was given up, the nearest."""
    return f"""coalesce(
        {_grid_at(point)},
        (select {grid} where {grid} = '' or exists (select from grid_area a where a.grid = {grid})),
        (select grid from grid_area order by boundary <-> {point}, grid limit 1),
        {grid}
    )"""  # noqa: S608


@grids.each(MapRedrawn)
async def map_redrawn(db: Connection, event: Recorded[MapRedrawn]) -> None:
    """All grids that change do so at once."""
    await db.execute("delete from grid_area where grid = any($1::text[])", event.data.given_up)
    await _set(db, event.data.drawn)


@grids.on(GridDrawn)
async def drawn(db: Connection, events: Batch[GridDrawn]) -> None:
    await _set(db, [event.data for event in events])


@grids.on(GridRedrawn)
async def redrawn(db: Connection, events: Batch[GridRedrawn]) -> None:
    await _set(db, [event.data for event in events])


async def _set(db: Connection, drawn: Sequence[GridFacts]) -> None:
    await db.execute(
        """insert into grid_area (grid, boundary)
           select distinct on (grid) grid, boundary::polygon
           from unnest($1::text[], $2::text[]) with ordinality as new (grid, boundary, place)
           order by grid, place desc
           on conflict (grid) do update set boundary = excluded.boundary""",
        [it.grid for it in drawn],
        [_polygon(it.boundary) for it in drawn],
    )


def _polygon(ring: list[tuple[float, float]]) -> str:
    return f"({','.join(f'({longitude * MICRO!r},{latitude * MICRO!r})' for longitude, latitude in ring)})"


GRID_AT = f"select {_grid_at(HERE)}"


async def grid_at(db: Database, place: Place) -> str | None:
    """The code of the grid that the place lies in; None if it lies in none that is known."""
    return await db.fetchval(GRID_AT, place.longitude * MICRO, place.latitude * MICRO)


GRID_NOW = f"select {grid_now_of(HERE, '$3::text')}"


async def grid_now(db: Database, place: Place, grid: str) -> str:
    """The grid of a place that was in `grid` (empty: in none). One that lies in no grid stays where the desk put it; if
    that grid was given up, it is the nearest one's."""
    return await db.fetchval(GRID_NOW, place.longitude * MICRO, place.latitude * MICRO, grid)


async def somewhere_in(db: Database, grid: str) -> Place | None:
    """A place in this grid, always the same as long as it is not redrawn; None if there is no such grid."""
    boundary = await db.fetchval("select boundary from grid_area where grid = $1", grid)
    return inner_point([(x / MICRO, y / MICRO) for x, y in boundary]) if boundary else None


async def known_grid(db: Database, grid: str) -> bool:
    """Whether there is such a grid now."""
    return await db.fetchval("select exists (select from grid_area where grid = $1)", grid)


async def any_grid(db: Database) -> bool:
    """Whether the registry has told of any grid yet."""
    return await db.fetchval("select exists (select from grid_area)")
