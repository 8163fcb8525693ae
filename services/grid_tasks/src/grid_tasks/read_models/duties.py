"""The duty list (责任清单) with its versions: whose duty a category of cases is, and by when it is to be handed in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from contracts.registry import DutyChanged, DutyFacts, DutyListed
from events import Batch, Connection, Database, ReadModel

duties = ReadModel(
    "duties",
    version=2,
    tables="""
    create table duty (
        category text collate "C" not null,
        version integer not null,
        since timestamptz not null,
        latest boolean not null,
        facts jsonb not null,
        primary key (category, version)
    );
    create unique index duty_latest on duty (category) where latest;
    """,
)


@dataclass(frozen=True, slots=True)
class Duty:
    """A version of the duty list's entry, and since when it holds."""

    duty: DutyFacts
    version: int
    since: datetime


@duties.on(DutyListed)
async def listed(db: Connection, events: Batch[DutyListed]) -> None:
    await _add(db, events)


@duties.on(DutyChanged)
async def changed(db: Connection, events: Batch[DutyChanged]) -> None:
    await _add(db, events)


async def _add(db: Connection, events: Batch[DutyListed] | Batch[DutyChanged]) -> None:
    categories: list[str] = events.column("category")
    await db.execute("update duty set latest = false where latest and category = any($1)", categories)
    last = {category: raw.version for category, raw in zip(categories, events.raws, strict=True)}
    await db.execute(
        """insert into duty (category, version, since, latest, facts)
           select category, version, since, latest, facts::jsonb
           from unnest($1::text[], $2::integer[], $3::timestamptz[], $4::boolean[], $5::text[])
                as new (category, version, since, latest, facts)""",
        categories,
        [raw.version for raw in events.raws],
        [raw.recorded_at for raw in events.raws],
        [last[it] == raw.version for it, raw in zip(categories, events.raws, strict=True)],
        [raw.data.decode() for raw in events.raws],
    )


async def duty_of(db: Database, category: str) -> Duty | None:
    """The duty list's entry for this category; None if nobody is known to have this duty."""
    return (await duties_of(db, {category})).get(category)


async def duties_of(db: Database, categories: Collection[str]) -> dict[str, Duty]:
    """The duty list's entries for these categories, of those that somebody is known to have."""
    rows = await db.fetch(f"{SELECT} where category = any($1) and latest", list(categories))
    return {it.duty.category: it for it in map(_duty, rows)}


async def duty_for(db: Database, rule: str) -> Duty | None:
    """The entry by which what falls due is a case when its day has passed; of several, the first by category."""
    row = await db.fetchrow(f"{SELECT} where latest and facts->>'rule' = $1 order by category limit 1", rule)
    return _duty(row) if row else None


async def duty_list(db: Database, after: str, limit: int) -> list[Duty]:
    """Entries in the order of their categories, after this one."""
    rows = await db.fetch(f"{SELECT} where category > $1 and latest order by category limit $2", after, limit)
    return [_duty(row) for row in rows]


async def duty_versions(db: Database, category: str) -> list[Duty]:
    """All that the list ever said of a category, first to last."""
    return [_duty(row) for row in await db.fetch(f"{SELECT} where category = $1 order by version", category)]


async def any_duty(db: Database) -> bool:
    """Whether the registry has told of any duty yet."""
    return await db.fetchval("select exists (select from duty)")


SELECT = "select facts::text, version, since from duty"


def _duty(row: tuple[str, int, datetime]) -> Duty:
    return Duty(DutyFacts.model_validate_json(row[0]), row[1], row[2])
