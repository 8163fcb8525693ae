"""All cases at a glance, for lists: where each stands, with whom, by when. No description and no contact is kept here.

Newest first. The times of dispatch, start and hand-in are those of the present attempt.
"""

from dataclasses import dataclass
from datetime import datetime

from contracts.grid_tasks import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseRated,
    CaseReported,
    CaseSentBack,
    CaseStarted,
    CaseTextErased,
)
from events import Batch, Connection, Database, ReadModel

from grid_tasks.domain.case import Step

case_board = ReadModel(
    "case_board",
    version=2,
    tables="""
    create table board_case (
        case_id text primary key,
        category text not null,
        grid text not null,
        step text not null,
        worker text,
        due timestamptz,
        escalated boolean not null default false,
        attempt integer not null default 1,
        rating integer,
        reported_at timestamptz not null,
        accepted_at timestamptz,
        dispatched_at timestamptz,
        started_at timestamptz,
        handed_in_at timestamptz,
        closed_at timestamptz,
        text_erased boolean not null default false
    );
    create index board_case_text on board_case (closed_at) where closed_at is not null and not text_erased;
    create index board_case_newest on board_case (reported_at, case_id);
    create index board_case_grid on board_case (grid, reported_at, case_id);
    create index board_case_worker on board_case (worker, reported_at, case_id);
    create index board_case_step on board_case (step, reported_at, case_id);
    create index board_case_escalated on board_case (reported_at, case_id) where escalated;
    """,
)

COLUMNS = """case_id, category, grid, step, worker, due, escalated, attempt, rating,
    reported_at, accepted_at, dispatched_at, started_at, handed_in_at, closed_at"""


@dataclass(frozen=True, slots=True)
class BoardCase:
    """A case as the board shows it."""

    case: str
    category: str
    grid: str
    step: Step
    worker: str | None
    due: datetime | None
    escalated: bool
    attempt: int
    rating: int | None
    reported_at: datetime
    accepted_at: datetime | None
    dispatched_at: datetime | None
    started_at: datetime | None
    handed_in_at: datetime | None
    closed_at: datetime | None


@case_board.on(CaseReported)
async def reported(db: Connection, events: Batch[CaseReported]) -> None:
    await db.execute(
        """insert into board_case (case_id, category, grid, step, reported_at)
           select case_id, category, grid, $1, at
           from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) as new (case_id, category, grid, at)""",
        Step.REPORTED,
        events.column("case"),
        events.column("category"),
        events.column("grid"),
        events.column("at"),
    )


@case_board.on(CaseAccepted)
async def accepted(db: Connection, events: Batch[CaseAccepted]) -> None:
    await db.execute(
        """update board_case b set step = $1, accepted_at = new.at, due = new.at + make_interval(mins => new.minutes)
           from unnest($2::text[], $3::timestamptz[], $4::integer[]) as new (case_id, at, minutes)
           where b.case_id = new.case_id""",
        Step.ACCEPTED,
        events.column("case"),
        events.column("at"),
        events.column("deadline_minutes"),
    )


@case_board.on(CaseDispatched)
async def dispatched(db: Connection, events: Batch[CaseDispatched]) -> None:
    await db.execute(
        """update board_case b set step = $1, worker = new.worker, due = new.due, dispatched_at = new.at,
               started_at = null, handed_in_at = null
           from (
               select distinct on (case_id) case_id, worker, due, at
               from unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
                   with ordinality as n (case_id, worker, due, at, place)
               order by case_id, place desc
           ) new
           where b.case_id = new.case_id""",
        Step.DISPATCHED,
        events.column("case"),
        events.column("worker"),
        events.column("due"),
        events.column("at"),
    )


@case_board.on(CaseSentBack)
async def sent_back(db: Connection, events: Batch[CaseSentBack]) -> None:
    await db.execute(
        """update board_case b set step = $1, due = new.due, attempt = attempt + 1, started_at = null,
               handed_in_at = null
           from unnest($2::text[], $3::timestamptz[]) as new (case_id, due)
           where b.case_id = new.case_id""",
        Step.DISPATCHED,
        events.column("case"),
        events.column("due"),
    )


@case_board.on(CaseStarted)
async def started(db: Connection, events: Batch[CaseStarted]) -> None:
    await db.execute(
        """update board_case b set step = $1, started_at = new.at
           from unnest($2::text[], $3::timestamptz[]) as new (case_id, at) where b.case_id = new.case_id""",
        Step.STARTED,
        events.column("case"),
        events.column("at"),
    )


@case_board.on(CaseHandedIn)
async def handed_in(db: Connection, events: Batch[CaseHandedIn]) -> None:
    await db.execute(
        """update board_case b set step = $1, handed_in_at = new.at
           from unnest($2::text[], $3::timestamptz[]) as new (case_id, at) where b.case_id = new.case_id""",
        Step.HANDED_IN,
        events.column("case"),
        events.column("at"),
    )


@case_board.on(CaseClosed)
async def closed(db: Connection, events: Batch[CaseClosed]) -> None:
    await db.execute(
        """update board_case b set step = $1, closed_at = new.at
           from unnest($2::text[], $3::timestamptz[]) as new (case_id, at) where b.case_id = new.case_id""",
        Step.CLOSED,
        events.column("case"),
        events.column("at"),
    )


@case_board.on(CaseRated)
async def rated(db: Connection, events: Batch[CaseRated]) -> None:
    await db.execute(
        """update board_case b set rating = new.rating
           from unnest($1::text[], $2::integer[]) as new (case_id, rating) where b.case_id = new.case_id""",
        events.column("case"),
        events.column("rating"),
    )


@case_board.on(CaseEscalated)
async def escalated(db: Connection, events: Batch[CaseEscalated]) -> None:
    await db.execute("update board_case set escalated = true where case_id = any($1)", events.column("case"))


@case_board.on(CaseTextErased)
async def text_erased(db: Connection, events: Batch[CaseTextErased]) -> None:
    await db.execute("update board_case set text_erased = true where case_id = any($1)", events.column("case"))


async def closed_before(db: Database, moment: datetime, limit: int) -> list[str]:
    """Cases that were closed before that moment, and whose text is still there."""
    rows = await db.fetch(
        """select case_id from board_case where closed_at < $1 and closed_at is not null and not text_erased
           order by closed_at limit $2""",
        moment,
        limit,
    )
    return [row[0] for row in rows]


async def newest(
    db: Database,
    *,
    step: Step | None = None,
    grid: str | None = None,
    worker: str | None = None,
    escalated: bool | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int,
) -> list[BoardCase]:
    """Cases, newest first, of this step, grid, worker and flag, reported before that moment and id."""
    # Only the conditions that are asked for stand in the statement, so that each has its index.
    asked = {"step": step, "grid": grid, "worker": worker, "escalated": escalated}
    given = {column: value for column, value in asked.items() if value is not None}
    conditions = ["true", *(f"{column} = ${nth}" for nth, column in enumerate(given, 2))]
    if before:
        conditions.append(f"(reported_at, case_id) < (${len(given) + 2}, ${len(given) + 3})")
    rows = await db.fetch(
        f"""select {COLUMNS} from board_case where {" and ".join(conditions)}
            order by reported_at desc, case_id desc limit $1""",  # noqa: S608  # nothing of the request is in it
        limit,
        *given.values(),
        *(before or ()),
    )
    return [BoardCase(row[0], row[1], row[2], Step(row[3]), *row[4:]) for row in rows]
