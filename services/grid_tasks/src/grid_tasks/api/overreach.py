"""What departments and partners' systems ask of grid workers beyond the duty list: refused, counted, and public."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated

from contracts.visits import OverreachKind, OverreachRefused
from edge import Call, Cursor, HttpProblem, Limit, Page, Router, decode_cursor
from edge.call import HttpCall
from events import Refused
from fastapi import Query

from grid_tasks.api.powers import Powers
from grid_tasks.domain.overreach import OVERREACH, category_of
from grid_tasks.domain.refusals import NotAGridDuty, NotOnAnyDutyList
from grid_tasks.domain.visit_refusals import BeyondTheBudget
from grid_tasks.read_models.overreach import Overreach, overreach, page
from grid_tasks.read_models.workers import body_of_liaison, workers

router = Router(prefix="/duties", tags=["duties"])

Month = Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-11"])]
KINDS: Mapping[type[BaseException], OverreachKind] = {
    NotOnAnyDutyList: OverreachKind.ON_NO_LIST,
    NotAGridDuty: OverreachKind.NOT_THE_GRIDS,
    BeyondTheBudget: OverreachKind.BEYOND_THE_BUDGET,
}


@router.get("/overreach", power=Powers.READ_DUTIES)
async def refused(call: Call, month: Month | None = None, cursor: Cursor = None, limit: Limit = 200) -> Page[Overreach]:
    """What was asked of grid workers beyond their list, by whom, in which month: departments and systems, no person."""
    await call.fresh(overreach)
    after = decode_cursor(cursor, str, str, str, str) if cursor else ("", "", "", "")
    rows = await page(call.db, month, after, limit + 1)
    return Page[Overreach].of(rows, limit, lambda row: (row.month, row.body, row.kind, row.category))


@asynccontextmanager
async def counted(call: HttpCall, asked: str, hours: int | None = None) -> AsyncGenerator[None]:
    """Whoever asks in this block for what is on no list, and is refused, is counted: a department by its liaison, and a
    partner's system. Residents, who cannot know the list, are not."""
    try:
        yield
    except (Refused, HttpProblem) as refusal:
        # Where another standard has problems of its own, ours stands behind them.
        kind = next(
            (kind for it, kind in KINDS.items() if isinstance(refusal, it) or isinstance(refusal.__cause__, it)), None
        )
        if kind and (body := await _body(call)):
            key = await call.given_key()
            id_ = key.value[:32] if key else call.new_id()
            refused = OverreachRefused(
                overreach=id_,
                body=body,
                kind=kind,
                category=category_of(asked),
                hours=hours,
                at=call.now,
            )
            await call.commands.execute(OVERREACH, id_, refused)
        raise


async def _body(call: HttpCall) -> str | None:
    """Which department or system calls; None for whoever calls for neither."""
    if call.caller.client:
        return call.caller.client
    if call.caller.id is None:
        return None
    await call.fresh(workers)
    return await body_of_liaison(call.db, call.caller.id)
