"""Where and when those can be met who are to be visited: the building, and the hours. No name, no room.

From the registry, under a key that opens nothing else. Who is erased stays as a pseudonym that is to be left alone, so
that no visit planned before, and heard of after, goes to their door.
"""

from contracts.common import Place
from contracts.registry import PersonErased, WhereaboutsTold
from events import Batch, Connection, Database, ReadModel

whereabouts = ReadModel(
    "whereabouts",
    version=2,
    personal=True,
    tables="""
    create table met_at (
        thing text collate "C" primary key, -- a person or a unit
        building text not null default '', -- empty: nobody may know, or nobody knows
        longitude float,
        latitude float,
        hours text not null default '',
        grid text, -- as the registry told; empty: in none
        no_contact boolean not null default false,
        gone boolean not null default false -- erased
    );
    create index met_at_building on met_at (building);
    """,
)


@whereabouts.on(WhereaboutsTold)
async def told(db: Connection, events: Batch[WhereaboutsTold]) -> None:
    places: list[Place | None] = events.column("place")
    await db.execute(
        """insert into met_at as known (thing, building, longitude, latitude, hours, grid, no_contact)
           select distinct on (thing) thing, building, longitude, latitude, hours, coalesce(grid, ''),
                  no_contact
           from unnest($1::text[], $2::text[], $3::float[], $4::float[], $5::text[], $6::text[],
                       $7::boolean[])
                with ordinality as new (thing, building, longitude, latitude, hours, grid, no_contact, nth)
           order by thing, nth desc
           on conflict (thing) do update set building = excluded.building, longitude = excluded.longitude,
               latitude = excluded.latitude, hours = excluded.hours, grid = excluded.grid,
               no_contact = excluded.no_contact
           where not known.gone""",
        *map(events.column, ("whereabouts", "building")),
        [it and it.longitude for it in places],
        [it and it.latitude for it in places],
        *map(events.column, ("home_hours", "grid", "no_contact")),
    )


@whereabouts.on(PersonErased)
async def erased(db: Connection, events: Batch[PersonErased]) -> None:
    await db.execute(
        """insert into met_at (thing, gone) select person, true from unnest($1::text[]) as e(person) order by person
           on conflict (thing) do update set building = '', longitude = null, latitude = null, hours = '',
               grid = null, no_contact = false, gone = true""",
        events.column("person"),
    )


async def place_of(db: Database, thing: str) -> Place | None:
    """Where they can be met; None where nobody may know, or nobody knows."""
    row = await db.fetchrow("select longitude, latitude from met_at where thing = $1 and longitude is not null", thing)
    return Place(longitude=row["longitude"], latitude=row["latitude"]) if row else None


async def left_alone(db: Database, thing: str) -> tuple[bool, bool]:
    """Whether they asked not to be contacted, and whether they are erased."""
    row = await db.fetchrow("select no_contact, gone from met_at where thing = $1", thing)
    return (row["no_contact"], row["gone"]) if row else (False, False)
