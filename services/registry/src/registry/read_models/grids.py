"""The grids on the map: which grid a place lies in.

A place on the border of two grids belongs to the one whose code comes first, so that the answer is always the same.
"""

from collections.abc import Sequence

import orjson
from contracts.common import Place
from contracts.registry import GridDrawn, GridFacts, GridRedrawn
from events import Batch, Connection, Database, ReadModel

from registry.domain.ground import Ring

MICRO = 1_000_000
"""Points and polygons in Postgres are kept in millionths of a degree: it takes two products of differences for equal if
they differ by less than 0.000001, which in degrees puts places on a border that is many metres away."""

grids = ReadModel(
    "grids",
    tables="""
    create table grid (
        code text collate "C" primary key,
        title_zh text not null,
        title_en text not null,
        boundary json not null, -- degrees
        ground polygon not null -- millionths
    );
    create index grid_ground on grid using gist (ground);
    """,
)


async def _put(db: Connection, events: Batch[GridFacts]) -> None:
    titles, boundaries = events.column("title"), events.column("boundary")
    await db.execute(
        """insert into grid (code, title_zh, title_en, boundary, ground)
           select distinct on (code) code, zh, en, boundary::json, ground::polygon
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                with ordinality as g(code, zh, en, boundary, ground, nth)
           order by code, nth desc
           on conflict (code) do update set title_zh = excluded.title_zh, title_en = excluded.title_en,
               boundary = excluded.boundary, ground = excluded.ground""",
        events.column("grid"),
        [title.zh for title in titles],
        [title.en for title in titles],
        [orjson.dumps(boundary).decode() for boundary in boundaries],
        [f"({','.join(f'({x * MICRO!r},{y * MICRO!r})' for x, y in boundary)})" for boundary in boundaries],
    )


@grids.on(GridDrawn)
async def drawn(db: Connection, events: Batch[GridDrawn]) -> None:
    """A grid appears on the map."""
    await _put(db, events)


@grids.on(GridRedrawn)
async def redrawn(db: Connection, events: Batch[GridRedrawn]) -> None:
    """It has another boundary or name."""
    await _put(db, events)


# The index serves "contains this box" and not "contains this point" (GiST on polygon), so both are asked.
AT = """
select p.nth, min(g.code) as code
from unnest($1::float8[], $2::float8[]) with ordinality as p(x, y, nth)
join grid g on g.ground @> polygon(box(point(p.x, p.y), point(p.x, p.y))) and g.ground @> point(p.x, p.y)
group by p.nth"""


async def grids_at(db: Database, places: Sequence[Place]) -> list[str | None]:
    """The code of the grid that each place lies in; none where there is no grid."""
    found = await db.fetch(
        AT, [place.longitude * MICRO for place in places], [place.latitude * MICRO for place in places]
    )
    codes = {row["nth"]: row["code"] for row in found}
    return [codes.get(nth) for nth in range(1, len(places) + 1)]


async def boundaries(db: Database) -> dict[str, Ring]:
    """The boundary of each grid, by code."""
    rows = await db.fetch("select code, boundary::text from grid order by code")
    return {row["code"]: [(x, y) for x, y in orjson.loads(row["boundary"])] for row in rows}


async def features(db: Database) -> list[dict[str, object]]:
    """All grids as GeoJSON features, by code."""
    rows = await db.fetch("select code, title_zh, title_en, boundary::text from grid order by code")
    return [
        {
            "type": "Feature",
            "id": row["code"],
            "properties": {"code": row["code"], "name_zh": row["title_zh"], "name_en": row["title_en"]},
            "geometry": {"type": "Polygon", "coordinates": [orjson.loads(row["boundary"])]},
        }
        for row in rows
    ]


async def known(db: Database, codes: Sequence[str]) -> set[str]:
    """Those of the codes that name a grid."""
    return {row["code"] for row in await db.fetch("select code from grid where code = any($1::text[])", codes)}
