"""All cases at a glance, for lists: where each stands, with whom, by when. No description and no contact is kept here.

Newest first. The times of dispatch, start and hand-in are those of the present attempt.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.common import Place
from contracts.grid_tasks import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseHandedOver,
    CaseMerged,
    CasePaused,
    CasePlaceCorrected,
    CasePlaced,
    CaseRated,
    CaseRefused,
    CaseReopened,
    CaseReported,
    CaseResumed,
    CaseReturned,
    CaseSentBack,
    CaseStarted,
    CaseTakenOver,
    CaseTakenUp,
    CaseTextErased,
    CaseTimeGiven,
    CaseUrgencyChanged,
    CaseVerified,
    CaseWithdrawn,
)
from events import Batch, Connection, Database, Event, ReadModel

from grid_tasks.domain.moves import Step
from grid_tasks.read_models.grids import MICRO, grid_now_of

case_board = ReadModel(
    "case_board",
    version=6,
    tables="""
    create table board_case (
        case_id text collate "C" primary key,
        category text not null,
        grid text not null,
        place point, -- longitude, latitude; as long as it is open
        step text not null,
        merged_into text, -- as long as it is
        reporter_kind text not null,
        body text not null default '',
        worker text,
        due timestamptz,
        urgent boolean not null,
        escalated boolean not null default false,
        attempt integer not null default 1,
        rating integer,
        reported_at timestamptz not null,
        accepted_at timestamptz,
        dispatched_at timestamptz,
        started_at timestamptz,
        handed_in_at timestamptz,
        closed_at timestamptz,
        ended boolean not null default false,
        text_erased boolean not null default false
    );
    create index board_case_text on board_case (closed_at) where closed_at is not null and not text_erased;
    create index board_case_newest on board_case (reported_at, case_id);
    create index board_case_grid on board_case (grid, reported_at, case_id);
    create index board_case_worker on board_case (worker, reported_at, case_id);
    create index board_case_step on board_case (step, reported_at, case_id);
    create index board_case_category on board_case (category, reported_at, case_id);
    create index board_case_body on board_case (body, reported_at, case_id) where body <> '';
    create index board_case_reporter on board_case (reporter_kind, reported_at, case_id);
    create index board_case_closed on board_case (closed_at, case_id) where closed_at is not null;
    create index board_case_grid_closed on board_case (grid, closed_at, case_id) where closed_at is not null;
    create index board_case_in_hand on board_case (reported_at, case_id, due)
        where step in ('accepted', 'dispatched', 'started');
    create index board_case_escalated on board_case (reported_at, case_id) where escalated;
    create index board_case_merged_into on board_case (merged_into) where merged_into is not null;
    create index board_case_place on board_case using gist (place) where place is not null;
    """,
)

COLUMNS = """case_id, category, grid, step, body, worker, due, urgent, escalated, attempt, rating,
    reported_at, accepted_at, dispatched_at, started_at, handed_in_at, closed_at"""


@dataclass(frozen=True, slots=True)
class BoardCase:
    """A case as the board shows it."""

    case: str
    category: str
    grid: str
    step: Step
    body: str
    """The department that has it; empty: the grid."""
    worker: str | None
    due: datetime | None
    """None while its clock stands."""
    urgent: bool
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
    places: list[Place] = events.column("place")
    await db.execute(
        """insert into board_case (case_id, category, grid, reporter_kind, place, step, urgent, reported_at)
           select case_id, category, grid, kind, point(longitude, latitude), $1, urgent, at
           from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::float[], $7::float[], $8::boolean[],
                       $9::timestamptz[])
                as new (case_id, category, grid, kind, longitude, latitude, urgent, at)""",
        Step.REPORTED,
        *map(events.column, ("case", "category", "grid", "reporter_kind")),
        [it.longitude for it in places],
        [it.latitude for it in places],
        events.column("urgent"),
        events.column("at"),
    )


async def _set(db: Connection, events: Batch[Event], changes: str, columns: Iterable[str] = ()) -> None:
    """Changes the rows of the cases; what is given of each event goes by the names of its fields, the last event of a
    case counts."""
    types = {"at": "timestamptz", "due": "timestamptz", "rating": "integer", "urgent": "boolean"}
    names = tuple(columns)
    given = ", ".join(f"${nth}::{types.get(name, 'text')}[]" for nth, name in enumerate(names, 2))
    listed = "".join(f", {name}" for name in names)
    await db.execute(
        f"""update board_case b set {changes}
            from (
                select distinct on (case_id) case_id{listed}
                from unnest($1::text[]{", " if names else ""}{given}) with ordinality as n (case_id{listed}, nth)
                order by case_id, nth desc
            ) new
            where b.case_id = new.case_id""",  # noqa: S608  # nothing of an event is in it
        events.column("case"),
        *map(events.column, names),
    )


@case_board.on(CasePlaced)
async def placed(db: Connection, events: Batch[CasePlaced]) -> None:
    await _set(db, events, "grid = new.grid", ["grid"])


@case_board.on(CasePlaceCorrected)
async def place_corrected(db: Connection, events: Batch[CasePlaceCorrected]) -> None:
    await db.executemany(
        "update board_case set place = point($2, $3) where case_id = $1",
        [(it.data.case, it.data.place.longitude, it.data.place.latitude) for it in events],
    )


@case_board.on(CaseAccepted)
async def accepted(db: Connection, events: Batch[CaseAccepted]) -> None:
    await db.execute(
        """update board_case b set step = $1, accepted_at = new.at, body = new.body,
               due = coalesce(new.due, new.at + make_interval(mins => new.minutes))
           from unnest($2::text[], $3::timestamptz[], $4::integer[], $5::timestamptz[], $6::text[])
                as new (case_id, at, minutes, due, body)
           where b.case_id = new.case_id""",
        Step.ACCEPTED,
        events.column("case"),
        events.column("at"),
        events.column("deadline_minutes"),
        events.column("due"),
        events.column("body"),
    )


@case_board.on(CaseDispatched)
async def dispatched(db: Connection, events: Batch[CaseDispatched]) -> None:
    changes = """step = 'dispatched', worker = new.worker, due = new.due, dispatched_at = new.at,
                 started_at = null, handed_in_at = null"""
    await _set(db, events, changes, ["worker", "due", "at"])


@case_board.on(CaseTakenOver)
async def taken_over(db: Connection, events: Batch[CaseTakenOver]) -> None:
    await _set(db, events, "worker = new.worker", ["worker"])


@case_board.on(CaseHandedOver)
async def handed_over(db: Connection, events: Batch[CaseHandedOver]) -> None:
    changes = "step = 'accepted', worker = null, body = new.body, due = new.due, started_at = null"
    await _set(db, events, changes, ["body", "due"])


@case_board.on(CaseReturned)
async def returned(db: Connection, events: Batch[CaseReturned]) -> None:
    await _set(db, events, "step = 'accepted', worker = null, started_at = null")


@case_board.on(CaseReopened)
async def reopened(db: Connection, events: Batch[CaseReopened]) -> None:
    changes = """step = 'accepted', worker = null, due = new.due, attempt = b.attempt + 1, ended = false,
                 started_at = null, handed_in_at = null, closed_at = null"""
    await _set(db, events, changes, ["due"])
    await _lies(db, events)


@case_board.on(CaseTakenUp)
async def taken_up(db: Connection, events: Batch[CaseTakenUp]) -> None:
    changes = """step = case when new.due is null then 'reported' else 'accepted' end, worker = null, due = new.due,
                 merged_into = null, ended = false, started_at = null, closed_at = null"""
    await _set(db, events, changes, ["due"])
    await _lies(db, events)


async def _lies(db: Connection, events: Batch[CaseReopened] | Batch[CaseTakenUp]) -> None:
    places: list[Place | None] = events.column("place")
    await db.execute(
        """update board_case b set place = point(new.longitude, new.latitude)
           from unnest($1::text[], $2::float[], $3::float[]) as new (case_id, longitude, latitude)
           where b.case_id = new.case_id""",
        events.column("case"),
        [it and it.longitude for it in places],
        [it and it.latitude for it in places],
    )


@case_board.on(CaseSentBack)
async def sent_back(db: Connection, events: Batch[CaseSentBack]) -> None:
    changes = """step = 'dispatched', due = new.due, attempt = b.attempt + 1, started_at = null,
                 handed_in_at = null"""
    await _set(db, events, changes, ["due"])


@case_board.on(CaseStarted)
async def started(db: Connection, events: Batch[CaseStarted]) -> None:
    await _set(db, events, "step = 'started', started_at = new.at", ["at"])


@case_board.on(CasePaused)
async def paused(db: Connection, events: Batch[CasePaused]) -> None:
    await _set(db, events, "step = 'paused', due = null")


@case_board.on(CaseResumed)
async def resumed(db: Connection, events: Batch[CaseResumed]) -> None:
    changes = "step = 'started', due = new.due, started_at = coalesce(b.started_at, new.at)"
    await _set(db, events, changes, ["due", "at"])


@case_board.on(CaseTimeGiven)
async def time_given(db: Connection, events: Batch[CaseTimeGiven]) -> None:
    await _set(db, events, "due = new.due", ["due"])


@case_board.on(CaseUrgencyChanged)
async def urgency_changed(db: Connection, events: Batch[CaseUrgencyChanged]) -> None:
    await _set(db, events, "due = new.due, urgent = new.urgent", ["due", "urgent"])


@case_board.on(CaseHandedIn)
async def handed_in(db: Connection, events: Batch[CaseHandedIn]) -> None:
    await _set(db, events, "step = 'handed_in', handed_in_at = new.at", ["at"])


@case_board.on(CaseVerified)
async def verified(db: Connection, events: Batch[CaseVerified]) -> None:
    await _set(db, events, "step = 'verified'")


@case_board.on(CaseClosed)
async def closed(db: Connection, events: Batch[CaseClosed]) -> None:
    await _set(db, events, "step = 'closed', closed_at = new.at, ended = true, place = null", ["at"])


async def _ended(db: Connection, events: Batch[Event], step: Step) -> None:
    await _set(db, events, f"step = '{step}', closed_at = new.at, ended = true, due = null, place = null", ["at"])


@case_board.on(CaseRefused)
async def refused(db: Connection, events: Batch[CaseRefused]) -> None:
    await _ended(db, events, Step.REFUSED)


@case_board.on(CaseWithdrawn)
async def withdrawn(db: Connection, events: Batch[CaseWithdrawn]) -> None:
    await _ended(db, events, Step.WITHDRAWN)


@case_board.on(CaseMerged)
async def merged(db: Connection, events: Batch[CaseMerged]) -> None:
    await _ended(db, events, Step.MERGED)
    await db.execute(
        """update board_case b set merged_into = new.other
           from unnest($1::text[], $2::text[]) as new (case_id, other) where b.case_id = new.case_id""",
        *map(events.column, ("case", "into")),
    )


@case_board.on(CaseRated)
async def rated(db: Connection, events: Batch[CaseRated]) -> None:
    await _set(db, events, "rating = new.rating", ["rating"])


@case_board.on(CaseEscalated)
async def escalated(db: Connection, events: Batch[CaseEscalated]) -> None:
    await _set(db, events, "escalated = true")


@case_board.on(CaseTextErased)
async def text_erased(db: Connection, events: Batch[CaseTextErased]) -> None:
    await _set(db, events, "text_erased = true")


_AT = f"point(b.place[0] * {MICRO}, b.place[1] * {MICRO})"

MISPLACED = f"""
select case_id, now from (
    select b.case_id, b.grid, {grid_now_of(_AT, "b.grid")} as now from board_case b
    where b.place is not null and (b.grid = any($1::text[]) or exists (
        select from grid_area g where g.grid = any($1::text[]) and g.boundary @> {_AT}
    ))
) it where now <> grid order by case_id
"""  # noqa: S608


async def misplaced(db: Database, drawn: Collection[str]) -> list[tuple[str, str]]:
    """Open cases of these grids, or that lie in them, that are another grid's now; with that grid."""
    rows = await db.fetch(MISPLACED, list(drawn))
    return [(row[0], row[1]) for row in rows]


async def merged_into(db: Database, case: str) -> list[str]:
    """The cases that this one went on for."""
    rows = await db.fetch("select case_id from board_case where merged_into = $1 order by case_id", case)
    return [row[0] for row in rows]


async def closed_before(db: Database, moment: datetime, limit: int) -> list[str]:
    """Cases that ended before that moment, and whose text is still there."""
    rows = await db.fetch(
        """select case_id from board_case where closed_at < $1 and closed_at is not null and not text_erased
           order by closed_at limit $2""",
        moment,
        limit,
    )
    return [row[0] for row in rows]


async def alike(db: Database, case: str) -> list[BoardCase]:
    """Open cases that may be the same as this one: of its category, at most 50 m and a day away, the nearest first.
    What rules report is never the same."""
    rows = await db.fetch(
        f"""select {", ".join(f"o.{it.strip()}" for it in COLUMNS.split(","))}
            from board_case b join board_case o on o.category = b.category and o.case_id <> b.case_id
            where b.case_id = $1 and 'rule' not in (b.reporter_kind, o.reporter_kind)
                  and o.place <@ circle(b.place, $2)
                  and abs(extract(epoch from o.reported_at - b.reported_at)) <= 86400
                  and sqrt(((o.place[0] - b.place[0]) * cos(radians(b.place[1]))) ^ 2
                           + (o.place[1] - b.place[1]) ^ 2) <= $3
            order by o.place <-> b.place, o.case_id limit 20""",  # noqa: S608
        case,
        2 * FIFTY_METRES,  # degrees of longitude are shorter than those of latitude: to N 60 at most by half
        FIFTY_METRES,
    )
    return [board_case(row) for row in rows]


FIFTY_METRES = 50 / 111_320
"""In degrees of latitude."""


def board_case(row: tuple[object, ...]) -> BoardCase:
    """A row of these columns."""
    return BoardCase(*row[:3], Step(str(row[3])), *row[4:])  # type: ignore[arg-type]  # as COLUMNS has them
