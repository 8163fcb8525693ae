"""Samples that were drawn to be visited again, and how many of them were right."""

from collections.abc import Sequence
from typing import Any

from contracts.registry import PersonErased, SampleAnswered, SampleDrawn
from events import Batch, Connection, Database, ReadModel, Recorded

samples = ReadModel(
    "samples",
    tables="""
    create table sample (
        id text collate "C" primary key,
        period text not null,
        grid text collate "C" not null,
        drawn_at timestamptz not null
    );
    create index sample_grid on sample (grid, drawn_at);
    create table sample_person (
        sample text collate "C" not null,
        person text collate "C" not null,
        is_right boolean,
        primary key (sample, person)
    );
    create index sample_person_person on sample_person (person);
    """,
)


@samples.each(SampleDrawn)
async def drawn(db: Connection, event: Recorded[SampleDrawn]) -> None:
    """These are to be visited again."""
    data = event.data
    await db.execute("insert into sample values ($1, $2, $3, $4)", data.sample, data.period, data.grid, data.at)
    await db.execute(
        "insert into sample_person (sample, person) select $1, person from unnest($2::text[]) as p(person)",
        data.sample,
        data.persons,
    )


@samples.each(SampleAnswered)
async def answered(db: Connection, event: Recorded[SampleAnswered]) -> None:
    """One of them was."""
    await db.execute(
        "update sample_person set is_right = $3 where sample = $1 and person = $2",
        event.data.sample,
        event.data.person,
        event.data.right,
    )


@samples.on(PersonErased)
async def erased(db: Connection, events: Batch[PersonErased]) -> None:
    """What was found of them stays in the rate; who it was does not."""
    await db.execute(
        "update sample_person set person = md5(random()::text) where person = any($1::text[])", events.column("person")
    )


async def found_right(db: Database, grids: Sequence[str] | None) -> dict[str, tuple[int, int]]:
    """By grid, of its latest period that has answers: how many were right, and of how many."""
    rows = await db.fetch(
        """select distinct on (s.grid) s.grid, count(*) filter (where p.is_right) as right, count(p.is_right) as of
           from sample s join sample_person p on p.sample = s.id
           where p.is_right is not null and ($1::text[] is null or s.grid = any($1))
           group by s.grid, s.period order by s.grid, max(s.drawn_at) desc""",
        grids,
    )
    return {row["grid"]: (row["right"], row["of"]) for row in rows}


async def page(db: Database, grids: Sequence[str] | None, after: str, limit: int) -> list[Any]:
    """Samples by id, in the grids of a reach (None: all), with how many are to be visited and how many were right: one
    more than `limit`, if there are more."""
    return await db.fetch(
        """select s.id as sample, s.period, s.grid, s.drawn_at, count(*) as size, count(p.is_right) as answered,
                  count(*) filter (where p.is_right) as right
           from sample s join sample_person p on p.sample = s.id
           where ($1::text[] is null or s.grid = any($1)) and s.id > $2
           group by s.id order by s.id limit $3 + 1""",
        grids,
        after,
        limit,
    )
