"""The duty list (责任清单): whose duty a category of cases is, and by when it is to be handed in."""

import asyncpg
from contracts.common import Title
from contracts.registry import DutyChanged, DutyFacts, DutyListed
from events import Batch, Connection, Database, ReadModel

duties = ReadModel(
    "duties",
    tables="""
    create table duty (
        category text primary key,
        title_zh text not null,
        title_en text not null,
        department_zh text not null,
        department_en text not null,
        grid_duty boolean not null,
        deadline_minutes integer,
        standard_zh text,
        standard_en text,
        legal_basis text not null
    );
    """,
)

SET = """
insert into duty
select distinct on (category) category, title_zh, title_en, department_zh, department_en, grid_duty, deadline_minutes,
    standard_zh, standard_en, legal_basis
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::integer[], $8::text[],
    $9::text[], $10::text[]) with ordinality as new (category, title_zh, title_en, department_zh, department_en,
    grid_duty, deadline_minutes, standard_zh, standard_en, legal_basis, place)
order by category, place desc
on conflict (category) do update set
    title_zh = excluded.title_zh, title_en = excluded.title_en,
    department_zh = excluded.department_zh, department_en = excluded.department_en,
    grid_duty = excluded.grid_duty, deadline_minutes = excluded.deadline_minutes,
    standard_zh = excluded.standard_zh, standard_en = excluded.standard_en, legal_basis = excluded.legal_basis
"""


@duties.on(DutyListed)
async def listed(db: Connection, events: Batch[DutyListed]) -> None:
    await _set(db, events)


@duties.on(DutyChanged)
async def changed(db: Connection, events: Batch[DutyChanged]) -> None:
    await _set(db, events)


async def _set(db: Connection, events: Batch[DutyListed] | Batch[DutyChanged]) -> None:
    titles: list[Title] = events.column("title")
    departments: list[Title] = events.column("department")
    standards: list[Title | None] = events.column("standard")
    await db.execute(
        SET,
        events.column("category"),
        [title.zh for title in titles],
        [title.en for title in titles],
        [department.zh for department in departments],
        [department.en for department in departments],
        events.column("grid_duty"),
        events.column("deadline_minutes"),
        [standard.zh if standard else None for standard in standards],
        [standard.en if standard else None for standard in standards],
        events.column("legal_basis"),
    )


async def duty_of(db: Database, category: str) -> DutyFacts | None:
    """The duty list's entry for this category; None if nobody is known to have this duty."""
    row = await db.fetchrow("select * from duty where category = $1", category)
    return _duty(row) if row else None


async def duty_list(db: Database, after: str, limit: int) -> list[DutyFacts]:
    """Entries in the order of their categories, after this one."""
    rows = await db.fetch("select * from duty where category > $1 order by category limit $2", after, limit)
    return [_duty(row) for row in rows]


async def any_duty(db: Database) -> bool:
    """Whether the registry has told of any duty yet."""
    return await db.fetchval("select exists (select from duty)")


def _duty(row: asyncpg.Record) -> DutyFacts:
    return DutyFacts(
        category=row["category"],
        title=Title(zh=row["title_zh"], en=row["title_en"]),
        department=Title(zh=row["department_zh"], en=row["department_en"]),
        grid_duty=row["grid_duty"],
        deadline_minutes=row["deadline_minutes"],
        standard=Title(zh=row["standard_zh"], en=row["standard_en"]) if row["standard_zh"] else None,
        legal_basis=row["legal_basis"],
    )
