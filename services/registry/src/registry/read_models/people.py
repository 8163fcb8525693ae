"""People who really live here (实有人口): masked, so that the tables hold no name and no identity number."""

from collections.abc import Sequence
from typing import Any

from contracts.registry import PersonChanged, PersonErased, PersonFacts, PersonRegistered
from events import Batch, Connection, Database, ReadModel

from registry.domain.person import masked_name, masked_number

people = ReadModel(
    "people",
    personal=True,
    indexed=True,
    tables="""
    create table person (
        id text collate "C" primary key,
        name_masked text not null,
        id_number_masked text not null,
        residency text not null,
        household text collate "C",
        relation text,
        address text collate "C" not null,
        registered_until date,
        id_number_index bytea not null, -- blind: see events.privacy.blind_index
        phone_index bytea
    );
    create index person_by_id_number on person (id_number_index);
    create index person_by_phone on person (phone_index);
    create index person_household on person (household);
    create index person_address on person (address);
    """,
)


async def _put(db: Connection, events: Batch[PersonFacts]) -> None:
    await db.execute(
        """insert into person (id, name_masked, id_number_masked, residency, household, relation, address,
                               registered_until, id_number_index, phone_index)
           select distinct on (id) id, name, number, residency, household, relation, address, until, by_number, by_phone
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[],
                       $9::bytea[], $10::bytea[]) with ordinality
                as p(id, name, number, residency, household, relation, address, until, by_number, by_phone, nth)
           order by id, nth desc
           on conflict (id) do update set name_masked = excluded.name_masked,
               id_number_masked = excluded.id_number_masked, residency = excluded.residency,
               household = excluded.household, relation = excluded.relation, address = excluded.address,
               registered_until = excluded.registered_until, id_number_index = excluded.id_number_index,
               phone_index = excluded.phone_index""",
        events.column("person"),
        [masked_name(name) for name in events.column("name")],
        [masked_number(number) for number in events.column("id_number")],
        *map(events.column, ("residency", "household", "relation", "address", "registered_until")),
        [it or b"" for it in events.blind_index("id_number")],
        events.blind_index("phone"),
    )


@people.on(PersonRegistered)
async def registered(db: Connection, events: Batch[PersonRegistered]) -> None:
    """A person who was not known before."""
    await _put(db, events)


@people.on(PersonChanged)
async def changed(db: Connection, events: Batch[PersonChanged]) -> None:
    """Something else is known of them."""
    await _put(db, events)


@people.on(PersonErased)
async def erased(db: Connection, events: Batch[PersonErased]) -> None:
    """Nothing is known of them any more."""
    await db.execute("delete from person where id = any($1::text[])", events.column("person"))


async def page(
    db: Database, reach: Sequence[str] | None, grid: str | None, household: str | None, after: str, limit: int
) -> list[Any]:
    """People by id, in the grids of `reach` (None: everywhere), of one grid or household if it is named: one more than
    `limit`, if there are more."""
    return await db.fetch(
        """select p.id as person, p.name_masked as name, p.id_number_masked as id_number, p.residency, p.household,
                  p.relation, p.address, p.registered_until, a.grid
           from person p left join address a on a.id = p.address
           where ($1::text is null or a.grid = $1) and ($2::text is null or p.household = $2) and p.id > $3
                 and ($5::text[] is null or coalesce(a.grid, '') = any($5))
           order by p.id limit $4 + 1""",
        grid,
        household,
        after,
        limit,
        reach,
    )


async def grid_of(db: Database, person: str) -> str | None:
    """The grid that somebody lives in; None if in none."""
    return await db.fetchval("select a.grid from person p join address a on a.id = p.address where p.id = $1", person)


async def found(db: Database, reach: Sequence[str] | None, by: str, index: bytes) -> list[Any]:
    """Those whose number is this one by its blind index, in the grids of `reach`. `by`: id_number or phone."""
    column = {"id_number": "id_number_index", "phone": "phone_index"}[by]
    return await db.fetch(
        f"""select p.id as person, p.name_masked as name, p.id_number_masked as id_number, p.residency, p.household,
                  p.relation, p.address, p.registered_until, a.grid
           from person p left join address a on a.id = p.address
           where p.{column} = $1 and ($2::text[] is null or coalesce(a.grid, '') = any($2))
           order by p.id limit 100""",  # noqa: S608
        index,
        reach,
    )
