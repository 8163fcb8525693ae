"""Cases (事件): reported by anybody, handled and verified by members of the roster, rated by who holds the receipt."""

import secrets
from datetime import datetime
from typing import Annotated

from contracts.common import Place, Post
from contracts.grid_tasks import ReporterKind
from edge import Call, Cursor, Limit, Page, decode_cursor
from events import NotFound
from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field, StringConstraints

from grid_tasks.api.views import CaseView, ReportedView, public, whole
from grid_tasks.domain.case import CASE, Case, Step
from grid_tasks.domain.commands import Dispatch, HandIn, Rate, Report, SendBack, Start, Verify
from grid_tasks.domain.receipt import hash_of, is_receipt
from grid_tasks.read_models.case_board import BoardCase, case_board, newest
from grid_tasks.read_models.duties import duties, duty_of
from grid_tasks.read_models.grids import grid_at, grids
from grid_tasks.read_models.workers import grid_of, workers

router = APIRouter(prefix="/cases", tags=["cases"])

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
Mail = Annotated[str, StringConstraints(pattern=r"^[^@\s,;<>]{1,64}@[^@\s,;<>]{1,190}$")]
Receipt = Annotated[str | None, Header(max_length=200, description="The secret that was answered to the report (回执)")]


class ReportBody(BaseModel):
    """上报"""

    category: Code = Field(description="A category of the duty list, see GET /duties")
    description: Text
    place: Place
    contact: Mail | None = Field(None, description="An e-mail address, to be told the end")


class DispatchBody(BaseModel):
    """派遣 by a person"""

    worker: str = Field(min_length=1, max_length=200, description="Who is in post in the case's grid")
    why: Text


class HandInBody(BaseModel):
    """反馈"""

    result: Text


class SendBackBody(BaseModel):
    """返工"""

    reason: Text


class RatingBody(BaseModel):
    """满意度"""

    rating: Annotated[int, Field(strict=True, ge=1, le=5)]


class Nothing(BaseModel):
    """Nothing more needs to be said."""


class StepView(BaseModel):
    """A step of a case: what, when, and who, by their pseudonymous id."""

    step: str
    at: str
    by: str | None


@router.post("", status_code=201, response_model=ReportedView)
async def report(body: ReportBody, call: Call) -> Response:
    """上报. Anybody may report, without a token too; a case is accepted and dispatched by itself."""
    await call.fresh(duties, grids)
    case, receipt = call.new_id(), secrets.token_urlsafe(16)
    command = Report(
        case=case,
        category=body.category,
        duty=await duty_of(call.db, body.category),
        description=body.description,
        place=body.place,
        grid=await grid_at(call.db, body.place),
        reporter_kind=_kind(call.caller.post),
        reporter=call.caller.id,
        contact=body.contact,
        receipt_hash=hash_of(receipt),
        at=call.now,
    )

    def answer(state: Case, version: int) -> ReportedView:
        return ReportedView(**whole(state, version).model_dump(), receipt=receipt)

    return await call.create(CASE, case, command, view=answer, location="/cases/{id}")


def _kind(post: str | None) -> ReporterKind:
    if post == Post.GRID_WORKER:
        return ReporterKind.GRID_WORKER
    return ReporterKind.MEMBER if post in set(Post) else ReporterKind.RESIDENT


@router.get("", response_model=Page[BoardCase])
async def cases(
    call: Call,
    step: Step | None = None,
    grid: str | None = None,
    worker: str | None = None,
    escalated: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[BoardCase]:
    """Cases, newest first."""
    await call.fresh(case_board)
    before = decode_cursor(cursor, datetime, str) if cursor else None
    rows = await newest(
        call.db, step=step, grid=grid, worker=worker, escalated=escalated, before=before, limit=limit + 1
    )
    return Page[BoardCase].of(rows, limit, lambda row: (row.reported_at, row.case))


@router.get("/{case}", response_model=CaseView)
async def case(case: str, call: Call, receipt: Receipt = None) -> Response:
    """A case as it is now."""

    def seen(state: Case, version: int) -> CaseView:
        concerned = call.caller.post in set(Post) or (receipt and is_receipt(receipt, state.receipt_hash))
        return whole(state, version) if concerned else public(state, version)

    return await call.read(CASE, case, seen)


@router.get("/{case}/history", response_model=Page[StepView])
async def history(case: str, call: Call) -> Page[StepView]:
    """What has happened to a case, first to last."""
    recorded = await call.commands.history(CASE, case)
    if not recorded:
        raise NotFound("there is no such case")
    steps = [
        StepView(
            step=event.raw.type.split(".")[3],
            at=event.data.model_dump(mode="json")["at"],
            by=event.raw.actor,
        )
        for event in recorded
    ]
    return Page(items=steps, next=None)


@router.post("/{case}/dispatch", response_model=CaseView)
async def dispatch(case: str, body: DispatchBody, call: Call) -> Response:
    """派遣 by a person: to somebody in post in the case's grid, instead of whoever has it."""
    call.require_caller()
    await call.fresh(workers)
    grid = await grid_of(call.db, body.worker)
    return await call.change(CASE, case, Dispatch(body.worker, grid, body.why, call.now), view=whole)


@router.post("/{case}/start", response_model=CaseView)
async def start(case: str, body: Nothing, call: Call) -> Response:
    """处置: the worker begins."""
    return await call.change(CASE, case, Start(call.require_caller(), call.now), view=whole)


@router.post("/{case}/hand-in", response_model=CaseView)
async def hand_in(case: str, body: HandInBody, call: Call) -> Response:
    """反馈: the worker says what came of it."""
    return await call.change(CASE, case, HandIn(call.require_caller(), body.result, call.now), view=whole)


@router.post("/{case}/verify", response_model=CaseView)
async def verify(case: str, body: Nothing, call: Call) -> Response:
    """核查: somebody else finds it done, which closes it (结案)."""
    return await call.change(CASE, case, Verify(call.require_caller(), call.now), view=whole)


@router.post("/{case}/send-back", response_model=CaseView)
async def send_back(case: str, body: SendBackBody, call: Call) -> Response:
    """返工: somebody else finds it not done; the worker has it again."""
    return await call.change(CASE, case, SendBack(call.require_caller(), body.reason, call.now), view=whole)


@router.post("/{case}/rating", response_model=CaseView)
async def rate(case: str, body: RatingBody, call: Call, receipt: Receipt = None) -> Response:
    """满意度: who holds the receipt says, once, how satisfied they are."""
    return await call.change(CASE, case, Rate(body.rating, receipt or "", call.now), view=whole)
