"""What a worker needs each morning, one request each and small: it is read on a cheap phone over a poor network."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated

import orjson
from contracts.common import Place
from edge import Call, Router
from edge.call import HttpCall
from edge.preconditions import is_known
from fastapi import Query, Response
from pydantic import BaseModel, Field
from pydantic_core import to_jsonable_python

from grid_tasks.api.powers import Powers
from grid_tasks.domain.morning import Pressing, left_minutes, near, pressing
from grid_tasks.domain.moves import Step
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.read_models.case_board import case_board
from grid_tasks.read_models.field_work import CameBack, came_back, field_work, open_parts

router = Router(prefix="/my", tags=["field work"])

MOST = 200


class OpenCase(BaseModel):
    """A case that the caller has, or is to do a part of."""

    case: str
    part: str = Field(description="`has`, or `helps`: was asked to do a part")
    category: str
    grid: str
    place: Place | None
    near: list[str] = Field(description="Cases of this list within 150 m, the nearest first: one way does for them")
    step: Step
    pressing: Pressing
    due: datetime | None = Field(description="None while its clock stands")
    left_minutes: int | None = Field(description="In the case's own hours; less than nothing: late by so many")
    urgent: bool
    escalated: bool
    attempt: int
    paper_due: bool
    dispatched_at: datetime | None


class MyWork(BaseModel):
    """Open work by deadline; what stands comes last."""

    counts: dict[Pressing, int]
    items: list[OpenCase]


class MyReturned(BaseModel):
    """What came back, newest first."""

    since: datetime
    items: list[CameBack] = Field(description="`what`: sent_back, reopened, answered, time_given, time_refused")


@router.get("/work", power=Powers.HANDLE, response_model=MyWork)
async def work(call: Call) -> Response:
    """我的待办: the caller's open work by deadline, with what is near what. Its ETag changes when anything but the
    minutes left does: with `If-None-Match` it is 304 as long as the list is right."""
    caller = call.require_caller()
    await call.fresh(field_work, case_board)
    days = await calendar(call.db)
    rows = await open_parts(call.db, caller)
    close = near([it.place for it in rows])
    items = [
        OpenCase(
            **{name: getattr(it, name) for name in OpenCase.model_fields if hasattr(it, name)},
            near=[rows[other].case for other in close[nth]],
            pressing=pressing(it.due, it.warn_at, call.now, days),
            left_minutes=left_minutes(it.clock, it.due, call.now, days),
        )
        for nth, it in enumerate(rows)
    ]
    counts = {it: sum(item.pressing is it for item in items) for it in Pressing}
    known = [item.model_dump(mode="json", exclude={"left_minutes"}) for item in items]
    return _unless_known(call, MyWork(counts=counts, items=items), known)


@router.get("/returned", power=Powers.HANDLE, response_model=MyReturned)
async def returned(
    call: Call,
    days: Annotated[int, Query(ge=0, le=30, description="0: since this morning, 1: since yesterday's")] = 1,
) -> Response:
    """返回事项: of the caller's cases what was sent back, reopened, answered by the reporter, and what was said when
    they asked for time, since yesterday's midnight; of each case the last such thing."""
    caller = call.require_caller()
    await call.fresh(field_work, case_board)
    zone = (await calendar(call.db)).zone
    today = call.now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=days)
    answer = MyReturned(since=since, items=await came_back(call.db, caller, since, MOST))
    return _unless_known(call, answer, to_jsonable_python(answer))


def _unless_known(call: HttpCall, answer: BaseModel, known: object) -> Response:
    """The answer with a weak ETag of what matters in it; 304 where the caller has that."""
    tag = f'W/"{hashlib.sha256(orjson.dumps(known)).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if is_known(call.request.headers.get("If-None-Match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(orjson.dumps(to_jsonable_python(answer)), 200, headers, "application/json")
