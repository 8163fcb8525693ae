"""Who has how much to do (在手): the cases that each has yet to hand in, weighed; and the cases nobody has.

Follows this service's own cases only; who is in post it takes from `workers`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import asyncpg
from contracts.common import Post
from contracts.grid_tasks import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseHandedIn,
    CaseHandedOver,
    CaseMerged,
    CasePlaced,
    CaseRefused,
    CaseReopened,
    CaseReturned,
    CaseSentBack,
    CaseTakenOver,
    CaseTakenUp,
    CaseWithdrawn,
)
from events import Batch, Connection, Database, Event, ReadModel

from grid_tasks.domain.placing import Candidate, Needed
from grid_tasks.read_models.arrays import array_of
from grid_tasks.read_models.workers import HANDLING

open_work = ReadModel(
    "open_work",
    version=4,
    tables="""
    create table open_case (
        case_id text primary key,
        grid text not null,
        worker text,
        in_hand boolean not null default false,
        given_back boolean not null default false, -- by its worker: it waits for a person
        role text not null,
        body text not null,
        skills text[] not null,
        weight integer not null
    );
    create index open_case_worker on open_case (worker) where in_hand;
    create index open_case_grid on open_case (grid) where in_hand or worker is null;
    create index open_case_body on open_case (body) where body <> '';

    create table last_case (
        worker text primary key,
        at timestamptz not null
    );
    """,
)

CANDIDATES = """
select asked.nth, m.member, p.post, coalesce(o.count, 0) as open_cases, coalesce(o.load, 0) as load,
    last_case.at as last_case,
    m.skills, m.trained, m.trained_on, m.hours, m.on_leave_since, m.on_leave_until
from unnest($1::text[], $2::text[], $3::text[]) with ordinality as asked (grid, role, body, nth)
cross join lateral (
    select member, post from in_post
    where asked.body = '' and grid = asked.grid and (post = any($4) or post = asked.role)
    union all
    select member, post from in_post
    where asked.body <> '' and post = 'department_liaison' and body = asked.body
) p
join member m using (member)
left join last_case on last_case.worker = m.member
left join lateral (
    select count(*), sum(weight) as load from open_case o where o.worker = m.member and o.in_hand
) o on true
order by asked.nth, m.member
"""

IN_POST = """
exists (
    select from in_post p where p.member = o.worker and case when o.body = ''
        then p.grid = o.grid and (p.post = any($1) or p.post = o.role)
        else p.post = 'department_liaison' and p.body = o.body end
)
"""

STRANDED = f"""
select o.case_id, o.grid, o.worker, o.role, o.body, o.skills, o.weight from open_case o
where (o.in_hand or o.worker is null) and {{}} and not {IN_POST}
order by o.case_id
"""  # noqa: S608
SOME = "(o.grid = $2 or o.worker = $3 or ($4 <> '' and o.body = $4) or o.case_id = any($5))"

LOADS = """
select member, m.grid, post, coalesce(o.count, 0) as open_cases, last_case.at as last_case, coalesce(o.load, 0) as load
from member m left join last_case on last_case.worker = m.member
left join lateral (
    select count(*), sum(weight) as load from open_case o where o.worker = m.member and o.in_hand
) o on true
where m.post = any($1) and ($2::text is null or m.grid = $2) and member > $3
order by member limit $4
"""


@open_work.on(CaseAccepted)
async def accepted(db: Connection, events: Batch[CaseAccepted]) -> None:
    await _waits(db, events)


@open_work.on(CaseReopened)
async def reopened(db: Connection, events: Batch[CaseReopened]) -> None:
    await _waits(db, events)


@open_work.on(CaseTakenUp)
async def taken_up(db: Connection, events: Batch[CaseTakenUp]) -> None:
    """What was not accepted before is to be accepted first."""
    await _waits(db, events, [due is not None for due in events.column("due")])


async def _waits(
    db: Connection,
    events: Batch[CaseAccepted] | Batch[CaseReopened] | Batch[CaseTakenUp],
    so: Sequence[bool] | None = None,
) -> None:
    """They wait for somebody; if `so` is given, those of which it is so."""
    await db.execute(
        """insert into open_case (case_id, grid, role, body, skills, weight)
           select case_id, grid, role, body, skills::text[], weight
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::boolean[])
                as new (case_id, grid, role, body, skills, weight, so)
           where so""",
        *map(events.column, ("case", "grid", "role", "body")),
        [array_of(it) for it in events.column("skills")],
        events.column("weight"),
        so or [True] * len(events.column("case")),
    )


@open_work.on(CaseDispatched)
async def dispatched(db: Connection, events: Batch[CaseDispatched]) -> None:
    await db.execute(
        """update open_case o set worker = new.worker, in_hand = true, given_back = false
           from (
               select distinct on (case_id) case_id, worker
               from unnest($1::text[], $2::text[]) with ordinality as n (case_id, worker, place)
               order by case_id, place desc
           ) new
           where o.case_id = new.case_id""",
        events.column("case"),
        events.column("worker"),
    )
    await db.execute(
        """insert into last_case as known (worker, at)
           select worker, max(at) from unnest($1::text[], $2::timestamptz[]) as new (worker, at)
           group by worker order by worker
           on conflict (worker) do update set at = greatest(known.at, excluded.at)""",
        events.column("worker"),
        events.column("at"),
    )


@open_work.on(CasePlaced)
async def placed(db: Connection, events: Batch[CasePlaced]) -> None:
    await _latest(db, events, "grid")
    await db.execute("update open_case set given_back = false where case_id = any($1)", events.column("case"))


@open_work.on(CaseTakenOver)
async def taken_over(db: Connection, events: Batch[CaseTakenOver]) -> None:
    await _latest(db, events, "worker")


async def _latest(db: Connection, events: Batch[Event], column: str) -> None:
    """Sets this column to what was told last of each case."""
    latest = dict(zip(events.column("case"), events.column(column), strict=True))
    await db.execute(
        f"""update open_case o set {column} = new.value from unnest($1::text[], $2::text[]) as new (case_id, value)
            where o.case_id = new.case_id""",  # noqa: S608  # nothing of an event is in it
        list(latest),
        list(latest.values()),
    )


@open_work.on(CaseHandedOver)
async def handed_over(db: Connection, events: Batch[CaseHandedOver]) -> None:
    await db.execute(
        """update open_case o set worker = null, in_hand = false, given_back = false, body = new.body
           from (
               select distinct on (case_id) case_id, body
               from unnest($1::text[], $2::text[]) with ordinality as n (case_id, body, place)
               order by case_id, place desc
           ) new
           where o.case_id = new.case_id""",
        *map(events.column, ("case", "body")),
    )


@open_work.on(CaseReturned)
async def returned(db: Connection, events: Batch[CaseReturned]) -> None:
    await db.execute(
        "update open_case set worker = null, in_hand = false, given_back = true where case_id = any($1)",
        events.column("case"),
    )


@open_work.on(CaseHandedIn)
async def handed_in(db: Connection, events: Batch[CaseHandedIn]) -> None:
    await db.execute("update open_case set in_hand = false where case_id = any($1)", events.column("case"))


@open_work.on(CaseSentBack)
async def sent_back(db: Connection, events: Batch[CaseSentBack]) -> None:
    await db.execute("update open_case set in_hand = true where case_id = any($1)", events.column("case"))


async def _gone(db: Connection, events: Batch[Event]) -> None:
    await db.execute("delete from open_case where case_id = any($1)", events.column("case"))


for _end in (CaseClosed, CaseRefused, CaseWithdrawn, CaseMerged):
    open_work.on(_end)(_gone)


class Stranded(NamedTuple):
    """A case that nobody has, or that is with someone who is not, or no longer, in post in its grid."""

    case: str
    grid: str
    worker: str | None
    role: Post = Post.GRID_WORKER
    body: str = ""
    skills: tuple[str, ...] = ()
    weight: int = 1

    @property
    def needed(self) -> Needed:
        """What it asks of who handles it."""
        return Needed(self.grid, self.role, self.body, self.skills)


@dataclass(frozen=True, slots=True)
class Load:
    """How much a grid worker or leader has in hand, and when they were last given a case."""

    worker: str
    grid: str
    post: Post
    open_cases: int
    last_case: datetime | None
    load: int
    """The same cases, weighed by the duty list."""


async def candidates(db: Database, needed: Collection[Needed]) -> dict[Needed, list[Candidate]]:
    """For each of these, those in post who may handle such a case, with the open work of each."""
    asked = list(needed)
    rows = await db.fetch(
        CANDIDATES, [it.grid for it in asked], [it.role for it in asked], [it.body for it in asked], HANDLING
    )
    found: dict[Needed, list[Candidate]] = {it: [] for it in asked}
    for row in rows:
        found[asked[row["nth"] - 1]].append(_candidate(row))
    return found


def _candidate(row: asyncpg.Record) -> Candidate:
    return Candidate(
        row["member"],
        Post(row["post"]),
        row["open_cases"],
        int(row["load"]),
        row["last_case"],
        frozenset(row["skills"]),
        dict(zip(row["trained"], row["trained_on"], strict=True)),
        row["hours"],
        row["on_leave_since"],
        row["on_leave_until"],
    )


async def stranded(
    db: Database, *, grid: str | None = None, worker: str | None = None, body: str = "", cases: Collection[str] = ()
) -> list[Stranded]:
    """The stranded cases of this grid, with this worker, of this department, and of these."""
    return _stranded(await db.fetch(STRANDED.format(SOME), HANDLING, grid, worker, body, list(cases)))


async def waiting(db: Database) -> list[Stranded]:
    """All of them, but for those that their worker has given back: these wait for a person."""
    return _stranded(await db.fetch(STRANDED.format("not o.given_back"), HANDLING))


def _stranded(rows: Sequence[asyncpg.Record]) -> list[Stranded]:
    return [Stranded(row[0], row[1], row[2], Post(row[3]), row[4], tuple(row[5]), row[6]) for row in rows]


async def loads(db: Database, grid: str | None, after: str, limit: int) -> list[Load]:
    """The open work of those who handle cases, of one grid or of all, in the order of their ids, after this one."""
    rows = await db.fetch(LOADS, HANDLING, grid, after, limit)
    return [Load(row[0], row[1], Post(row[2]), row[3], row[4], int(row[5])) for row in rows]
