"""The duty list (责任清单), as anybody may read it."""

from typing import Any

from contracts.registry import DutyChanged, DutyFacts, DutyListed
from events import Batch, Connection, Database, ReadModel

duties = ReadModel(
    "duties",
    version=2,
    tables="""
    create table duty (
        category text collate "C" primary key,
        title_zh text not null,
        title_en text not null,
        department_zh text not null,
        department_en text not null,
        grid_duty boolean not null,
        deadline_minutes integer,
        standard_zh text,
        standard_en text,
        legal_basis text not null,
        clock text not null,
        role text not null,
        skills text not null, -- parted by commas
        photos integer not null,
        weight integer not null,
        look_percent integer not null,
        urgent boolean not null,
        rule text
    );
    """,
)


async def _put(db: Connection, events: Batch[DutyFacts]) -> None:
    titles, departments, standards = map(events.column, ("title", "department", "standard"))
    await db.execute(
        """insert into duty
           select distinct on (category) category, title_zh, title_en, department_zh, department_en, grid_duty,
                  deadline_minutes, standard_zh, standard_en, legal_basis, clock, role, skills, photos, weight,
                  look_percent, urgent, rule
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::integer[],
                       $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::integer[],
                       $15::integer[], $16::integer[], $17::boolean[], $18::text[])
                with ordinality as d(category, title_zh, title_en, department_zh, department_en, grid_duty,
                                     deadline_minutes, standard_zh, standard_en, legal_basis, clock, role, skills,
                                     photos, weight, look_percent, urgent, rule, nth)
           order by category, nth desc
           on conflict (category) do update set title_zh = excluded.title_zh, title_en = excluded.title_en,
               department_zh = excluded.department_zh, department_en = excluded.department_en,
               grid_duty = excluded.grid_duty, deadline_minutes = excluded.deadline_minutes,
               standard_zh = excluded.standard_zh, standard_en = excluded.standard_en,
               legal_basis = excluded.legal_basis, clock = excluded.clock, role = excluded.role,
               skills = excluded.skills, photos = excluded.photos, weight = excluded.weight,
               look_percent = excluded.look_percent, urgent = excluded.urgent, rule = excluded.rule""",
        events.column("category"),
        [title.zh for title in titles],
        [title.en for title in titles],
        [department.zh for department in departments],
        [department.en for department in departments],
        events.column("grid_duty"),
        events.column("deadline_minutes"),
        [standard and standard.zh for standard in standards],
        [standard and standard.en for standard in standards],
        *map(events.column, ("legal_basis", "clock", "role")),
        [",".join(skills) for skills in events.column("skills")],
        *map(events.column, ("photos", "weight", "look_percent", "urgent", "rule")),
    )


@duties.on(DutyListed)
async def listed(db: Connection, events: Batch[DutyListed]) -> None:
    """A category is put on the list."""
    await _put(db, events)


@duties.on(DutyChanged)
async def changed(db: Connection, events: Batch[DutyChanged]) -> None:
    """Its entry says something else."""
    await _put(db, events)


async def page(db: Database, grid_duty: bool | None, after: str, limit: int) -> list[Any]:
    """Entries by category, grid duties or others if asked for: one more than `limit`, if there are more."""
    return await db.fetch(
        """select * from duty where ($1::boolean is null or grid_duty = $1) and category > $2
           order by category limit $3 + 1""",
        grid_duty,
        after,
        limit,
    )
