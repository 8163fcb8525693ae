"""Who has how much to do (在手): the cases that each worker has yet to hand in, one each; and the cases nobody has.

Follows this service's own cases only; who is in post it takes from `workers`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from contracts.common import Post
from contracts.grid_tasks import CaseAccepted, CaseClosed, CaseDispatched, CaseHandedIn, CaseSentBack
from events import Batch, Connection, Database, ReadModel

from grid_tasks.domain.placing import Candidate
from grid_tasks.read_models.workers import HANDLING

open_work = ReadModel(
    "open_work",
    tables="""
    create table open_case (
        case_id text primary key,
        grid text not null,
        worker text,
        in_hand boolean not null default false
    );
    create index open_case_worker on open_case (worker) where in_hand;
    create index open_case_grid on open_case (grid) where in_hand or worker is null;

    create table last_case (
        worker text primary key,
        at timestamptz not null
    );
    """,
)

CANDIDATES = """
select member, post, (select count(*) from open_case o where o.worker = m.member and o.in_hand) as open_cases,
    last_case.at as last_case
from member m left join last_case on last_case.worker = m.member
where m.grid = $1 and m.post = any($2)
order by member
"""

STRANDED = """
select o.case_id, o.grid, o.worker from open_case o
where (o.in_hand or o.worker is null) and (o.grid = $1 or o.worker = $2) and not exists (
    select from member m where m.member = o.worker and m.grid = o.grid and m.post = any($3)
)
order by o.case_id
"""

LOADS = """
select member, m.grid, post, (select count(*) from open_case o where o.worker = m.member and o.in_hand) as open_cases,
    last_case.at as last_case
from member m left join last_case on last_case.worker = m.member
where m.post = any($1) and ($2::text is null or m.grid = $2) and member > $3
order by member limit $4
"""


@open_work.on(CaseAccepted)
async def accepted(db: Connection, events: Batch[CaseAccepted]) -> None:
    await db.execute(
        "insert into open_case (case_id, grid) select * from unnest($1::text[], $2::text[])",
        events.column("case"),
        events.column("grid"),
    )


@open_work.on(CaseDispatched)
async def dispatched(db: Connection, events: Batch[CaseDispatched]) -> None:
    await db.execute(
        """update open_case o set worker = new.worker, in_hand = true
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


@open_work.on(CaseHandedIn)
async def handed_in(db: Connection, events: Batch[CaseHandedIn]) -> None:
    await db.execute("update open_case set in_hand = false where case_id = any($1)", events.column("case"))


@open_work.on(CaseSentBack)
async def sent_back(db: Connection, events: Batch[CaseSentBack]) -> None:
    await db.execute("update open_case set in_hand = true where case_id = any($1)", events.column("case"))


@open_work.on(CaseClosed)
async def closed(db: Connection, events: Batch[CaseClosed]) -> None:
    await db.execute("delete from open_case where case_id = any($1)", events.column("case"))


class Stranded(NamedTuple):
    """A case that nobody has, or that is with someone who is not, or no longer, in post in its grid."""

    case: str
    grid: str
    worker: str | None


@dataclass(frozen=True, slots=True)
class Load:
    """How much a grid worker or leader has in hand, and when they were last given a case."""

    worker: str
    grid: str
    post: Post
    open_cases: int
    last_case: datetime | None


async def candidates(db: Database, grid: str) -> list[Candidate]:
    """Those in post in the grid who handle cases, with the open work of each."""
    rows = await db.fetch(CANDIDATES, grid, HANDLING)
    return [Candidate(row["member"], Post(row["post"]), row["open_cases"], row["last_case"]) for row in rows]


async def stranded(db: Database, *, grid: str | None = None, worker: str | None = None) -> list[Stranded]:
    """The stranded cases of this grid, and those with this worker."""
    return [Stranded(*row) for row in await db.fetch(STRANDED, grid, worker, HANDLING)]


async def loads(db: Database, grid: str | None, after: str, limit: int) -> list[Load]:
    """The open work of those who handle cases, of one grid or of all, in the order of their ids, after this one."""
    rows = await db.fetch(LOADS, HANDLING, grid, after, limit)
    return [Load(row[0], row[1], Post(row[2]), row[3], row[4]) for row in rows]
