"""Who handles cases, and how much each has in hand: load is public, so that it can be levelled."""

from typing import Annotated

from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Query

from grid_tasks.api.powers import Powers
from grid_tasks.read_models.open_work import Load, loads, open_work
from grid_tasks.read_models.workers import workers

router = Router(prefix="/workers", tags=["workers"])


@router.get("", power=Powers.READ_WORKERS)
async def loaded(
    call: Call,
    grid: Annotated[str | None, Query(max_length=200)] = None,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> Page[Load]:
    """Grid workers and leaders in post, by id, of one grid or of all, with what they have yet to hand in."""
    await call.fresh(workers, open_work)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = await loads(call.db, grid, after, limit + 1)
    return Page[Load].of(rows, limit, lambda load: (load.worker,))
