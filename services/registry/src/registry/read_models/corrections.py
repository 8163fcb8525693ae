"""Corrections (更正): which are asked for, of whom, and what came of them. What is wrong, and what would be right,
stands in the events only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contracts.registry import CorrectionAccepted, CorrectionAsked, CorrectionRefused, PersonErased
from events import Batch, Connection, Database, ReadModel

corrections = ReadModel(
    "corrections",
    tables="""
    create table correction (
        id text collate "C" primary key,
        person text collate "C" not null,
        fields text not null,
        asked_by text not null,
        client text,
        asked_at timestamptz not null,
        outcome text not null default 'open',
        decided_by text,
        decided_at timestamptz
    );
    create index correction_by_outcome on correction (outcome, asked_at, id);
    create index correction_of_person on correction (person, asked_at, id);
    """,
)

COLUMNS = """c.id as correction, c.person, string_to_array(c.fields, ' ') as fields, c.asked_by, c.client, c.asked_at,
    c.outcome, c.decided_by, c.decided_at"""


@corrections.on(CorrectionAsked)
async def asked(db: Connection, events: Batch[CorrectionAsked]) -> None:
    """Somebody says that something is wrong."""
    await db.execute(
        """insert into correction (id, person, fields, asked_by, client, asked_at)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])""",
        events.column("correction"),
        events.column("person"),
        [" ".join(fields) for fields in events.column("fields")],
        *map(events.column, ("by", "client", "at")),
    )


async def _decided(db: Connection, events: Batch[CorrectionAccepted] | Batch[CorrectionRefused], outcome: str) -> None:
    await db.execute(
        """update correction c set outcome = $1, decided_by = d.by, decided_at = d.at
           from unnest($2::text[], $3::text[], $4::timestamptz[]) as d(id, by, at) where c.id = d.id""",
        outcome,
        *map(events.column, ("correction", "by", "at")),
    )


@corrections.on(CorrectionAccepted)
async def accepted(db: Connection, events: Batch[CorrectionAccepted]) -> None:
    """It was wrong."""
    await _decided(db, events, "accepted")


@corrections.on(CorrectionRefused)
async def refused(db: Connection, events: Batch[CorrectionRefused]) -> None:
    """It was right."""
    await _decided(db, events, "refused")


@corrections.on(PersonErased)
async def erased(db: Connection, events: Batch[PersonErased]) -> None:
    """Nothing is known of them any more."""
    await db.execute("delete from correction where person = any($1::text[])", events.column("person"))


async def page(
    db: Database, reach: Sequence[str] | None, outcome: str | None, after: datetime | None, after_id: str, limit: int
) -> list[Any]:
    """Corrections, those that wait longest first, of people in the grids of `reach` (None: everywhere): one more than
    `limit`, if there are more."""
    return await db.fetch(
        f"""select {COLUMNS}, a.grid
           from correction c left join person p on p.id = c.person left join address a on a.id = p.address
           where ($1::text is null or c.outcome = $1) and ($2::timestamptz is null or (c.asked_at, c.id) > ($2, $3))
                 and ($5::text[] is null or coalesce(a.grid, '') = any($5))
           order by c.asked_at, c.id limit $4 + 1""",  # noqa: S608
        outcome,
        after,
        after_id,
        limit,
        reach,
    )


async def of_person(db: Database, person: str, limit: int) -> list[Any]:
    """The corrections of somebody, the latest first."""
    return await db.fetch(
        f"select {COLUMNS} from correction c where c.person = $1 order by c.asked_at desc, c.id desc limit $2",  # noqa: S608
        person,
        limit,
    )
