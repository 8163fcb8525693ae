"""Cases (事件): reported by anybody, handled and verified by members of the roster, rated by who holds the receipt."""

import secrets
from datetime import datetime
from typing import Annotated

from contracts.common import Place, Post
from contracts.grid_tasks import ReporterKind
from edge import Call, Cursor, Grant, HttpProblem, Limit, Page, Router, decode_cursor
from edge.body import Whole
from edge.redaction import Text
from events import NotFound
from fastapi import Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from grid_tasks.api.powers import Powers
from grid_tasks.api.views import CaseDetails, CaseView, ReportedView, StepView, details, fields, public, step_of
from grid_tasks.domain.case import CASE, Case, Step
from grid_tasks.domain.commands import Dispatch, HandIn, Rate, Report, SendBack, Start, Verify
from grid_tasks.domain.receipt import hash_of, is_receipt
from grid_tasks.domain.refusals import NotYourReceipt
from grid_tasks.read_models.case_board import BoardCase, case_board, newest
from grid_tasks.read_models.duties import any_duty, duties, duty_of
from grid_tasks.read_models.grids import any_grid, grid_at, grids
from grid_tasks.read_models.workers import grid_of, workers

router = Router(prefix="/cases", tags=["cases"])

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_NEVER = r"@\u0000-\u0020\u007f-\u00a0,;<>"  # not \s, which means more in Python than in JSON Schema
Email = Annotated[str, StringConstraints(pattern=f"^[^{_NEVER}]{{1,64}}@[^{_NEVER}]{{1,190}}$")]
Receipt = Annotated[str | None, Header(max_length=200, description="The secret that was answered to the report (回执)")]
Filter = Annotated[str | None, Query(max_length=200)]


class Body(BaseModel):
    """What is sent: nothing that is not asked for, and no number as a text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class PlaceBody(Body):
    """A point in WGS-84, in degrees. Convert GCJ-02 and BD-09, which maps and phones in China deliver, before."""

    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)


class ReportBody(Body):
    """上报: what is to be dealt with, and where."""

    category: Name = Field(description="A category of the duty list: GET /duties")
    description: Text
    place: PlaceBody
    contact: Email | None = Field(None, description="An e-mail address, to be told the end")


class DispatchBody(Body):
    """派遣 by a person."""

    worker: Name = Field(description="Who is in post in the case's grid: GET /workers")
    why: Text


class HandInBody(Body):
    """反馈: what came of it."""

    result: Text


class SendBackBody(Body):
    """返工: what is not done yet."""

    reason: Text


class RatingBody(Body):
    """满意度."""

    rating: Whole = Field(ge=1, le=5, description="1 not at all satisfied, 5 very much")


@router.post("", power=Powers.REPORT, status_code=201, response_model=ReportedView)
async def report(body: ReportBody, call: Call) -> Response:
    """上报: anybody may report, without a token too. A case is accepted and dispatched by itself."""
    await call.fresh(duties, grids)
    case, receipt = call.new_id(), secrets.token_urlsafe(24)
    place = Place(longitude=body.place.longitude, latitude=body.place.latitude)
    duty, grid = await duty_of(call.db, body.category), await grid_at(call.db, place)
    if (duty is None and not await any_duty(call.db)) or (grid is None and not await any_grid(call.db)):
        raise HttpProblem(
            "not-ready",
            "the duty list and the grids have not arrived here yet; repeat the request in a moment",
            headers={"Retry-After": "1"},
        )
    command = Report(
        case=case,
        category=body.category,
        duty=duty,
        description=body.description,
        place=place,
        grid=grid,
        reporter_kind=_kind(call.grant.post),
        reporter=call.caller.id,
        contact=body.contact,
        receipt_hash=hash_of(receipt),
        at=call.now,
    )

    def answer(state: Case, _version: int) -> ReportedView:
        return ReportedView(**fields(state), receipt=receipt)

    return await call.create(CASE, case, command, view=answer, location="/cases/{id}")


def _kind(post: Post | None) -> ReporterKind:
    if post is Post.GRID_WORKER:
        return ReporterKind.GRID_WORKER
    return ReporterKind.MEMBER if post else ReporterKind.RESIDENT


@router.get("", power=Powers.FOLLOW, response_model=Page[BoardCase])
async def cases(
    call: Call,
    step: Step | None = None,
    grid: Filter = None,
    worker: Filter = None,
    escalated: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[BoardCase]:
    """Cases, newest first. Nothing that was written about them stands here."""
    await call.fresh(case_board)
    before = decode_cursor(cursor, datetime, str) if cursor else None
    rows = await newest(
        call.db, step=step, grid=grid, worker=worker, escalated=escalated, before=before, limit=limit + 1
    )
    return Page[BoardCase].of(rows, limit, lambda row: (row.reported_at, row.case))


@router.get("/{case}", power=Powers.FOLLOW, response_model=CaseDetails | CaseView)
async def case(case: str, call: Call, receipt: Receipt = None) -> Response:
    """A case as it is now; with description and result for those who look after its grid and for who shows the
    receipt."""
    reader = await call.may(Powers.READ)

    def seen(state: Case, version: int) -> CaseView:
        return details(state) if _concerned(reader, receipt, state) else public(state, version)

    answer = await call.read(CASE, case, seen)
    answer.headers["Vary"] = "Authorization, Receipt"
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@router.get("/{case}/history", power=Powers.FOLLOW, response_model=Page[StepView])
async def history(case: str, call: Call, receipt: Receipt = None) -> Page[StepView]:
    """What has happened to a case, first to last, on one page; with words for those concerned."""
    recorded = await call.commands.history(CASE, case)
    if not recorded:
        raise NotFound("there is no such case")
    concerned = _concerned(await call.may(Powers.READ), receipt, CASE.fold(event.data for event in recorded))
    return Page[StepView](items=[step_of(event, concerned=concerned) for event in recorded], next=None)


def _concerned(reader: Grant | None, receipt: str | None, case: Case) -> bool:
    """Whether the caller may read what was written; refuses a receipt that is not this case's."""
    if receipt is not None and not is_receipt(receipt, case.receipt_hash):
        raise NotYourReceipt
    return receipt is not None or (reader is not None and reader.reaches(case.grid))


@router.post("/{case}/dispatch", power=Powers.DISPATCH, response_model=CaseView)
async def dispatch(case: str, body: DispatchBody, call: Call) -> Response:
    """派遣 by a leader, until it is handed in: to somebody in post in its grid, instead of whoever has it."""
    await call.fresh(workers)
    grid = await grid_of(call.db, body.worker)
    return await call.change(CASE, case, Dispatch(body.worker, grid, body.why, call.now), view=public, grid=_grid)


@router.post("/{case}/start", power=Powers.HANDLE, response_model=CaseView)
async def start(case: str, call: Call) -> Response:
    """处置: the worker to whom it was dispatched begins."""
    return await call.change(CASE, case, Start(call.require_caller(), call.now), view=public, grid=_grid)


@router.post("/{case}/hand-in", power=Powers.HANDLE, response_model=CaseView)
async def hand_in(case: str, body: HandInBody, call: Call) -> Response:
    """反馈: the worker says what came of it."""
    return await call.change(CASE, case, HandIn(call.require_caller(), body.result, call.now), view=public, grid=_grid)


@router.post("/{case}/verify", power=Powers.VERIFY, response_model=CaseView)
async def verify(case: str, call: Call) -> Response:
    """核查: a leader who did not handle it finds it done, which closes it (结案)."""
    verifier = call.require_caller()
    return await call.change(CASE, case, Verify(verifier, call.now), view=public, grid=_grid)


@router.post("/{case}/send-back", power=Powers.VERIFY, response_model=CaseView)
async def send_back(case: str, body: SendBackBody, call: Call) -> Response:
    """返工: a leader who did not handle it finds it not done; the worker has it again."""
    verifier = call.require_caller()
    return await call.change(CASE, case, SendBack(verifier, body.reason, call.now), view=public, grid=_grid)


@router.post("/{case}/rating", power=Powers.RATE, response_model=CaseView)
async def rate(case: str, body: RatingBody, call: Call, receipt: Receipt = None) -> Response:
    """满意度: who shows the receipt says, once, how satisfied they are."""
    return await call.change(CASE, case, Rate(body.rating, receipt or "", call.now), view=public)


def _grid(state: Case) -> str:
    return state.grid
