"""What a message says of a case, the contact that the reporter left, and which case goes on for it, from grid_tasks'
events."""

from datetime import datetime
from typing import NamedTuple

from contracts.grid_tasks import (
    CaseClosed,
    CaseMerged,
    CasePlaced,
    CaseReopened,
    CaseReported,
    CaseTakenUp,
    CaseTextErased,
)
from events import Batch, Connection, Database, ReadModel

cases = ReadModel(
    "cases",
    version=3,
    personal=True,
    tables="""
    create table reported_case (
        case_id text primary key,
        category text not null,
        grid text not null,
        contact text,
        merged_into text, -- as long as it is
        closing text, -- the id of the event; as long as it is closed
        closed_at timestamptz
    );
    create index reported_case_merged_into on reported_case (merged_into) where merged_into is not null;
    """,
)


class ReportedCase(NamedTuple):
    """A case. `contact` is the reporter's e-mail address; None if they do not want to be told."""

    case: str
    category: str
    grid: str
    contact: str | None


@cases.on(CaseReported)
async def reported(db: Connection, events: Batch[CaseReported]) -> None:
    await db.execute(
        """insert into reported_case (case_id, category, grid, contact)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])""",
        events.column("case"),
        events.column("category"),
        events.column("grid"),
        events.column("contact"),
    )


@cases.on(CasePlaced)
async def placed(db: Connection, events: Batch[CasePlaced]) -> None:
    latest = dict(zip(events.column("case"), events.column("grid"), strict=True))
    await db.execute(
        """update reported_case c set grid = new.grid from unnest($1::text[], $2::text[]) as new (case_id, grid)
           where c.case_id = new.case_id""",
        list(latest),
        list(latest.values()),
    )


@cases.on(CaseMerged)
async def merged(db: Connection, events: Batch[CaseMerged]) -> None:
    await db.executemany(
        "update reported_case set merged_into = $2 where case_id = $1", [(it.data.case, it.data.into) for it in events]
    )


@cases.on(CaseTakenUp)
async def taken_up(db: Connection, events: Batch[CaseTakenUp]) -> None:
    await db.execute("update reported_case set merged_into = null where case_id = any($1)", events.column("case"))


@cases.on(CaseClosed)
async def closed(db: Connection, events: Batch[CaseClosed]) -> None:
    await db.executemany(
        "update reported_case set closing = $2, closed_at = $3 where case_id = $1",
        [(it.data.case, it.id, it.data.at) for it in events],
    )


@cases.on(CaseReopened)
async def reopened(db: Connection, events: Batch[CaseReopened]) -> None:
    await db.execute(
        "update reported_case set closing = null, closed_at = null where case_id = any($1)", events.column("case")
    )


@cases.on(CaseTextErased)
async def text_erased(db: Connection, events: Batch[CaseTextErased]) -> None:
    await db.execute("update reported_case set contact = null where case_id = any($1)", events.column("case"))


async def case(db: Database, id: str) -> ReportedCase | None:
    """The case of this id; None if it has not been heard of yet."""
    row = await db.fetchrow("select case_id, category, grid, contact from reported_case where case_id = $1", id)
    return ReportedCase(*row) if row else None


class DealtWith(NamedTuple):
    """A case that was merged, and whose reporter left a contact; and the closing of the one that went on for it."""

    case: str
    closing: str
    at: datetime


async def dealt_with(db: Database, id: str) -> list[DealtWith]:
    """If this case is closed, or the last of those that it was merged into: those that it went on for, and itself if
    it was merged."""
    rows = await db.fetch(
        """with recursive up (case_id) as (
               select $1 union select merged_into from up join reported_case using (case_id)
               where merged_into is not null
           ), down (case_id) as (
               select $1 union select c.case_id from down d join reported_case c on c.merged_into = d.case_id
           )
           select c.case_id, last.closing, last.closed_at
           from up join reported_case last on last.case_id = up.case_id and last.merged_into is null
           cross join down join reported_case c on c.case_id = down.case_id
           where last.closing is not null and c.merged_into is not null and c.contact is not null
           order by c.case_id""",
        id,
    )
    return [DealtWith(*row) for row in rows]
