"""Cases (事件): reported by anybody, handled and verified by members of the roster, rated by who holds the receipt."""

import secrets
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from contracts.common import Place, Post
from contracts.grid_tasks import ReporterKind
from edge import Call, Cursor, HttpProblem, Limit, Page, Router, decode_cursor
from edge.call import HttpCall
from edge.moments import Moment
from edge.redaction import Text
from events import NotFound
from fastapi import Query, Response
from pydantic import Field

from grid_tasks.api.bodies import Body, Email, Evidence, Filter, Name, PlaceBody, Receipt
from grid_tasks.api.overreach import counted
from grid_tasks.api.periods import Days, span_of
from grid_tasks.api.powers import Powers
from grid_tasks.api.readers import reader_of
from grid_tasks.api.views import (
    CaseDetails,
    CaseView,
    DeadlineView,
    ReportedView,
    StepView,
    deadline_of,
    details,
    fields,
    public,
    step_of,
)
from grid_tasks.domain.case import CASE, Case, Step
from grid_tasks.domain.commands import Report
from grid_tasks.domain.receipt import hash_of
from grid_tasks.evidence.cases import require_kept
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.read_models.case_board import BoardCase, alike, case_board
from grid_tasks.read_models.case_search import Sought, find
from grid_tasks.read_models.duties import any_duty, duties, duty_of
from grid_tasks.read_models.grids import any_grid, grid_at, grids
from grid_tasks.read_models.workers import anybody_of, workers

router = Router(prefix="/cases", tags=["cases"])


class ReportBody(Body):
    """上报: what is to be dealt with, and where."""

    category: Name = Field(description="A category of the duty list: GET /duties")
    description: Text
    place: PlaceBody
    contact: Email | None = Field(None, description="An e-mail address, to be told the end")
    evidence: Evidence = ()
    at: Moment | None = Field(
        None, strict=False, description="When it was, by the reporter's device, if that is another time"
    )


@router.post("", power=Powers.REPORT, status_code=201, response_model=ReportedView)
async def report(body: ReportBody, call: Call) -> Response:
    """上报: anybody may report, without a token too. A case is accepted and dispatched by itself; one whose place
    lies in no grid waits until the desk has found its grid."""
    receipt = secrets.token_urlsafe(24)
    command = await to_report(
        call, body.category, body.description, body.place.point(), _kind(call.grant.post), body.contact, receipt
    )
    await require_kept(call.commands, body.evidence, call.caller.id)
    command = replace(command, evidence=body.evidence, told_at=body.at or call.done_at)

    def answer(state: Case, _version: int) -> ReportedView:
        return ReportedView(**fields(state), receipt=receipt)

    async with counted(call, body.category):
        return await call.create(CASE, command.case, command, view=answer, location="/cases/{id}")


async def to_report(
    call: HttpCall,
    category: str,
    description: str,
    place: Place,
    kind: ReporterKind,
    contact: str | None,
    receipt: str,
) -> Report:
    """The command that reports this, by the duty list, the map and the roster as they are known here now, whichever way
    it came in."""
    await call.fresh(duties, grids, workers)
    case = await call.id_by_key()
    found, grid = await duty_of(call.db, category), await grid_at(call.db, place)
    duty = found.duty if found else None
    if (duty is None and not await any_duty(call.db)) or (grid is None and not await any_grid(call.db)):
        raise HttpProblem(
            "not-ready",
            "the duty list and the grids have not arrived here yet; repeat the request in a moment",
            headers={"Retry-After": "1"},
        )
    return Report(
        case=case,
        category=category,
        duty=duty,
        description=description,
        place=place,
        grid=grid,
        reporter_kind=kind,
        reporter=call.caller.id,
        contact=contact,
        receipt_hash=hash_of(receipt),
        taken_by_department=duty is not None and await anybody_of(call.db, duty.department.zh),
        at=call.now,
    )


KINDS = {
    Post.GRID_WORKER: ReporterKind.GRID_WORKER,
    Post.VOLUNTEER_PATROL: ReporterKind.VOLUNTEER,
    Post.INFORMANT: ReporterKind.VOLUNTEER,
    Post.SECURITY_GUARD: ReporterKind.VOLUNTEER,
    Post.BUILDING_HEAD: ReporterKind.VOLUNTEER,
    Post.RESIDENT_ACTIVIST: ReporterKind.VOLUNTEER,
}


def _kind(post: Post | None) -> ReporterKind:
    return KINDS.get(post, ReporterKind.MEMBER) if post else ReporterKind.RESIDENT


@router.get("", power=Powers.FOLLOW, response_model=Page[BoardCase])
async def cases(
    call: Call,
    step: Step | None = None,
    grid: Filter = None,
    worker: Filter = None,
    escalated: bool | None = None,
    category: Filter = None,
    department: Filter = None,
    reporter: ReporterKind | None = None,
    late: Annotated[bool, Query(description="Only those past their deadline and not handed in")] = False,
    begins: Annotated[str | None, Query(max_length=200, description="How the case's id begins")] = None,
    reported: Days = None,
    closed: Days = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[BoardCase]:
    """Cases, newest first; if you ask when they ended (`closed`), the last ended first. Nothing that was written about
    them stands here, nor can it be looked for."""
    sought = Sought(
        step=step,
        grid=grid,
        worker=worker,
        escalated=escalated,
        category=category,
        body=department,
        reporter_kind=reporter,
        id_begins=begins,
        reported=span_of(reported),
        closed=span_of(closed),
        late_at=call.now if late else None,
    )
    await call.fresh(case_board)
    before = decode_cursor(cursor, datetime, str) if cursor else None
    rows = await find(call.db, sought, before=before, limit=limit + 1)
    return Page[BoardCase].of(rows, limit, lambda row: (row.closed_at if sought.closed else row.reported_at, row.case))


@router.get("/{case}", power=Powers.FOLLOW, response_model=CaseDetails | CaseView)
async def case(case: str, call: Call, receipt: Receipt = None) -> Response:
    """A case as it is now; with description and result for those who look after its grid, who deals with it, and who
    shows the receipt."""
    reader = await reader_of(call, receipt)

    def seen(state: Case, version: int) -> CaseView:
        return details(state) if reader.reads(state) else public(state, version)

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
    in_full = (await reader_of(call, receipt)).reads(CASE.fold(event.data for event in recorded))
    return Page[StepView](items=[step_of(event, concerned=in_full) for event in recorded], next=None)


async def existing(call: HttpCall, id: str) -> Case:
    """The case as it is now. Raises NotFound."""
    state, version = await call.commands.load(CASE, id)
    if not version:
        raise NotFound("there is no such case")
    return state


@router.get("/{case}/alike", power=Powers.DISPATCH, response_model=Page[BoardCase])
async def look_alike(case: str, call: Call) -> Page[BoardCase]:
    """Open cases that may be the same one reported again: of its category, within 50 m and a day. A person decides:
    POST …/merge."""
    await call.fresh(case_board)
    state = await existing(call, case)
    call.grant.require(state.grid)
    return Page[BoardCase](items=await alike(call.db, case), next=None)


@router.get("/{case}/deadline", power=Powers.FOLLOW, response_model=DeadlineView)
async def deadline(case: str, call: Call) -> DeadlineView:
    """How its deadline came about (时限依据), step by step, by the working calendar as it stands now."""
    state = await existing(call, case)
    return deadline_of(state, await calendar(call.db))
