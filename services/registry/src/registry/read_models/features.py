"""Grids, buildings and units as they lie on the map, for OGC API - Features: read from the registers' own tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from events import Database

from registry.read_models.territory import MICRO

COUNTED = 10_000
"""Beyond, how many there are is not said: counting would cost more than answering."""

Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""


@dataclass(frozen=True)
class Layer:
    """One kind of feature: its tables, and SQL for its id, what is told of it, its geometry (GeoJSON) and its grid.
    `within` is true of what touches the box $1, in millionths of a degree; `extent` gives a box over everything."""

    tables: str
    id: str
    properties: str
    geometry: str
    grid: str
    within: str
    extent: str
    only: str = "true"
    """Which of them are shown."""


POINT = "json_build_object('type', 'Point', 'coordinates', json_build_array(a.longitude, a.latitude))::text"
POINTS = "min(a.longitude), min(a.latitude), max(a.longitude), max(a.latitude)"

LAYERS = {
    "grids": Layer(
        tables="grid g",
        id="g.code",
        properties="json_build_object('code', g.code, 'name_zh', g.title_zh, 'name_en', g.title_en)::text",
        geometry="json_build_object('type', 'Polygon', 'coordinates', json_build_array(g.boundary))::text",
        grid="g.code",
        within="g.ground && polygon($1::box)",
        extent="""min(((box(g.ground))[1])[0]) / 1e6, min(((box(g.ground))[1])[1]) / 1e6,
                  max(((box(g.ground))[0])[0]) / 1e6, max(((box(g.ground))[0])[1]) / 1e6""",
    ),
    "buildings": Layer(
        tables="building b join address a on a.id = b.address",
        id="b.id",
        properties="""json_build_object('name', b.name, 'kind', b.kind, 'floors', b.floors, 'built_year', b.built_year,
                                        'address', a.written, 'grid', a.grid)::text""",
        geometry=POINT,
        grid="a.grid",
        within="a.place <@ $1::box",
        extent=POINTS,
    ),
    "units": Layer(
        tables="unit u join address a on a.id = u.address",
        id="u.id",
        properties="""json_build_object('name', u.name, 'category', u.category, 'address', a.written,
                                        'grid', a.grid)::text""",
        geometry=POINT,
        grid="a.grid",
        within="a.place <@ $1::box",
        extent=POINTS,
        only="not u.closed",
    ),
}


def _where(layer: Layer) -> str:
    reach = f"($2::text[] is null or coalesce({layer.grid}, '') = any($2))"
    return f"{layer.only} and ($1::box is null or {layer.within}) and {reach}"


def _box(box: Box | None) -> Any:
    """As asyncpg gives it to Postgres."""
    return box and ((box[2] * MICRO, box[3] * MICRO), (box[0] * MICRO, box[1] * MICRO))


async def features(
    db: Database, layer: Layer, reach: Sequence[str] | None, box: Box | None, after: str, limit: int
) -> list[Any]:
    """Id, properties and geometry, the last two as JSON, by id, within the grids of `reach` (None: everywhere): one
    more than `limit`, if there are more."""
    return await db.fetch(
        f"""select {layer.id} as id, {layer.properties} as properties, {layer.geometry} as geometry
            from {layer.tables} where {_where(layer)} and {layer.id} > $3 order by 1 limit $4 + 1""",  # noqa: S608
        _box(box),
        reach,
        after,
        limit,
    )


async def feature(db: Database, layer: Layer, reach: Sequence[str] | None, id: str) -> Any | None:
    """One by its id; None if there is none within reach."""
    return await db.fetchrow(
        f"""select {layer.id} as id, {layer.properties} as properties, {layer.geometry} as geometry
            from {layer.tables} where {_where(layer)} and {layer.id} = $3""",  # noqa: S608
        None,
        reach,
        id,
    )


async def matched(db: Database, layer: Layer, reach: Sequence[str] | None, box: Box | None) -> int | None:
    """How many there are; None if more than COUNTED."""
    count = await db.fetchval(
        f"""select count(*) from (select 1 from {layer.tables} where {_where(layer)} limit $3) counted""",  # noqa: S608
        _box(box),
        reach,
        COUNTED + 1,
    )
    return count if count <= COUNTED else None


async def extent(db: Database, layer: Layer, reach: Sequence[str] | None) -> Box | None:
    """The box that holds all that is within reach; None if there is nothing."""
    row = await db.fetchrow(
        f"select {layer.extent} from {layer.tables} where {_where(layer)}",  # noqa: S608
        None,
        reach,
    )
    return None if row is None or row[0] is None else (row[0], row[1], row[2], row[3])
