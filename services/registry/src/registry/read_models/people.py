"""People who really live here (实有人口): masked, so that the tables hold no name and no identity number.

They are found by keyed hashes (`events.privacy.blind_index`): of their numbers, and of the words by which one looks for
a name. Who was merged with somebody, or is not here any more, stands in the table and not in the lists.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from contracts.registry import (
    PersonChanged,
    PersonConfirmed,
    PersonErased,
    PersonFacts,
    PersonMerged,
    PersonRegistered,
    PersonUnmerged,
)
from events import Batch, Connection, Database, ReadModel
from events.privacy.blind_index import blind_word

from registry.domain.names import syllables, words
from registry.domain.person import masked_name, masked_number
from registry.read_models.days import confirm, days

people = ReadModel(
    "people",
    version=3,
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
        presence text not null,
        same_as text collate "C",
        minor_until smallint not null, -- the year in which they come of age
        complete boolean not null, -- whether a telephone is known
        confirmed_on date not null, -- when a source or a visitor said so last
        id_number_index bytea, -- blind, as all that follow
        phone_index bytea,
        words bigint[] not null, -- by which a name, or the tail of a telephone number, is found
        born_and_initials bigint not null, -- these two bring together who may be one, entered twice
        sound_and_home bigint not null
    );
    create index person_by_id_number on person (id_number_index) where id_number_index is not null;
    create index person_by_phone on person (phone_index) where phone_index is not null;
    create index person_by_words on person using gin (words);
    create index person_by_born on person (born_and_initials);
    create index person_by_sound on person (sound_and_home);
    create index person_until on person (registered_until) where registered_until is not null;
    create index person_household on person (household) where household is not null;
    create index person_address on person (address, id);
    create index person_same_as on person (same_as) where same_as is not null;
    create table person_apart ( -- two who look like one, and are not
        one text collate "C" not null,
        other text collate "C" not null,
        primary key (one, other)
    );
    """,
)

OF_AGE = 18
TAIL = 4
"""Digits of a telephone number that people remember."""

COLUMNS = """p.id as person, p.name_masked as name, p.id_number_masked as id_number, p.residency, p.household,
    p.relation, p.address, p.registered_until, a.grid"""
HERE = "p.presence = 'here' and p.same_as is null"


@lru_cache(maxsize=16_384)
def word(key: bytes, field: str, text: str) -> int:
    """A word as the table has it. Most surnames and initials are some thousands of people's."""
    return int.from_bytes(blind_word(key, field, text), signed=True)


def words_of(key: bytes, name: str, phone: str) -> set[int]:
    """The words by which somebody is found."""
    found = {word(key, "name", it) for it in words(name)}
    return found | {word(key, "phone tail", phone[-TAIL:])} if phone else found


async def _put(db: Connection, events: Batch[PersonFacts]) -> None:
    key = events.index_key
    assert key is not None  # noqa: S101  # the read model is indexed
    names, phones, births = map(events.column, ("name", "phone", "birth_date"))
    sounds = ["".join(syllables(name)) for name in names]
    await db.execute(
        """insert into person (id, name_masked, id_number_masked, residency, household, relation, address,
                               registered_until, presence, minor_until, complete, confirmed_on, id_number_index,
                               phone_index, words, born_and_initials, sound_and_home)
           select distinct on (id) id, name, number, residency, household, relation, address, until, presence, of_age,
                  complete, confirmed_on, by_number, by_phone, words::bigint[], born, sound
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[],
                       $9::text[], $10::smallint[], $11::boolean[], $12::date[], $13::bytea[], $14::bytea[],
                       $15::text[], $16::bigint[], $17::bigint[]) with ordinality
                as p(id, name, number, residency, household, relation, address, until, presence, of_age, complete,
                     confirmed_on, by_number, by_phone, words, born, sound, nth)
           order by id, nth desc
           on conflict (id) do update set name_masked = excluded.name_masked,
               id_number_masked = excluded.id_number_masked, residency = excluded.residency,
               household = excluded.household, relation = excluded.relation, address = excluded.address,
               registered_until = excluded.registered_until, presence = excluded.presence,
               minor_until = excluded.minor_until, complete = excluded.complete, confirmed_on = excluded.confirmed_on,
               id_number_index = excluded.id_number_index, phone_index = excluded.phone_index, words = excluded.words,
               born_and_initials = excluded.born_and_initials, sound_and_home = excluded.sound_and_home""",
        events.column("person"),
        [masked_name(name) for name in names],
        [masked_number(number) for number in events.column("id_number")],
        *map(events.column, ("residency", "household", "relation", "address", "registered_until", "presence")),
        [born.year + OF_AGE for born in births],
        [bool(phone) for phone in phones],
        days(events),
        events.blind_index("id_number"),
        events.blind_index("phone"),
        [_array(words_of(key, name, phone)) for name, phone in zip(names, phones, strict=True)],
        [
            word(key, "birth", f"{born} {name[:1]} {''.join(it[0] for it in syllables(name))}")
            for name, born in zip(names, births, strict=True)
        ],
        [word(key, "home", f"{sound} {home}") for sound, home in zip(sounds, events.column("address"), strict=True)],
    )


def _array(numbers: Iterable[int]) -> str:
    """In one order, so that a rebuild makes the same row."""
    return f"{{{','.join(map(str, sorted(numbers)))}}}"


@people.on(PersonRegistered)
async def registered(db: Connection, events: Batch[PersonRegistered]) -> None:
    """A person who was not known before."""
    await _put(db, events)


@people.on(PersonChanged)
async def changed(db: Connection, events: Batch[PersonChanged]) -> None:
    """Something else is known of them."""
    await _put(db, events)


@people.on(PersonConfirmed)
async def confirmed(db: Connection, events: Batch[PersonConfirmed]) -> None:
    """Somebody else says the same of them."""
    await confirm(db, "person", events.column("person"), events)


@people.on(PersonMerged)
async def merged(db: Connection, events: Batch[PersonMerged]) -> None:
    """They are the same as somebody else."""
    await db.execute(
        """update person p set same_as = m.other from unnest($1::text[], $2::text[]) as m(id, other)
           where p.id = m.id""",
        *map(events.column, ("person", "into")),
    )


@people.on(PersonUnmerged)
async def unmerged(db: Connection, events: Batch[PersonUnmerged]) -> None:
    """They are not, and need not be compared again."""
    await db.execute("update person set same_as = null where id = any($1::text[])", events.column("person"))
    await db.execute(
        """insert into person_apart (one, other)
           select distinct least(a, b), greatest(a, b) from unnest($1::text[], $2::text[]) as u(a, b)
           on conflict do nothing""",
        *map(events.column, ("person", "apart_from")),
    )


@people.on(PersonErased)
async def erased(db: Connection, events: Batch[PersonErased]) -> None:
    """Nothing is known of them any more."""
    ids = events.column("person")
    await db.execute("delete from person where id = any($1::text[])", ids)
    await db.execute("delete from person_apart where one = any($1::text[]) or other = any($1::text[])", ids)


async def page(
    db: Database, reach: Sequence[str] | None, grid: str | None, household: str | None, after: str, limit: int
) -> list[Any]:
    """People who are here by id, in the grids of `reach` (None: everywhere), of one grid or household if it is named:
    one more than `limit`, if there are more."""
    return await db.fetch(
        f"""select {COLUMNS} from person p left join address a on a.id = p.address
            where {HERE} and ($1::text is null or a.grid = $1) and ($2::text is null or p.household = $2) and p.id > $3
                  and ($5::text[] is null or coalesce(a.grid, '') = any($5))
            order by p.id limit $4 + 1""",  # noqa: S608
        grid,
        household,
        after,
        limit,
        reach,
    )


async def here(db: Database, grid: str) -> list[str]:
    """The ids of all who are here in a grid."""
    rows = await db.fetch(
        f"select p.id from person p join address a on a.id = p.address where {HERE} and a.grid = $1 order by p.id",  # noqa: S608
        grid,
    )
    return [row["id"] for row in rows]


async def members(db: Database, household: str) -> list[str]:
    """Who belongs to a household and is here, by id."""
    rows = await db.fetch(f"select p.id from person p where p.household = $1 and {HERE} order by p.id", household)  # noqa: S608
    return [row["id"] for row in rows]


async def grid_of(db: Database, person: str) -> str | None:
    """The grid that somebody lives in; None if in none."""
    return await db.fetchval("select a.grid from person p join address a on a.id = p.address where p.id = $1", person)


async def found(db: Database, reach: Sequence[str] | None, by: str, index: bytes) -> list[Any]:
    """Those whose number is this one by its blind index, in the grids of `reach`. `by`: id_number or phone."""
    column = {"id_number": "id_number_index", "phone": "phone_index"}[by]
    return await db.fetch(
        f"""select {COLUMNS} from person p left join address a on a.id = p.address
            where p.{column} = $1 and {HERE} and ($2::text[] is null or coalesce(a.grid, '') = any($2))
            order by p.id limit 100""",  # noqa: S608
        index,
        reach,
    )


async def found_by_words(
    db: Database, reach: Sequence[str] | None, grid: str | None, words: Sequence[int], after: str, limit: int
) -> list[Any]:
    """Those who are found by all of these words, by id, in the grids of `reach`, or in one of them: one more than
    `limit`, if there are more."""
    return await db.fetch(
        f"""select {COLUMNS} from person p left join address a on a.id = p.address
            where p.words @> $1::bigint[] and {HERE} and ($2::text[] is null or coalesce(a.grid, '') = any($2))
                  and ($3::text is null or a.grid = $3) and p.id > $4
            order by p.id limit $5 + 1""",  # noqa: S608
        words,
        reach,
        grid,
        after,
        limit,
    )


async def look_alike(
    db: Database, reach: Sequence[str] | None, grid: str | None, after: tuple[str, str], limit: int
) -> list[tuple[str, str]]:
    """Pairs of people who may be one, entered twice, by id: one more than `limit`, if there are more. The first of each
    lives in the grids of `reach`, and both are here."""
    rows = await db.fetch(
        f"""select distinct p.id, o.other from person p
            join address a on a.id = p.address
            cross join lateral (
                select x.id as other from person x where x.id_number_index = p.id_number_index
                union select x.id from person x where x.phone_index = p.phone_index
                union select x.id from person x where x.born_and_initials = p.born_and_initials
                union select x.id from person x where x.sound_and_home = p.sound_and_home
            ) o
            join person q on q.id = o.other
            where {HERE} and q.presence = 'here' and q.same_as is null and p.id < o.other
                  and ($1::text[] is null or a.grid = any($1)) and ($2::text is null or a.grid = $2)
                  and (p.id, o.other) > ($3, $4)
                  and not exists (select from person_apart t where t.one = p.id and t.other = o.other)
            order by 1, 2 limit $5 + 1""",  # noqa: S608
        reach,
        grid,
        *after,
        limit,
    )
    return [(row["id"], row["other"]) for row in rows]


async def floating_until_before(db: Database, day: date, after: str, limit: int) -> list[str]:
    """Floating residents whose registration ended before that day, by id."""
    rows = await db.fetch(
        """select id from person where registered_until < $1 and residency = 'floating' and id > $2
           order by id limit $3""",
        day,
        after,
        limit,
    )
    return [row[0] for row in rows]
