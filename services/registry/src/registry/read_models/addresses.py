"""Standard addresses (标准地址) as one writes them, where they lie, and in which grid."""

from collections.abc import Sequence
from typing import Any

from contracts.registry import AddressChanged, AddressFacts, AddressRegistered
from events import Batch, Connection, Database, ReadModel

from registry.domain.address import written
from registry.read_models.grids import MICRO

addresses = ReadModel(
    "addresses",
    tables="""
    create table address (
        id text collate "C" primary key,
        grid text,
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


async def _put(db: Connection, events: Batch[AddressFacts]) -> None:
    places = events.column("place")
    await db.execute(
        """insert into address (id, grid, division_code, written, longitude, latitude, place)
           select distinct on (id) id, grid, division_code, written, x, y, point(x * $7, y * $7)
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[])
                with ordinality as a(id, grid, division_code, written, x, y, nth)
           order by id, nth desc
           on conflict (id) do update set grid = excluded.grid, division_code = excluded.division_code,
               written = excluded.written, longitude = excluded.longitude, latitude = excluded.latitude,
               place = excluded.place""",
        events.column("address"),
        events.column("grid"),
        events.column("division_code"),
        [written(event.data) for event in events],
        [place.longitude for place in places],
        [place.latitude for place in places],
        float(MICRO),
    )


@addresses.on(AddressRegistered)
async def registered(db: Connection, events: Batch[AddressRegistered]) -> None:
    """An address that was not there before."""
    await _put(db, events)


@addresses.on(AddressChanged)
async def changed(db: Connection, events: Batch[AddressChanged]) -> None:
    """It is written differently, or lies in another grid."""
    await _put(db, events)


async def page(db: Database, grid: str | None, after: str, limit: int) -> list[Any]:
    """Addresses by id, of one grid if it is named: one more than `limit`, if there are more."""
    return await db.fetch(
        """select id, grid, division_code, written, longitude, latitude from address
           where ($1::text is null or grid = $1) and id > $2 order by id limit $3 + 1""",
        grid,
        after,
        limit,
    )


async def known(db: Database, ids: Sequence[str]) -> set[str]:
    """Those of the ids that name an address."""
    return {row["id"] for row in await db.fetch("select id from address where id = any($1::text[])", ids)}


async def misplaced(db: Database, grid: str, after: str, limit: int) -> list[tuple[str, str | None]]:
    """The next addresses by id that lie in this grid or say so, and are wrong about theirs; with the right one."""
    rows = await db.fetch(
        """select a.id, now.code from address a
           left join lateral (
               select min(g.code) as code from grid g
               where g.ground @> polygon(box(a.place, a.place)) and g.ground @> a.place
           ) now on true
           where (a.grid = $1 or a.place <@ (select ground from grid where code = $1))
             and a.grid is distinct from now.code and a.id > $2
           order by a.id limit $3""",
        grid,
        after,
        limit,
    )
    return [(row["id"], row["code"]) for row in rows]
