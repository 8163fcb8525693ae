"""Looking for cases on the board: for lists in all the ways that they are narrowed down, and as Open311 clients ask.

What was written is sealed, so nobody can look for it. Each question goes by an index, however many cases there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.grid_tasks import ReporterKind
from events import Database

from grid_tasks.domain.moves import Step
from grid_tasks.read_models.case_board import COLUMNS, BoardCase, board_case


@dataclass(frozen=True, slots=True)
class Sought:
    """What must be so of a case; None: whatever it is. A span ends before its last moment."""

    step: Step | None = None
    grid: str | None = None
    worker: str | None = None
    escalated: bool | None = None
    category: str | None = None
    body: str | None = None
    """The department that has it; empty: the grid."""
    reporter_kind: ReporterKind | None = None
    id_begins: str | None = None
    reported: tuple[datetime, datetime] | None = None
    closed: tuple[datetime, datetime] | None = None
    """When it ended, whichever way."""
    late_at: datetime | None = None
    """Past its deadline at this moment, and not handed in."""

    @property
    def by(self) -> str:
        """By what those that are found are in order, the last first."""
        return "closed_at" if self.closed else "reported_at"

    @property
    def conditions(self) -> dict[str, tuple[object, ...]]:
        """In SQL, each with what it takes. Only what is asked for stands there, so that each has its index."""
        equal = ("step", "grid", "worker", "escalated", "category", "body", "reporter_kind")
        found: dict[str, tuple[object, ...]] = {
            f"{column} = {{}}": (value,) for column in equal if (value := getattr(self, column)) is not None
        }
        if self.body:
            found["body <> ''"] = ()
        if self.id_begins:
            found["case_id ^@ {}"] = (self.id_begins,)
        if self.reported:
            found["reported_at >= {} and reported_at < {}"] = self.reported
        if self.closed:
            found["closed_at is not null and closed_at >= {} and closed_at < {}"] = self.closed
        if self.late_at:
            found["step in ('accepted', 'dispatched', 'started') and due < {}"] = (self.late_at,)
        return found


async def find(
    db: Database, sought: Sought, *, before: tuple[datetime, str] | None = None, limit: int
) -> list[BoardCase]:
    """Those that are sought, newest first (or last closed first, if it is by that), before this moment and id."""
    conditions = sought.conditions
    if before:
        conditions[f"({sought.by}, case_id) < ({{}}, {{}})"] = before
    values = [value for each in conditions.values() for value in each]
    places = iter(range(2, 2 + len(values)))
    where = [text.format(*(f"${next(places)}" for _ in given)) for text, given in conditions.items()]
    rows = await db.fetch(
        f"""select {COLUMNS} from board_case where {" and ".join(["true", *where])}
            order by {sought.by} desc, case_id desc limit $1""",  # noqa: S608  # nothing of the request is in it
        limit,
        *values,
    )
    return [board_case(row) for row in rows]


async def by_ids(db: Database, cases: Sequence[str]) -> list[BoardCase]:
    """Those of these cases that there are, newest first."""
    rows = await db.fetch(
        f"""select {COLUMNS} from board_case where case_id = any($1::text[])
            order by reported_at desc, case_id desc""",  # noqa: S608  # nothing of the request is in it
        list(cases),
    )
    return [board_case(row) for row in rows]


async def between(
    db: Database,
    since: datetime,
    until: datetime,
    *,
    categories: Sequence[str] = (),
    ended: bool | None = None,
    limit: int,
    offset: int = 0,
) -> list[BoardCase]:
    """Cases reported in this span, both ends included, newest first; of these categories, if any are named."""
    conditions = ["reported_at between $1 and $2"]
    if categories:
        conditions.append("category = any($5::text[])")
    if ended is not None:
        conditions.append("ended" if ended else "not ended")
    rows = await db.fetch(
        f"""select {COLUMNS} from board_case where {" and ".join(conditions)}
            order by reported_at desc, case_id desc limit $3 offset $4""",  # noqa: S608  # nothing of the request is in it
        since,
        until,
        limit,
        offset,
        *([list(categories)] if categories else []),
    )
    return [board_case(row) for row in rows]
