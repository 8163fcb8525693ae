"""What a message says of a case, and the contact that the reporter left, from grid_tasks' events."""

from typing import NamedTuple

from contracts.grid_tasks import CasePlaced, CaseReported, CaseTextErased
from events import Batch, Connection, Database, ReadModel

cases = ReadModel(
    "cases",
    version=2,
    personal=True,
    tables="""
    create table reported_case (
        case_id text primary key,
        category text not null,
        grid text not null,
        contact text
    );
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


@cases.on(CaseTextErased)
async def text_erased(db: Connection, events: Batch[CaseTextErased]) -> None:
    await db.execute("update reported_case set contact = null where case_id = any($1)", events.column("case"))


async def case(db: Database, id: str) -> ReportedCase | None:
    """The case of this id; None if it has not been heard of yet."""
    row = await db.fetchrow("select case_id, category, grid, contact from reported_case where case_id = $1", id)
    return ReportedCase(*row) if row else None
