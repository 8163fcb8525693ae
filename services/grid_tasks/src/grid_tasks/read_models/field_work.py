"""What each phone carries with it (随身工作): whose a case is or was, what came back to whom, and at which position of
the store each case last changed, so that a phone can be told what is new since it last asked.

Positions are those of the events, which this read model takes in their order: whoever has seen all up to its progress
has seen all up to there for good, and no late commit slips in behind (decision 0001).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.common import DeadlineClock, Place
from contracts.grid_tasks import (
    CaseAccepted,
    CaseAnswered,
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseHandedOver,
    CaseHelpAsked,
    CaseHelpGiven,
    CaseLookAsked,
    CaseLooked,
    CaseMerged,
    CasePaperDone,
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
    CaseTimeAsked,
    CaseTimeGiven,
    CaseTimeRefused,
    CaseUrgencyChanged,
    CaseVerified,
    CaseWarned,
    CaseWithdrawn,
)
from events import Batch, Connection, Database, Event, ReadModel
from events.event import START, Position

from grid_tasks.domain.moves import Step

field_work = ReadModel(
    "field_work",
    version=2,
    tables="""
    create table field_case (
        case_id text collate "C" primary key, -- as on the board: else it is not found there by its index
        grid text collate "C" not null,
        open boolean not null default true,
        clock text not null default 'clock_hours',
        warn_at timestamptz,
        paper_due boolean not null default false,
        incarnation integer not null,
        tx xid8 not null,
        number bigint not null
    );
    create index field_case_grid on field_case (grid, incarnation, tx, number);

    create table field_part (
        member text collate "C" not null,
        case_id text collate "C" not null,
        part text not null, -- has, helps; had: it is in other hands; ended: it was in theirs when it ended
        came_back text,
        came_back_at timestamptz,
        incarnation integer not null,
        tx xid8 not null,
        number bigint not null,
        primary key (member, case_id)
    );
    create index field_part_case on field_part (case_id);
    create index field_part_changed on field_part (member, incarnation, tx, number);
    create index field_part_open on field_part (member) where part in ('has', 'helps');
    create index field_part_back on field_part (member, came_back_at) where came_back is not null;
    """,
)

NEW = """new as (
    select distinct on (case_id) * from unnest($1::text[], $2::integer[], $3::text[], $4::bigint[]{types})
        with ordinality as n (case_id, incarnation, tx, number{names}, nth)
    order by case_id, nth desc
)"""
TYPES = {"warn_at": "timestamptz", "at": "timestamptz", "paper_due": "boolean"}
HERE = "part in ('has', 'helps')"


async def _change(
    db: Connection, events: Batch[Event], names: Iterable[str] = (), case: str = "", part: str = "", where: str = "true"
) -> None:
    """Marks the cases of these events as changed, and changes the rows of the cases, and those of `field_part` that
    `where` finds, as it says. What is given of each event goes by the names of its fields; the last one counts."""
    names = tuple(names)
    given = "".join(f", ${nth}::{TYPES.get(name, 'text')}[]" for nth, name in enumerate(names, 5))
    new = NEW.format(types=given, names="".join(f", {name}" for name in names))
    stamp = "incarnation = new.incarnation, tx = new.tx::xid8, number = new.number"
    parts = ", ".join(
        f"{column} = case when {where} then {value} else {column} end"
        for column, value in (it.split(" = ", 1) for it in part.split("; ") if it)
    )
    await db.execute(
        f"""with {new}, cases as (
                update field_case c set {stamp}{case and ", "}{case} from new where c.case_id = new.case_id
            )
            update field_part p set {stamp}{parts and ", "}{parts} from new where p.case_id = new.case_id""",  # noqa: S608
        events.column("case"),
        *_positions(events),
        *map(events.column, names),
    )


def _positions(events: Batch[Event]) -> tuple[list[int], list[str], list[int]]:
    found = [raw.position for raw in events.raws]
    return [it.incarnation for it in found], [str(it.tx) for it in found], [it.number for it in found]


async def _join(db: Connection, parts: Mapping[tuple[str, str], str]) -> None:
    """Gives each of these members their part in these cases."""
    await db.execute(
        """insert into field_part (member, case_id, part, incarnation, tx, number)
           select new.member, c.case_id, new.part, c.incarnation, c.tx, c.number
           from unnest($1::text[], $2::text[], $3::text[]) as new (member, case_id, part)
           join field_case c using (case_id)
           order by new.member, c.case_id
           on conflict (member, case_id) do update set part = excluded.part,
               incarnation = excluded.incarnation, tx = excluded.tx, number = excluded.number""",
        [member for member, _ in parts],
        [case for _, case in parts],
        list(parts.values()),
    )


@field_work.on(CaseReported)
async def reported(db: Connection, events: Batch[CaseReported]) -> None:
    await db.execute(
        """insert into field_case (case_id, grid, incarnation, tx, number)
           select case_id, grid, incarnation, tx::xid8, number
           from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::bigint[])
                as new (case_id, grid, incarnation, tx, number)""",
        *map(events.column, ("case", "grid")),
        *_positions(events),
    )


@field_work.on(CasePlaced)
async def placed(db: Connection, events: Batch[CasePlaced]) -> None:
    await _change(db, events, ["grid"], case="grid = new.grid")


@field_work.on(CaseAccepted)
async def accepted(db: Connection, events: Batch[CaseAccepted]) -> None:
    await _change(db, events, ["clock"], case="clock = new.clock")


@field_work.on(CaseDispatched)
async def dispatched(db: Connection, events: Batch[CaseDispatched]) -> None:
    case = "warn_at = new.warn_at, paper_due = false"
    await _change(db, events, ["warn_at", "worker"], case, "part = 'had'", "part = 'has'")
    await _has(db, events)


@field_work.on(CaseTakenOver)
async def taken_over(db: Connection, events: Batch[CaseTakenOver]) -> None:
    await _change(db, events, ["worker"], part="part = 'had'", where="part = 'has'")
    await _has(db, events)


async def _has(db: Connection, events: Batch[CaseDispatched] | Batch[CaseTakenOver]) -> None:
    """Whoever was given a case last has it."""
    parts: dict[tuple[str, str], str] = {}
    last: dict[str, str] = {}
    for it in events:
        if before := last.get(it.data.case):
            parts[before, it.data.case] = "had"
        parts[it.data.worker, it.data.case] = "has"
        last[it.data.case] = it.data.worker
    await _join(db, parts)


@field_work.on(CaseHelpAsked)
async def help_asked(db: Connection, events: Batch[CaseHelpAsked]) -> None:
    await _change(db, events)
    await _join(db, {(helper, it.data.case): "helps" for it in events for helper in it.data.helpers})


@field_work.on(CaseHelpGiven)
async def help_given(db: Connection, events: Batch[CaseHelpGiven]) -> None:
    for event in events:  # several may help with a case, and answer in one batch
        one = Batch(CaseHelpGiven, [event.raw], events.catalogue)
        await _change(db, one, ["helper"], part="part = 'had'", where="part = 'helps' and member = new.helper")


async def _with_nobody(db: Connection, events: Batch[Event]) -> None:
    await _change(db, events, case="warn_at = null", part="part = 'had'", where=HERE)


for _let_go in (CaseHandedOver, CaseReturned):
    field_work.on(_let_go)(_with_nobody)


@field_work.on(CaseReopened)
async def reopened(db: Connection, events: Batch[CaseReopened]) -> None:
    back = "came_back = 'reopened'; came_back_at = new.at"
    await _change(db, events, ["worker", "at"], "open = true, warn_at = null", back, "member = new.worker")
    await _change(db, events, part="part = 'had'", where="part <> 'had'")


@field_work.on(CaseTakenUp)
async def taken_up(db: Connection, events: Batch[CaseTakenUp]) -> None:
    await _change(db, events, case="open = true, warn_at = null", part="part = 'had'", where="part <> 'had'")


async def _back(db: Connection, events: Batch[Event], what: str, case: str = "", names: Iterable[str] = ()) -> None:
    """It came back to who has it."""
    back = f"came_back = '{what}'; came_back_at = new.at"
    await _change(db, events, ["worker", "at", *names], case, back, "member = new.worker")


@field_work.on(CaseSentBack)
async def sent_back(db: Connection, events: Batch[CaseSentBack]) -> None:
    await _back(db, events, "sent_back", "warn_at = new.warn_at, paper_due = false", ["warn_at"])


@field_work.on(CaseAnswered)
async def answered(db: Connection, events: Batch[CaseAnswered]) -> None:
    await _back(db, events, "answered")


@field_work.on(CaseTimeGiven)
async def time_given(db: Connection, events: Batch[CaseTimeGiven]) -> None:
    await _back(db, events, "time_given", "warn_at = new.warn_at", ["warn_at"])


@field_work.on(CaseTimeRefused)
async def time_refused(db: Connection, events: Batch[CaseTimeRefused]) -> None:
    await _back(db, events, "time_refused")


async def _warns_at(db: Connection, events: Batch[Event]) -> None:
    await _change(db, events, ["warn_at"], case="warn_at = new.warn_at")


for _reckoned in (CaseResumed, CaseUrgencyChanged):
    field_work.on(_reckoned)(_warns_at)


@field_work.on(CasePaused)
async def paused(db: Connection, events: Batch[CasePaused]) -> None:
    await _change(db, events, case="warn_at = null")


@field_work.on(CaseHandedIn)
async def handed_in(db: Connection, events: Batch[CaseHandedIn]) -> None:
    await _change(db, events, ["paper_due"], case="paper_due = new.paper_due, warn_at = null")


@field_work.on(CasePaperDone)
async def paper_done(db: Connection, events: Batch[CasePaperDone]) -> None:
    await _change(db, events, case="paper_due = false")


async def _ended(db: Connection, events: Batch[Event]) -> None:
    await _change(db, events, case="open = false, warn_at = null", part="part = 'ended'", where=HERE)


for _end in (CaseClosed, CaseRefused, CaseWithdrawn, CaseMerged):
    field_work.on(_end)(_ended)


async def _touched(db: Connection, events: Batch[Event]) -> None:
    await _change(db, events)


for _other in (
    CasePlaceCorrected,
    CaseStarted,
    CaseTimeAsked,
    CaseVerified,
    CaseLookAsked,
    CaseLooked,
    CaseRated,
    CaseWarned,
    CaseEscalated,
    CaseTextErased,
):
    field_work.on(_other)(_touched)


@dataclass(frozen=True, slots=True)
class Changed:
    """A case that changed: whether it is still the phone's to carry, or is gone out of its hands."""

    case: str
    position: Position
    here: bool


async def progress(db: Database) -> Position:
    """Up to where everything is shown here, and will stay so."""
    row = await db.fetchrow(
        """select incarnation, tx::text, position from log.progress
           where consumer = $1 and source = '' and partition = 0""",
        field_work.schema,
    )
    return Position(row[0], int(row[1]), row[2]) if row else START


async def changed(
    db: Database, member: str, grids: list[str], since: Position, first: Position, limit: int
) -> list[Changed]:
    """The cases that this member has or had, or that lie in these grids, and that changed after that position, in the
    order in which they did; of those that changed up to `first` only what is open and theirs."""
    rows = await db.fetch(
        """with found as (
               select case_id from field_part where member = $1 and (incarnation, tx, number) > ($3, $4::text::xid8, $5)
               union
               select case_id from field_case
               where grid = any($2) and (incarnation, tx, number) > ($3, $4::text::xid8, $5)
           ), told as (
               select c.*, coalesce(c.grid = any($2) or p.part <> 'had', false) as here
               from found join field_case c using (case_id)
               left join field_part p on p.member = $1 and p.case_id = c.case_id
           )
           select case_id, incarnation, tx::text, number, here from told
           where (here and open) or (incarnation, tx, number) > ($6, $7::text::xid8, $8)
           order by incarnation, told.tx, number limit $9""",
        member,
        grids,
        since.incarnation,
        str(since.tx),
        since.number,
        first.incarnation,
        str(first.tx),
        first.number,
        limit,
    )
    return [Changed(row[0], Position(row[1], int(row[2]), row[3]), row[4]) for row in rows]


@dataclass(frozen=True, slots=True)
class OpenPart:
    """A case that somebody has or helps with, as the board shows it."""

    case: str
    part: str
    category: str
    grid: str
    place: Place | None
    step: Step
    clock: DeadlineClock
    due: datetime | None
    warn_at: datetime | None
    urgent: bool
    escalated: bool
    attempt: int
    paper_due: bool
    dispatched_at: datetime | None


async def open_parts(db: Database, member: str) -> list[OpenPart]:
    """What a member has yet to do: cases in hand, those that lack their paper, and parts that they were asked to do;
    by deadline, what stands last."""
    rows = await db.fetch(
        """select p.case_id, p.part, b.category, b.grid, b.place[0], b.place[1], b.step, c.clock, b.due, c.warn_at,
                  b.urgent, b.escalated, b.attempt, c.paper_due, b.dispatched_at
           from field_part p join field_case c using (case_id) join board_case b using (case_id)
           where p.member = $1 and p.part in ('has', 'helps')
             and (b.step in ('dispatched', 'started', 'paused') or c.paper_due)
           order by b.due nulls last, p.case_id""",
        member,
    )
    return [
        OpenPart(
            row[0],
            row[1],
            row[2],
            row[3],
            None if row[4] is None else Place(longitude=row[4], latitude=row[5]),
            Step(row[6]),
            DeadlineClock(row[7]),
            *row[8:],
        )
        for row in rows
    ]


async def helped_by(db: Database, member: str) -> list[str]:
    """The cases that wait for a member's part."""
    rows = await db.fetch("select case_id from field_part where member = $1 and part = 'helps' order by 1", member)
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class CameBack:
    """Something that somebody else did to a case of theirs: the last such thing."""

    case: str
    what: str
    at: datetime
    category: str
    step: Step
    due: datetime | None
    worker: str | None


async def came_back(db: Database, member: str, since: datetime, limit: int) -> list[CameBack]:
    """What came back to a member since that moment, newest first."""
    rows = await db.fetch(
        """select p.case_id, p.came_back, p.came_back_at, b.category, b.step, b.due, b.worker
           from field_part p join board_case b using (case_id)
           where p.member = $1 and p.came_back is not null and p.came_back_at >= $2
           order by p.came_back_at desc, p.case_id limit $3""",
        member,
        since,
        limit,
    )
    return [CameBack(row[0], row[1], row[2], row[3], Step(row[4]), row[5], row[6]) for row in rows]
