"""A register as it stands at one moment, row by row: from one snapshot of Postgres, however long the reading takes."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from events import Pool, Position, ReadModel
from events.event import START
from events.progress import OWN

from registry.read_models.address_names import address_names
from registry.read_models.buildings import buildings
from registry.read_models.duties import duties
from registry.read_models.households import households
from registry.read_models.people import HERE, people
from registry.read_models.roster import roster
from registry.read_models.territory import territory
from registry.read_models.units import units

Kind = Literal["text", "whole", "number", "day"]


@dataclass(frozen=True)
class Column:
    """A column, what it holds, and the SQL that gives it."""

    name: str
    sql: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Snapshot:
    """What is given out of a register. `grid` is the SQL of the grid that a row lies in, by which it is cut to reach;
    None where a register is the whole community's. `geometry`: GeoJSON, where the rows lie somewhere."""

    tables: str
    key: str
    columns: tuple[Column, ...]
    read_models: tuple[ReadModel, ...]
    grid: str | None = None
    geometry: str | None = None
    only: str = "true"
    """Which rows, as in the register's list: no dissolved households, no closed units, nobody who is not here."""


POINT = "json_build_object('type', 'Point', 'coordinates', json_build_array(a.longitude, a.latitude))::text"
CORNERS = "json_array_elements(g.boundary) with ordinality as corner(at, nth)"
WKT = f"(select 'POLYGON((' || string_agg((at->>0) || ' ' || (at->>1), ', ' order by nth) || '))' from {CORNERS})"  # noqa: S608
"""Well-known text, as GIS read a polygon in a table."""


def _refers(sql: str) -> str:
    """A reference as the import reads it again: see `registry.domain.references`."""
    return f"'id:' || {sql}"


AT = (Column("address", "a.written"), Column("grid_code", "a.grid"))

SNAPSHOTS = {
    "grids": Snapshot(
        "grid g",
        "g.code",
        (
            Column("code", "g.code"),
            Column("name_zh", "g.title_zh"),
            Column("name_en", "g.title_en"),
            Column("division_code", "g.division_code"),
            Column("boundary", WKT),
        ),
        (territory,),
        grid="g.code",
        geometry="json_build_object('type', 'Polygon', 'coordinates', json_build_array(g.boundary))::text",
    ),
    "addresses": Snapshot(
        "address a join address_part p on p.id = a.id",
        "a.id",
        (
            Column("address_ref", _refers("a.id")),
            *(
                Column(it, f"p.{it}")
                for it in ["division_code", "street", "number", "building", "unit", "floor", "room"]
            ),
            Column("longitude", "a.longitude", "number"),
            Column("latitude", "a.latitude", "number"),
            Column("written", "a.written"),
            Column("grid_code", "a.grid"),
        ),
        (territory, address_names),
        grid="a.grid",
        geometry=POINT,
    ),
    "buildings": Snapshot(
        "building b left join address a on a.id = b.address",
        "b.id",
        (
            Column("building_ref", _refers("b.id")),
            Column("address_ref", _refers("b.address")),
            Column("name", "b.name"),
            Column("kind", "b.kind"),
            Column("floors", "b.floors", "whole"),
            Column("built_year", "b.built_year", "whole"),
            *AT,
        ),
        (buildings, territory),
        grid="a.grid",
        geometry=POINT,
    ),
    "households": Snapshot(
        "household h left join address a on a.id = h.address",
        "h.id",
        (Column("household_ref", _refers("h.id")), Column("address_ref", _refers("h.address")), *AT),
        (households, territory),
        grid="a.grid",
        only="not h.dissolved",
    ),
    "people": Snapshot(
        "person p left join address a on a.id = p.address",
        "p.id",
        (
            Column("person", "p.id"),
            Column("name_masked", "p.name_masked"),
            Column("id_number_masked", "p.id_number_masked"),
            *(Column(it, f"p.{it}") for it in ("residency", "household", "relation")),
            Column("address_id", "p.address"),
            Column("registered_until", "p.registered_until", "day"),
            Column("grid_code", "a.grid"),
        ),
        (people, territory),
        grid="a.grid",
        only=HERE,
    ),
    "units": Snapshot(
        "unit u left join address a on a.id = u.address",
        "u.id",
        (
            Column("unit_ref", _refers("u.id")),
            Column("name", "u.name"),
            Column("category", "u.category"),
            Column("address_ref", _refers("u.address")),
            Column("credit_code", "u.credit_code"),
            *AT,
        ),
        (units, territory),
        grid="a.grid",
        only="not u.closed",
        geometry=POINT,
    ),
    "roster": Snapshot(
        "member m",
        "m.id",
        (
            Column("member_ref", "m.id"),
            Column("name", "m.name"),
            Column("post", "m.post"),
            Column("grid_code", "m.grid"),
        ),
        (roster,),
        grid="m.grid",
    ),
    "duties": Snapshot(
        "duty d",
        "d.category",
        (
            Column("category", "d.category"),
            *(Column(it, f"d.{it}") for it in ["title_zh", "title_en", "department_zh", "department_en"]),
            Column("grid_duty", "case when d.grid_duty then 'yes' else 'no' end"),
            Column("deadline_minutes", "d.deadline_minutes", "whole"),
            *(Column(it, f"d.{it}") for it in ["standard_zh", "standard_en", "legal_basis"]),
            *(Column(it, f"d.{it}") for it in ["clock", "role", "skills"]),
            *(Column(it, f"d.{it}", "whole") for it in ["photos", "weight", "look_percent"]),
            Column("urgent", "case when d.urgent then 'yes' else 'no' end"),
            Column("rule", "d.rule"),
        ),
        (duties,),
    ),
}
"""By register. Nothing personal is in the open: names of people and their numbers are masked, contacts left out."""


@dataclass
class Reading:
    """A snapshot that is being read. Every event up to `position` is in it."""

    position: Position
    _db: Any
    _query: str
    _reach: Sequence[str] | None

    async def batches(self, size: int) -> AsyncGenerator[list[tuple[Any, ...]]]:
        """The rows, by id, so many at a time; the geometry is the last thing in each."""
        cursor = await self._db.cursor(self._query, self._reach)
        while rows := await cursor.fetch(size):
            yield [tuple(row) for row in rows]


@asynccontextmanager
async def reading(pool: Pool, snapshot: Snapshot, reach: Sequence[str] | None) -> AsyncGenerator[Reading]:
    """One moment of the register, as long as this lasts; within the grids of `reach` (None: everywhere)."""
    cut = f"coalesce({snapshot.grid}, '') = any($1)" if snapshot.grid else "true"
    columns = ", ".join(f"{it.sql} as {it.name}" for it in snapshot.columns)
    query = f"""select {columns}, {snapshot.geometry or "null"} as geometry
                from {snapshot.tables} where {snapshot.only} and ($1::text[] is null or {cut})
                order by {snapshot.key}"""  # noqa: S608
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        yield Reading(await _position(db, snapshot.read_models), db, query, reach)


async def _position(db: Any, read_models: Sequence[ReadModel]) -> Position:
    """How far all of these have come: the least of them."""
    rows = await db.fetch(
        "select incarnation, tx, position from log.progress where consumer = any($1::text[]) and source = $2",
        [it.schema for it in read_models],
        OWN,
    )
    return min((Position(*row) for row in rows), default=START) if len(rows) == len(read_models) else START
