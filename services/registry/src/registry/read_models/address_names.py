"""By which names an address is found: what it is called, was called, and is called besides."""

from collections.abc import Collection, Sequence
from dataclasses import astuple
from datetime import date
from typing import NamedTuple

from contracts.registry import AddressChanged, AddressFacts, AddressRegistered
from events import Batch, Connection, Database, ReadModel

from registry.domain.address import parts_of
from registry.domain.writing import Parts, key, spelling, writing

STANDARD = "standard"
"""The kind of the name that the register itself gives an address."""

address_names = ReadModel(
    "address_names",
    tables="""
    create table address_part (
        id text collate "C" primary key,
        division_code text collate "C" not null,
        street text collate "C" not null,
        number text collate "C" not null,
        building text not null,
        unit text not null,
        floor text not null,
        room text not null
    );
    create index address_part_of_street on address_part (division_code, street, number, id);
    create table address_name (
        address text collate "C" not null,
        nth integer not null, -- 0: the standard one
        kind text not null,
        name text not null,
        spelling text collate "C" not null, -- see registry.domain.writing.spelling
        division_code text collate "C" not null,
        until date,
        primary key (address, nth)
    );
    create index address_name_spelling on address_name (spelling, division_code);
    """,
)


async def _put(db: Connection, events: Batch[AddressFacts]) -> None:
    facts = {event.data.address: event.data for event in events}  # the last word on each
    parts = {id_: parts_of(it) for id_, it in facts.items()}
    await db.execute(
        """insert into address_part (id, division_code, street, number, building, unit, floor, room)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                                $8::text[])
           on conflict (id) do update set division_code = excluded.division_code, street = excluded.street,
               number = excluded.number, building = excluded.building, unit = excluded.unit, floor = excluded.floor,
               room = excluded.room""",
        list(facts),
        [it.division_code for it in facts.values()],
        *zip(*(astuple(it) for it in parts.values()), strict=True),
    )
    await db.execute("delete from address_name where address = any($1::text[])", list(facts))
    await db.execute(
        """insert into address_name (address, nth, kind, name, spelling, division_code, until)
           select * from unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[],
                                $7::date[])""",
        *zip(*(row for id_, it in facts.items() for row in _names(it, parts[id_])), strict=True),
    )


def _names(facts: AddressFacts, parts: Parts) -> list[tuple[str, int, str, str, str, str, date | None]]:
    here, code = facts.address, facts.division_code
    further = [
        (here, nth, it.kind.value, it.name, spelling(it.name), code, it.until) for nth, it in enumerate(facts.names, 1)
    ]
    return [(here, 0, STANDARD, writing(parts), key(parts), code, None), *further]


@address_names.on(AddressRegistered)
async def registered(db: Connection, events: Batch[AddressRegistered]) -> None:
    """An address that was not there before."""
    await _put(db, events)


@address_names.on(AddressChanged)
async def changed(db: Connection, events: Batch[AddressChanged]) -> None:
    """It is called otherwise, or by another name too."""
    await _put(db, events)


class Named(NamedTuple):
    """An address under one of its names. `kind` is `standard`, `alias` or `former`."""

    address: str
    division_code: str
    kind: str
    name: str
    spelling: str


NAMED = """
select address, division_code, kind, name, spelling from address_name
where spelling = $1 and ($2::text is null or division_code = $2) order by nth, address limit $3"""

NAMED_IN = """
select n.address, n.division_code, n.kind, n.name, n.spelling
from unnest($1::text[], $2::text[]) as w(division_code, spelling)
join address_name n on n.spelling = w.spelling and n.division_code = w.division_code
order by n.spelling, n.nth, n.address"""

NAMED_ANYWHERE = """
select n.* from unnest($1::text[]) as w(spelling) cross join lateral (
    select address, division_code, kind, name, spelling from address_name
    where spelling = w.spelling order by nth, address limit 10
) n"""

STREETS = """
with recursive streets as (
    (select street from address_part where division_code = $1 order by street limit 1)
    union all
    select (select it.street from address_part it
            where it.division_code = $1 and it.street > streets.street order by it.street limit 1)
    from streets where streets.street is not null
)
select street from streets where street is not null"""

LIKELY = """
select p.id, n.name, p.street, p.number, p.building, p.unit, p.floor, p.room
from address_part p join address_name n on n.address = p.id and n.nth = 0
where p.division_code = $1 and p.street = any($2::text[]) and ($3 = '' or p.number = $3)
order by (p.building = $4)::int + (p.unit = $5)::int + (p.room = $6)::int desc, p.id limit $7"""

ON_STREET = "select id from address_part where division_code = $1 and street = $2 and id > $3 order by id limit $4"


async def named(db: Database, spelling: str, division_code: str | None, limit: int) -> list[Named]:
    """The addresses that have a name that is spelt so, standard names first."""
    return [Named(*row) for row in await db.fetch(NAMED, spelling, division_code, limit)]


async def named_in(db: Database, places: Collection[tuple[str, str]]) -> list[Named]:
    """All addresses that have one of these names in the division beside it, standard names first. In a city the same
    name may stand in hundreds of divisions."""
    return [Named(*row) for row in await db.fetch(NAMED_IN, *map(list, zip(*places, strict=True)))] if places else []


async def named_anywhere(db: Database, spellings: Collection[str]) -> list[Named]:
    """The first ten that have each of these names, in any division, standard names first: enough to see whether there
    are several."""
    return [Named(*row) for row in await db.fetch(NAMED_ANYWHERE, list(spellings))] if spellings else []


async def streets(db: Database, division_code: str) -> list[str]:
    """The streets and lanes of a division."""
    return [row[0] for row in await db.fetch(STREETS, division_code)]


async def numbered(
    db: Database, division_code: str, streets: Sequence[str], wanted: Parts, limit: int
) -> list[tuple[str, str, Parts]]:
    """Id, writing and parts of addresses on these streets with the number that is wanted, if one is; those that agree
    in most parts first."""
    rows = await db.fetch(
        LIKELY, division_code, streets, wanted.number, wanted.building, wanted.unit, wanted.room, limit
    )
    return [(row[0], row[1], Parts(*row[2:])) for row in rows]


async def on_street(db: Database, division_code: str, street: str, after: str, limit: int) -> list[str]:
    """The next addresses on a street, by id."""
    return [row[0] for row in await db.fetch(ON_STREET, division_code, street, after, limit)]
