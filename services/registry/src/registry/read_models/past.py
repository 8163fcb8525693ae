"""What was so on any day, as far as it was known at any moment: what the figures of past days are counted from.

Each row says: from `since` until before `until` it was so in the world, as the register knew it from `known_from`
until before `known_until`. Nothing personal but where somebody lived, how, and their year of birth; who is erased is
gone from here too, so figures that are asked for again are smaller by them. An address is a place for all time, unless
it is said since when; so is a grid that is drawn for the first time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from contracts.common import Presence
from contracts.registry import (
    AddressChanged,
    AddressFacts,
    AddressRegistered,
    BuildingChanged,
    BuildingFacts,
    BuildingRegistered,
    Facts,
    GridDrawn,
    GridFacts,
    GridRedrawn,
    HouseholdChanged,
    HouseholdFacts,
    HouseholdRegistered,
    MapRedrawn,
    PersonChanged,
    PersonErased,
    PersonFacts,
    PersonMerged,
    PersonRegistered,
    PersonUnmerged,
    UnitChanged,
    UnitFacts,
    UnitRegistered,
)
from events import Batch, Connection, Database, ReadModel, Recorded

from registry.domain.figures import Figure
from registry.domain.ground import Ring
from registry.domain.history import ALWAYS, CHINA, Period, day_in_china, learnt
from registry.read_models.territory import MICRO, polygon


class Table(NamedTuple):
    """A table of periods, and its columns by name with their types."""

    name: str
    columns: Mapping[str, str]

    @property
    def sql(self) -> str:
        facts = "".join(f"{name} {kind}, " for name, kind in self.columns.items())
        return f"""
        create table {self.name} (
            id text collate "C" not null, {facts} since date not null, until date not null,
            known_from timestamptz not null, known_until timestamptz not null default 'infinity'
        );
        create index {self.name}_open on {self.name} (id) where known_until = 'infinity';"""


PERSON = Table(
    "past_person",
    {
        "residency": "text",
        "address": 'text collate "C"',
        "household": 'text collate "C"',
        "born": "smallint",
    },
)
HOUSEHOLD = Table("past_household", {"address": 'text collate "C"'})
BUILDING = Table("past_building", {"kind": "text", "address": 'text collate "C"'})
UNIT = Table("past_unit", {"category": "text", "address": 'text collate "C"'})
PLACE = Table("past_place", {"place": "point"})
GROUND = Table("past_ground", {"ground": "polygon"})

past = ReadModel(
    "past",
    personal=("address", "household", "birth_date"),
    tables=f"""
    {PERSON.sql}
    create index past_person_address on past_person (address);
    create index past_person_household on past_person (household) where household is not null;
    create table past_merged (
        id text collate "C" not null,
        known_from timestamptz not null, known_until timestamptz not null default 'infinity'
    );
    create index past_merged_id on past_merged (id);
    {HOUSEHOLD.sql}
    create index past_household_address on past_household (address);
    {BUILDING.sql}
    create index past_building_address on past_building (address);
    {UNIT.sql}
    create index past_unit_address on past_unit (address);
    {PLACE.sql}
    create index past_place_place on past_place using gist (place);
    {GROUND.sql}
    create index past_ground_ground on past_ground using gist (ground);
    """,
)


class Entry(NamedTuple):
    """What is learnt of a thing: these facts hold from a day on. All None: it is not there."""

    id: str
    at: datetime
    since: date
    facts: Mapping[str, Any]
    corrects: bool = False


class Row(NamedTuple):
    """A period, and since when it is known; `stored` if the table has it."""

    id: str
    period: Period
    known_from: datetime
    stored: bool = False


async def _learn(db: Connection, table: Table, entries: Sequence[Entry], first: bool = False) -> None:
    """Each entry makes its thing's periods anew; those that differ end to be known at that moment. `first`: nothing is
    known of any of these things."""
    known = {} if first else await _known(db, table, sorted({it.id for it in entries}))
    ended: list[tuple[Row, datetime]] = []
    for it in entries:
        before = known.get(it.id, [])
        after = [
            next((row for row in before if row.period == period), Row(it.id, period, it.at))
            for period in learnt([row.period for row in before], it.facts, it.since, it.corrects)
        ]
        ended += [(row, it.at) for row in before if row not in after]
        known[it.id] = after
    await _end(db, table, [(row, at) for row, at in ended if row.stored])
    new = [(row, at) for row, at in ended if not row.stored and row.known_from < at]
    await _insert(db, table, [*new, *((row, None) for rows in known.values() for row in rows if not row.stored)])


async def _known(db: Connection, table: Table, ids: Sequence[str]) -> dict[str, list[Row]]:
    columns = ", ".join(f"{name}::text" if kind == "polygon" else name for name, kind in table.columns.items())
    rows = await db.fetch(
        f"""select id, since, until, known_from, {columns} from {table.name}
            where known_until = 'infinity' and id = any($1::text[]) order by id, since""",  # noqa: S608
        ids,
    )
    known: dict[str, list[Row]] = {}
    for id_, since, until, known_from, *facts in rows:
        period = Period(since, until, dict(zip(table.columns, facts, strict=True)))
        known.setdefault(id_, []).append(Row(id_, period, known_from, stored=True))
    return known


async def _end(db: Connection, table: Table, ended: Sequence[tuple[Row, datetime]]) -> None:
    if ended:
        await db.execute(
            f"""update {table.name} t set known_until = e.at
                from unnest($1::text[], $2::date[], $3::timestamptz[]) as e(id, since, at)
                where t.id = e.id and t.since = e.since and t.known_until = 'infinity'""",  # noqa: S608
            [row.id for row, _ in ended],
            [row.period.since for row, _ in ended],
            [at for _, at in ended],
        )


async def _insert(db: Connection, table: Table, rows: Sequence[tuple[Row, datetime | None]]) -> None:
    """Each with the moment at which it ended to be known, None: it is known still."""
    if not rows:
        return
    types = [kind.split()[0] if kind != "polygon" else "text" for kind in table.columns.values()]
    given = ", ".join(f"${nth}::{kind}[]" for nth, kind in enumerate(types, 6))
    columns = ", ".join(table.columns)
    cast = ", ".join(f"{name}::polygon" if kind == "polygon" else name for name, kind in table.columns.items())
    await db.execute(
        f"""insert into {table.name} (id, since, until, known_from, known_until, {columns})
            select id, since, until, known_from, coalesce(known_until, 'infinity'), {cast}
            from unnest($1::text[], $2::date[], $3::date[], $4::timestamptz[], $5::timestamptz[], {given})
                 as r(id, since, until, known_from, known_until, {columns})""",  # noqa: S608
        [row.id for row, _ in rows],
        [row.period.since for row, _ in rows],
        [row.period.until for row, _ in rows],
        [row.known_from for row, _ in rows],
        [until for _, until in rows],
        *([row.period.facts[name] for row, _ in rows] for name in table.columns),
    )


def _entries(
    events: Batch[Facts], id_field: str, facts: Mapping[str, Sequence[Any]], since: date | None = None
) -> list[Entry]:
    """An entry for each event. `since`: the day for those that do not say."""
    return [
        Entry(
            id_,
            raw.recorded_at,
            day or since or day_in_china(raw.recorded_at),
            dict(zip(facts, row, strict=True)),
            corrects,
        )
        for id_, raw, day, corrects, *row in zip(
            events.column(id_field),
            events.raws,
            events.column("since"),
            events.column("corrects"),
            *facts.values(),
            strict=True,
        )
    ]


Columns = Mapping[str, Sequence[Any]]


def _people(events: Batch[PersonFacts]) -> Columns:
    here = [presence == Presence.HERE for presence in events.column("presence")]
    return {
        "residency": [it if there else None for it, there in zip(events.column("residency"), here, strict=True)],
        "address": events.column("address"),
        "household": events.column("household"),
        "born": [born.year for born in events.column("birth_date")],
    }


def _households(events: Batch[HouseholdFacts]) -> Columns:
    return {"address": _unless(events, "dissolved", "address")}


def _buildings(events: Batch[BuildingFacts]) -> Columns:
    return {"kind": events.column("kind"), "address": events.column("address")}


def _units(events: Batch[UnitFacts]) -> Columns:
    return {"category": _unless(events, "closed", "category"), "address": events.column("address")}


def _places(events: Batch[AddressFacts]) -> Columns:
    return {"place": [(it.longitude * MICRO, it.latitude * MICRO) for it in events.column("place")]}


def _unless(events: Batch[Facts], gone: str, column: str) -> list[Any]:
    """The column, None of what is not there any more."""
    return [None if no else it for it, no in zip(events.column(column), events.column(gone), strict=True)]


def _follow(
    table: Table,
    id_field: str,
    registered: type[Facts],
    changed: type[Facts],
    facts: Callable[[Batch[Any]], Columns],
    since: date | None = None,
) -> None:
    """`since`: the day from which a thing counts that does not say since when it is there."""

    async def it_is_here(db: Connection, events: Batch[Any]) -> None:
        """There is one that nobody knew of."""
        await _learn(db, table, _entries(events, id_field, facts(events), since), first=True)

    async def it_is_otherwise(db: Connection, events: Batch[Any]) -> None:
        """It is another kind, lies elsewhere, or is not there any more."""
        await _learn(db, table, _entries(events, id_field, facts(events)))

    past.on(registered)(it_is_here)
    past.on(changed)(it_is_otherwise)


_follow(PERSON, "person", PersonRegistered, PersonChanged, _people)
_follow(HOUSEHOLD, "household", HouseholdRegistered, HouseholdChanged, _households)
_follow(BUILDING, "building", BuildingRegistered, BuildingChanged, _buildings)
_follow(UNIT, "unit", UnitRegistered, UnitChanged, _units)
_follow(PLACE, "address", AddressRegistered, AddressChanged, _places, since=ALWAYS)


@past.on(PersonErased)
async def person_erased(db: Connection, events: Batch[PersonErased]) -> None:
    """Nothing is known of them any more."""
    await db.execute("delete from past_person where id = any($1::text[])", events.column("person"))
    await db.execute("delete from past_merged where id = any($1::text[])", events.column("person"))


@past.each(PersonMerged)
async def person_merged(db: Connection, event: Recorded[PersonMerged]) -> None:
    """They were counted twice."""
    await db.execute("insert into past_merged (id, known_from) values ($1, $2)", event.data.person, event.recorded_at)


@past.each(PersonUnmerged)
async def person_unmerged(db: Connection, event: Recorded[PersonUnmerged]) -> None:
    """They count themselves again."""
    await db.execute(
        "update past_merged set known_until = $2 where id = $1 and known_until = 'infinity'",
        event.data.person,
        event.recorded_at,
    )


async def _grounds(
    db: Connection, at: datetime, since: date | None, drawn: Iterable[GridFacts], given_up: Iterable[str] = ()
) -> None:
    grounds: dict[str, str | None] = {it.grid: polygon(it.boundary) for it in drawn}
    grounds |= dict.fromkeys(given_up)
    known = {
        row["id"] for row in await db.fetch("select id from past_ground where id = any($1::text[])", list(grounds))
    }
    day = since or day_in_china(at)
    await _learn(
        db,
        GROUND,
        [
            Entry(code, at, since or (day if code in known else ALWAYS), {"ground": ground})
            for code, ground in grounds.items()
        ],
    )


@past.each(MapRedrawn)
async def map_redrawn(db: Connection, event: Recorded[MapRedrawn]) -> None:
    """The map looks different from a day on."""
    await _grounds(db, event.recorded_at, event.data.since, event.data.drawn, event.data.given_up)


@past.each(GridDrawn)
async def grid_drawn(db: Connection, event: Recorded[GridDrawn]) -> None:
    """A grid of the time when each was drawn by itself."""
    await _grounds(db, event.recorded_at, None, [event.data])


@past.each(GridRedrawn)
async def grid_redrawn(db: Connection, event: Recorded[GridRedrawn]) -> None:
    """The same, drawn anew."""
    await _grounds(db, event.recorded_at, None, [event.data])


WAS = "{0}.since <= $2 and $2 < {0}.until and {0}.known_from <= $3 and $3 < {0}.known_until"
KNOWN_NOW = datetime(9999, 1, 1, tzinfo=CHINA)

# A place on the border of two grids belongs to the one whose code comes first.
PLACES = f"""
places as (
    select p.id from past_ground g join past_place p on p.place <@ g.ground
    where g.id = $1 and {WAS.format("g")} and {WAS.format("p")} and not exists (
        select from past_ground o
        where o.id < g.id and o.ground @> polygon(box(p.place, p.place)) and o.ground @> p.place and {WAS.format("o")}
    )
)"""  # noqa: S608


BAND = """case when age < 6 then '0-5' when age < 18 then '6-17' when age < 60 then '18-59' when age < 80 then '60-79'
          else '80+' end"""


async def figures(db: Database, grid: str, as_of: date, known_at: datetime | None = None) -> list[Figure] | None:
    """How many were in a grid on a day, as known at a moment (None: now); None if there was no such grid. Ages are
    those that people have in that year."""
    at = known_at or KNOWN_NOW
    was_there = await db.fetchval(
        f"select exists (select from past_ground g where g.id = $1 and g.ground is not null and {WAS.format('g')})",  # noqa: S608
        grid,
        as_of,
        at,
    )
    if not was_there:
        return None
    rows = await db.fetch(
        f"""with {PLACES}
        select 'people' as what, residency as kind, {BAND} as band, count(*) as count
        from (select x.residency, extract(year from $2::date)::int - x.born as age
              from places join past_person x on x.address = places.id
              where x.residency is not null and {WAS.format("x")} and not exists (
                  select from past_merged m where m.id = x.id and m.known_from <= $3 and $3 < m.known_until
              )) p
        group by 2, 3
        union all
        select 'households', '', '', count(*) from places join past_household x on x.address = places.id
        where {WAS.format("x")}
        union all
        select 'buildings', x.kind, '', count(*) from places join past_building x on x.address = places.id
        where {WAS.format("x")} group by 2
        union all
        select 'units', x.category, '', count(*) from places join past_unit x on x.address = places.id
        where x.category is not null and {WAS.format("x")} group by 2
        union all
        select 'addresses', '', '', count(*) from places
        order by 1, 2, 3""",  # noqa: S608
        grid,
        as_of,
        at,
    )
    return [Figure(*row) for row in rows]


async def members(db: Database, household: str, as_of: date, known_at: datetime | None = None) -> list[str]:
    """Who belonged to a household on a day, as known at a moment (None: now), by id."""
    rows = await db.fetch(
        f"""select x.id from past_person x
            where x.household = $1 and x.residency is not null and {WAS.format("x")} and not exists (
                select from past_merged m where m.id = x.id and m.known_from <= $3 and $3 < m.known_until
            ) order by x.id""",  # noqa: S608
        household,
        as_of,
        known_at or KNOWN_NOW,
    )
    return [row["id"] for row in rows]


async def ground_of(db: Database, grid: str, as_of: date, known_at: datetime | None = None) -> Ring | None:
    """The boundary of a grid on a day; None if there was no such grid."""
    ground = await db.fetchval(
        f"select g.ground from past_ground g where g.id = $1 and {WAS.format('g')}",  # noqa: S608
        grid,
        as_of,
        known_at or KNOWN_NOW,
    )
    return ground and [(corner.x / MICRO, corner.y / MICRO) for corner in ground]
