"""Cases of the board as Open311 clients ask for them: by id, or by category, span of time and whether they ended."""

from collections.abc import Sequence
from datetime import datetime

from events import Database

from grid_tasks.read_models.case_board import COLUMNS, BoardCase, board_case


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
