"""The territory: the grids on the map, the standard addresses (标准地址), and which address lies in which grid.

They are one read model, for a redrawn map changes both at the same moment: nobody sees an address between two grids. A
place on the border of two grids belongs to the one whose code comes first, so that the answer is always the same.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from contracts.common import Place
from contracts.registry import (
    AddressChanged,
    AddressFacts,
    AddressRegistered,
    GridDrawn,
    GridFacts,
    GridRedrawn,
    MapRedrawn,
)
from events import Batch, Connection, Database, ReadModel, Recorded

from registry.domain.address import written
from registry.domain.grid_map import WHOLE
from registry.domain.ground import Ring

MICRO = 1_000_000
"""Points and polygons in Postgres are kept in millionths of a degree: it takes two products of differences for equal if
they differ by less than 0.000001, which in degrees puts places on a border that is many metres away."""

BUILDING_OF = "regexp_replace(a.written, '([0-9A-Za-z]+单元.*|[^幢号]*室)$', '')"
"""SQL: of an address `a` as it is written, what goes as far as its building."""

territory = ReadModel(
    "territory",
    tables="""
    create table grid (
        code text collate "C" primary key,
        map text not null,
        division_code text,
        title_zh text not null,
        title_en text not null,
        boundary json not null, -- degrees
        ground polygon not null -- millionths
    );
    create index grid_ground on grid using gist (ground);
    create table address (
        id text collate "C" primary key,
        grid text collate "C",
        division_code text not null,
        written text not null,
        longitude double precision not null,
        latitude double precision not null,
        place point not null -- millionths of a degree, as the grids' ground
    );
    create index address_grid on address (grid, id);
    create index address_place on address using gist (place);
    """,
)

# Who enters an address looks at the grids, and who draws grids looks at the addresses: one after the other, or an
# address that comes in meanwhile keeps the grid that it had lain in. Readers do not wait.
ONE_AT_A_TIME = "lock table grid in share row exclusive mode"

# The index serves "contains this box" and not "contains this point" (GiST on polygon), so both are asked.
AT = """(select min(g.code) from grid g
         where g.ground @> polygon(box({place}, {place})) and g.ground @> {place})"""


async def _put(db: Connection, events: Batch[AddressFacts]) -> None:
    places = events.column("place")
    await db.execute(ONE_AT_A_TIME)
    await db.execute(
        f"""insert into address (id, grid, division_code, written, longitude, latitude, place)
            select id, {AT.format(place="place")}, division_code, written, x, y, place
            from (
                select distinct on (id) id, division_code, written, x, y, point(x * $6, y * $6) as place
                from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[])
                     with ordinality as a(id, division_code, written, x, y, nth)
                order by id, nth desc
            ) new
            on conflict (id) do update set grid = excluded.grid, division_code = excluded.division_code,
                written = excluded.written, longitude = excluded.longitude, latitude = excluded.latitude,
                place = excluded.place""",  # noqa: S608
        events.column("address"),
        events.column("division_code"),
        [written(event.data) for event in events],
        [place.longitude for place in places],
        [place.latitude for place in places],
        float(MICRO),
    )


@territory.on(AddressRegistered)
async def registered(db: Connection, events: Batch[AddressRegistered]) -> None:
    """An address that was not there before."""
    await _put(db, events)


@territory.on(AddressChanged)
async def changed(db: Connection, events: Batch[AddressChanged]) -> None:
    """It is written differently, or lies elsewhere."""
    await _put(db, events)


async def _draw(db: Connection, map_: str, drawn: Sequence[GridFacts], given_up: Sequence[str] = ()) -> None:
    await db.execute(ONE_AT_A_TIME)
    await db.execute("delete from grid where code = any($1::text[])", given_up)
    await db.execute(
        """insert into grid (code, map, division_code, title_zh, title_en, boundary, ground)
           select code, $1, division_code, zh, en, boundary::json, ground::polygon
           from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
                as g(code, division_code, zh, en, boundary, ground)
           on conflict (code) do update set map = excluded.map, division_code = excluded.division_code,
               title_zh = excluded.title_zh, title_en = excluded.title_en, boundary = excluded.boundary,
               ground = excluded.ground""",
        map_,
        [it.grid for it in drawn],
        [it.division_code for it in drawn],
        [it.title.zh for it in drawn],
        [it.title.en for it in drawn],
        [orjson.dumps(it.boundary).decode() for it in drawn],
        [polygon(it.boundary) for it in drawn],
    )
    await db.execute(
        f"""update address a set grid = now.code
            from (
                select id, {AT.format(place="place")} as code from address
                where grid = any($1::text[])
                   or id in (select b.id from grid g join address b on b.place <@ g.ground
                             where g.code = any($2::text[]))
            ) now
            where a.id = now.id and a.grid is distinct from now.code""",  # noqa: S608
        [*(it.grid for it in drawn), *given_up],
        [it.grid for it in drawn],
    )


def polygon(ring: Ring) -> str:
    """A boundary as Postgres reads polygons, in millionths of a degree."""
    return f"({','.join(f'({x * MICRO!r},{y * MICRO!r})' for x, y in ring)})"


@territory.each(MapRedrawn)
async def redrawn(db: Connection, event: Recorded[MapRedrawn]) -> None:
    """Grids look different, all at once; what lies in them follows."""
    await _draw(db, event.data.map, event.data.drawn, event.data.given_up)


@territory.each(GridDrawn)
async def grid_drawn(db: Connection, event: Recorded[GridDrawn]) -> None:
    """A grid of the time when each was drawn by itself."""
    await _draw(db, event.data.division_code or WHOLE, [event.data])


@territory.each(GridRedrawn)
async def grid_redrawn(db: Connection, event: Recorded[GridRedrawn]) -> None:
    """The same, drawn anew."""
    await _draw(db, event.data.division_code or WHOLE, [event.data])


async def grids_at(db: Database, places: Sequence[Place]) -> list[str | None]:
    """The code of the grid that each place lies in; none where there is no grid."""
    rows = await db.fetch(
        f"""select {AT.format(place="point(p.x, p.y)")} as code
            from unnest($1::float8[], $2::float8[]) with ordinality as p(x, y, nth) order by nth""",  # noqa: S608
        [place.longitude * MICRO for place in places],
        [place.latitude * MICRO for place in places],
    )
    return [row["code"] for row in rows]


async def boundaries(db: Database) -> dict[str, Ring]:
    """The boundary of each grid, by code."""
    rows = await db.fetch("select code, boundary::text from grid order by code")
    return {row["code"]: [(x, y) for x, y in orjson.loads(row["boundary"])] for row in rows}


async def grids_of(db: Database, maps: Iterable[str]) -> dict[str, str]:
    """The grids of these maps by code, and which map each is on."""
    rows = await db.fetch("select code, map from grid where map = any($1::text[]) order by code", list(maps))
    return {row["code"]: row["map"] for row in rows}


async def maps_of(db: Database, codes: Sequence[str]) -> dict[str, str]:
    """The map that each of these grids is on, of those that there are."""
    rows = await db.fetch("select code, map from grid where code = any($1::text[])", codes)
    return {row["code"]: row["map"] for row in rows}


async def maps_of_divisions(db: Database, divisions: Sequence[str]) -> dict[str, str]:
    """The map on which the grids of each of these communities are ('' where there is only one), if there are any."""
    rows = await db.fetch(
        """select coalesce(division_code, '') as division, min(map) as map from grid
           where coalesce(division_code, '') = any($1::text[]) group by 1""",
        divisions,
    )
    return {row["division"]: row["map"] for row in rows}


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


async def grid(db: Database, code: str) -> GridFacts | None:
    """A grid as it is now."""
    row = await db.fetchrow(
        "select code, title_zh, title_en, boundary::text, division_code from grid where code = $1", code
    )
    if row is None:
        return None
    return GridFacts.model_validate(
        {
            "grid": row["code"],
            "title": {"zh": row["title_zh"], "en": row["title_en"]},
            "boundary": orjson.loads(row["boundary"]),
            "division_code": row["division_code"],
        }
    )


async def known_grids(db: Database, codes: Sequence[str]) -> set[str]:
    """Those of the codes that name a grid."""
    return {row["code"] for row in await db.fetch("select code from grid where code = any($1::text[])", codes)}


async def known_addresses(db: Database, ids: Sequence[str]) -> set[str]:
    """Those of the ids that name an address."""
    return {row["id"] for row in await db.fetch("select id from address where id = any($1::text[])", ids)}


async def page(db: Database, grid: str | None, after: str, limit: int) -> list[Any]:
    """Addresses by id, of one grid if it is named: one more than `limit`, if there are more."""
    return await db.fetch(
        """select id, grid, division_code, written, longitude, latitude from address
           where ($1::text is null or grid = $1) and id > $2 order by id limit $3 + 1""",
        grid,
        after,
        limit,
    )
