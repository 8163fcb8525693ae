"""Visits at a glance: what is open, with whom, since when tried. Who is visited stands here as a pseudonym, and where
only while the visit is open; what was answered does not stand here at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contracts.common import Place, Post
from contracts.grid_tasks import (
    VisitAnswersErased,
    VisitAssigned,
    VisitCancelled,
    VisitDone,
    VisitGridChanged,
    VisitMovedAway,
    VisitNobodyHome,
    VisitPlanned,
    VisitPutOn,
    VisitTurnedAway,
)
from contracts.visits import PartOfWeek, VisitKind
from events import Batch, Connection, Database, Event, ReadModel, Recorded

from grid_tasks.domain.rounds import Task
from grid_tasks.domain.sharing import Sharer
from grid_tasks.domain.visit import VisitStep
from grid_tasks.read_models.grids import MICRO, grid_now_of
from grid_tasks.read_models.workers import HANDLING, ON_LEAVE

visit_board = ReadModel(
    "visit_board",
    personal=("site", "hours"),
    tables="""
    create table board_visit (
        visit_id text collate "C" primary key,
        kind text not null,
        of_register text not null,
        thing text not null,
        grid text not null,
        cause text not null,
        until date,
        worker text,
        for_leader boolean not null default false,
        step text not null default 'open',
        tried text[] not null default '{}',
        not_before date,
        put_on date,
        site text, -- the building, where the visit itself says it; as long as it is open
        longitude float,
        latitude float,
        hours text not null default '',
        planned_at timestamptz not null,
        ended_at timestamptz
    );
    create index board_visit_open_worker on board_visit (worker, visit_id) where step = 'open';
    create index board_visit_open_grid on board_visit (grid, visit_id) where step = 'open';
    create index board_visit_thing on board_visit (thing);
    create index board_visit_newest on board_visit (planned_at, visit_id);
    create index board_visit_grid on board_visit (grid, planned_at, visit_id);
    create index board_visit_worker on board_visit (worker, planned_at, visit_id);
    """,
)

COLUMNS = """visit_id as visit, kind, of_register as of, thing, grid, cause, until, worker, for_leader, step,
    cardinality(tried) as tries, not_before, put_on, planned_at, ended_at"""

SITE = "coalesce({0}.site, nullif(m.building, ''))"
"""The building: as the visit itself says, or as the registry has told in `met_at m`."""

OPEN_WITH_PLACES = f"""
select b.visit_id, b.kind, b.of_register, b.until, b.tried, b.not_before, b.put_on, b.planned_at,
    {SITE.format("b")} as site, coalesce(b.longitude, m.longitude) as longitude,
    coalesce(b.latitude, m.latitude) as latitude, coalesce(nullif(b.hours, ''), m.hours, '') as hours
from board_visit b left join met_at m on m.thing = b.thing
"""  # noqa: S608  # nothing of the request is in it

SHARERS = f"""
select p.member, p.post,
    (select count(*) from board_visit o where o.worker = p.member and o.step = 'open') as open_visits,
    exists (
        select from board_visit o left join met_at m on m.thing = o.thing
        where o.worker = p.member and o.step = 'open' and o.visit_id <> $4
            and {SITE.format("o")} = $3
    ) as there_anyway
from in_post p join member m using (member)
where p.grid = $1 and p.post = any($2) and not {ON_LEAVE.format("$5")}
order by p.member
"""  # noqa: S608  # nothing of the request is in it

STRANDED = """
select b.visit_id from board_visit b
where b.step = 'open' and {}
    and not exists (select from in_post p where p.member = b.worker and p.grid = b.grid and p.post = any($1))
order by b.visit_id
"""
SOMEBODY_THERE = f"""
exists (
    select from in_post p join member m using (member)
    where p.grid = b.grid and p.post = any($1) and not {ON_LEAVE.format("$2")}
)
"""


ELSEWHERE = f"""
select visit_id, now from (
    select b.visit_id, b.grid,
        case when here.place is null then coalesce(nullif(m.grid, ''), b.grid) -- as the registry has told
            else {grid_now_of("here.place", "b.grid")} end as now
    from board_visit b left join met_at m on m.thing = b.thing,
        lateral (select point(coalesce(b.longitude, m.longitude) * {MICRO},
                              coalesce(b.latitude, m.latitude) * {MICRO}) as place) here
    where b.step = 'open' and {{}}
) it where it.now <> it.grid order by visit_id
"""  # noqa: S608  # nothing of the request is in it


@dataclass(frozen=True, slots=True)
class BoardVisit:
    """A visit as the board shows it."""

    visit: str
    kind: VisitKind
    of: str
    thing: str
    """Id of the person, unit or building; empty when what was written has been erased."""
    grid: str
    cause: str
    until: date | None
    worker: str | None
    for_leader: bool
    step: VisitStep
    tries: int
    """How often nobody was home."""
    not_before: date | None
    put_on: date | None
    planned_at: datetime
    ended_at: datetime | None


@visit_board.each(VisitPlanned)
async def planned(db: Connection, event: Recorded[VisitPlanned]) -> None:
    it = event.data
    await db.execute(
        """insert into board_visit (visit_id, kind, of_register, thing, grid, cause, not_before, until, site,
                                    longitude, latitude, hours, planned_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)""",
        *(it.visit, it.kind, it.of, it.thing, it.grid, it.cause, it.not_before, it.until),
        *((it.site.name, it.site.place.longitude, it.site.place.latitude) if it.site else (None, None, None)),
        *(it.hours, it.at),
    )


@visit_board.each(VisitAssigned)
async def assigned(db: Connection, event: Recorded[VisitAssigned]) -> None:
    await db.execute("update board_visit set worker = $2 where visit_id = $1", event.data.visit, event.data.worker)


@visit_board.each(VisitGridChanged)
async def grid_changed(db: Connection, event: Recorded[VisitGridChanged]) -> None:
    await db.execute("update board_visit set grid = $2 where visit_id = $1", event.data.visit, event.data.grid)


@visit_board.each(VisitPutOn)
async def put_on(db: Connection, event: Recorded[VisitPutOn]) -> None:
    await db.execute("update board_visit set put_on = $2 where visit_id = $1", event.data.visit, event.data.day)


@visit_board.each(VisitNobodyHome)
async def nobody_home(db: Connection, event: Recorded[VisitNobodyHome]) -> None:
    it = event.data
    await db.execute(
        """update board_visit set tried = tried || $2::text, not_before = $3, put_on = null,
               for_leader = for_leader or $4
           where visit_id = $1""",
        *(it.visit, it.part, it.not_before, it.to_leader),
    )


ENDS: Sequence[tuple[type[Event], VisitStep]] = (
    (VisitDone, VisitStep.DONE),
    (VisitTurnedAway, VisitStep.TURNED_AWAY),
    (VisitMovedAway, VisitStep.MOVED_AWAY),
    (VisitCancelled, VisitStep.CANCELLED),
)

for _end, _step in ENDS:

    @visit_board.on(_end)
    async def ended(db: Connection, events: Batch[Event], step: VisitStep = _step) -> None:
        await db.execute(
            """update board_visit b set step = $1, ended_at = new.at, site = null, longitude = null, latitude = null,
                   hours = ''
               from unnest($2::text[], $3::timestamptz[]) as new (visit_id, at) where b.visit_id = new.visit_id""",
            step,
            *map(events.column, ("visit", "at")),
        )


@visit_board.on(VisitAnswersErased)
async def answers_erased(db: Connection, events: Batch[VisitAnswersErased]) -> None:
    await db.execute(
        """update board_visit set thing = '', site = null, longitude = null, latitude = null, hours = ''
           where visit_id = any($1)""",
        events.column("visit"),
    )


async def newest(
    db: Database,
    *,
    reach: Sequence[str] | None,
    step: VisitStep | None = None,
    grid: str | None = None,
    worker: str | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int,
) -> list[BoardVisit]:
    """Visits, newest first, in the grids of a reach (None: all), planned before that moment and id."""
    asked = {"step": step, "grid": grid, "worker": worker}
    given = {column: value for column, value in asked.items() if value is not None}
    conditions = [f"{column} = ${nth}" for nth, column in enumerate(given, 3)]
    if before:
        conditions.append(f"(planned_at, visit_id) < (${len(given) + 3}, ${len(given) + 4})")
    rows = await db.fetch(
        f"""select {COLUMNS} from board_visit
            where {" and ".join(["($2::text[] is null or grid = any($2))", *conditions])}
            order by planned_at desc, visit_id desc limit $1""",  # noqa: S608  # nothing of the request is in it
        limit,
        reach,
        *given.values(),
        *(before or ()),
    )
    return [_board_visit(row) for row in rows]


def _board_visit(row: Sequence[object]) -> BoardVisit:
    it = list(row)
    return BoardVisit(it[0], VisitKind(it[1]), *it[2:9], VisitStep(it[9]), *it[10:])  # type: ignore[arg-type]  # as they are selected


async def tasks_of(db: Database, worker: str, reach: Sequence[str] | None) -> list[Task]:
    """The open visits of a worker in the grids of a reach (None: all), for their rounds."""
    rows = await db.fetch(
        f"""{OPEN_WITH_PLACES} where b.step = 'open' and b.worker = $1 and ($2::text[] is null or b.grid = any($2))
            order by b.visit_id""",
        worker,
        reach,
    )
    return [
        Task(
            visit=row["visit_id"],
            kind=VisitKind(row["kind"]),
            of=row["of_register"],
            site=row["site"],
            place=Place(longitude=row["longitude"], latitude=row["latitude"]) if row["longitude"] is not None else None,
            hours=row["hours"],
            until=row["until"],
            tried=tuple(PartOfWeek(it) for it in row["tried"]),
            not_before=row["not_before"],
            put_on=row["put_on"],
            planned_at=row["planned_at"],
        )
        for row in rows
    ]


async def sharers(db: Database, grid: str, visit: str, today: date) -> list[Sharer]:
    """Who can have a visit in this grid, with what each has; and who comes to its building anyway."""
    site = await db.fetchval(
        f"""select {SITE.format("b")} from board_visit b left join met_at m on m.thing = b.thing
            where b.visit_id = $1""",  # noqa: S608  # nothing of the request is in it
        visit,
    )
    rows = await db.fetch(SHARERS, grid, list(HANDLING), site, visit, today)
    return [Sharer(row["member"], Post(row["post"]), row["open_visits"], row["there_anyway"]) for row in rows]


async def stranded(db: Database, *, grid: str | None = None, worker: str | None = None) -> list[str]:
    """Open visits of this grid, or with this worker, that nobody in post there has."""
    which = STRANDED.format("(b.grid = $2 or b.worker = $3)")
    return [row[0] for row in await db.fetch(which, list(HANDLING), grid, worker)]


async def waiting(db: Database, today: date) -> list[str]:
    """Open visits that nobody in post there has, though somebody is there today."""
    return [row[0] for row in await db.fetch(STRANDED.format(SOMEBODY_THERE), list(HANDLING), today)]


async def elsewhere(db: Database, *, visit: str | None = None, thing: str | None = None) -> list[tuple[str, str]]:
    """Open visits (all, this one, or those to this person, unit or building) that lie in another grid by now, and in
    which."""
    given = {column: value for column, value in {"visit_id": visit, "thing": thing}.items() if value is not None}
    which = " and ".join(f"b.{column} = ${nth}" for nth, column in enumerate(given, 1)) or "true"
    return [(row[0], row[1]) for row in await db.fetch(ELSEWHERE.format(which), *given.values())]


async def visits_of(db: Database, thing: str, *, only_open: bool = False) -> list[str]:
    """The visits to this person, unit or building."""
    rows = await db.fetch(
        "select visit_id from board_visit where thing = $1 and (step = 'open' or not $2) order by 1", thing, only_open
    )
    return [row[0] for row in rows]
