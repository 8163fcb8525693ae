"""Visits (走访): who is to be seen on the spot, by whom, and what came of it. Names are looked up in the registry, with
the purpose `visit`: here they stand as pseudonyms."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from contracts.common import Place, Post
from contracts.grid_tasks import VisitPlanned
from contracts.visits import CancelCause, Site, VisitKind
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from edge.body import Whole
from edge.call import HttpCall
from edge.moments import Day, Moment
from edge.redaction import Text
from fastapi import Response
from pydantic import BaseModel, Field, StringConstraints

from grid_tasks.api.bodies import Body, Filter, Name
from grid_tasks.api.powers import Powers
from grid_tasks.api.visit_forms import require_by_the_form
from grid_tasks.domain.refusals import UnknownGrid
from grid_tasks.domain.visit import (
    VISIT,
    Assign,
    Cancel,
    MoveAway,
    NobodyHome,
    Plan,
    PutOn,
    Record,
    TurnAway,
    Visit,
    VisitCommand,
    VisitStep,
)
from grid_tasks.domain.visit_forms import HOURS, form_for
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.read_models.grids import grids, known_grid
from grid_tasks.read_models.visit_board import BoardVisit, newest, visit_board
from grid_tasks.read_models.whereabouts import left_alone, whereabouts
from grid_tasks.read_models.workers import grid_for, workers

router = Router(prefix="/visits", tags=["visits"])

Told = Annotated[
    Moment | None, Field(strict=False, description="When it was, by the worker's phone: up to a week ago, if offline")
]


class SiteBody(Body):
    """A building, and where it stands: WGS-84, in degrees."""

    name: Name = Field(examples=["蚕花路6号1幢"])
    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)

    def site(self) -> Site:
        """As events say it."""
        return Site(name=self.name, place=Place(longitude=self.longitude, latitude=self.latitude))


class VisitBody(Body):
    """A visit by hand."""

    of: Annotated[str, StringConstraints(pattern="^(people|units|buildings)$")] = Field(
        description="The register that it stands in: people, units, buildings"
    )
    thing: Name = Field(description="Id of the person, unit or building in the registry")
    grid: Name
    site: SiteBody | None = Field(None, description="The building; not needed where the registry has told it here")
    hours: Annotated[str, StringConstraints(pattern=HOURS, max_length=200)] | None = Field(
        None, description="When they can be met, if that is known", examples=["1-5 18:00-21:00; 6-7 09:00-21:00"]
    )
    until: Day | None = Field(None, strict=False, description="The last day on which it is in time")


class OutcomeBody(Body):
    """When it was."""

    at: Told = None


class DoneBody(OutcomeBody):
    """What was answered."""

    form: Name = Field(examples=["resident"])
    version: Whole = Field(ge=1, le=1000)
    answers: dict[str, Any] = Field(description="As the form's schema asks: GET /visit-forms")


class PutOnBody(Body):
    """Another day."""

    day: Day = Field(strict=False)
    reason: Text


class CancelBody(Body):
    """Why it is not made."""

    reason: Text


class AssignBody(Body):
    """Somebody else is to have it."""

    worker: Name
    why: Text


class VisitView(BaseModel):
    """A visit, without what was answered."""

    visit: str
    step: VisitStep
    kind: VisitKind
    of: str
    thing: str = Field(description="A pseudonym of the registry")
    grid: str
    cause: str = Field(description="The due, sample or campaign that it comes from; empty: by hand")
    until: date | None
    form: str = Field(description="Which form it is answered by")
    worker: str | None
    for_leader: bool = Field(description="Nobody was home too often")
    tries: int = Field(description="How often nobody was home")
    not_before: date | None
    put_on: date | None = Field(description="The day that the worker has chosen")


@router.post("", power=Powers.PLAN_VISITS, status_code=201, response_model=VisitView)
async def plan(body: VisitBody, call: Call) -> Response:
    """A visit by hand, to be made by somebody in post in the grid; not to who asked not to be contacted."""
    await call.fresh(grids, whereabouts)
    call.grant.require(body.grid)
    if not await known_grid(call.db, body.grid):
        raise UnknownGrid(body.grid)
    no_contact, gone = await left_alone(call.db, body.thing)
    planned = VisitPlanned(
        visit=call.new_id(),
        kind=VisitKind.OTHER,
        of=body.of,
        thing=body.thing,
        grid=body.grid,
        until=body.until,
        site=body.site.site() if body.site else None,
        hours=body.hours or "",
        by=call.require_caller(),
        at=call.now,
    )
    command = Plan(planned, no_contact or gone)
    return await call.create(VISIT, planned.visit, command, view=view_of, location="/visits/{id}")


@router.get("", power=Powers.READ_VISITS, response_model=Page[BoardVisit])
async def visits(
    call: Call,
    step: VisitStep | None = None,
    grid: Filter = None,
    worker: Filter = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[BoardVisit]:
    """Visits within your reach, newest first."""
    await call.fresh(visit_board)
    before = decode_cursor(cursor, datetime, str) if cursor else None
    rows = await newest(
        call.db, reach=call.grant.sql, step=step, grid=grid, worker=worker, before=before, limit=limit + 1
    )
    return Page[BoardVisit].of(rows, limit, lambda row: (row.planned_at, row.visit))


@router.get("/{visit}", power=Powers.READ_VISITS, response_model=VisitView)
async def visit(visit: str, call: Call) -> Response:
    """A visit as it is now."""
    return await call.read(VISIT, visit, view_of, grid=_grid)


@router.post("/{visit}/done", power=Powers.RECORD_VISITS, response_model=VisitView)
async def done(visit: str, body: DoneBody, call: Call) -> Response:
    """已走访: what was answered goes to the registry, as a proposal or, from who may enter it, as a fact."""
    state, _ = await call.commands.load(VISIT, visit)
    call.grant.require(state.grid)  # before anything is said of the answers
    require_by_the_form(body.form, body.version, body.answers)
    answers: Mapping[str, Any] = body.answers
    return await _change(
        call, visit, Record(call.require_caller(), _when(body, call), call.now, body.form, body.version, answers)
    )


@router.post("/{visit}/nobody-home", power=Powers.RECORD_VISITS, response_model=VisitView)
async def nobody_home(visit: str, body: OutcomeBody, call: Call) -> Response:
    """无人在家: an honest outcome. The next try comes at another time of the week; after three the leader has it."""
    worked = await calendar(call.db)
    return await _change(call, visit, NobodyHome(call.require_caller(), _when(body, call), call.now, worked))


@router.post("/{visit}/turned-away", power=Powers.RECORD_VISITS, response_model=VisitView)
async def turned_away(visit: str, body: OutcomeBody, call: Call) -> Response:
    """拒访: they did not want to speak."""
    return await _change(call, visit, TurnAway(call.require_caller(), _when(body, call), call.now))


@router.post("/{visit}/moved-away", power=Powers.RECORD_VISITS, response_model=VisitView)
async def moved_away(visit: str, body: OutcomeBody, call: Call) -> Response:
    """已搬离: others live there by now. The registry gets it as a proposal."""
    return await _change(call, visit, MoveAway(call.require_caller(), _when(body, call), call.now))


@router.post("/{visit}/put-on", power=Powers.RECORD_VISITS, response_model=VisitView)
async def put_on(visit: str, body: PutOnBody, call: Call) -> Response:
    """改期: the worker puts it on a day of the next two weeks; today too."""
    return await _change(call, visit, PutOn(call.require_caller(), body.day, body.reason, call.now))


@router.post("/{visit}/cancel", power=Powers.PLAN_VISITS, response_model=VisitView)
async def cancel(visit: str, body: CancelBody, call: Call) -> Response:
    """取消, with the reason."""
    return await _change(call, visit, Cancel(CancelCause.BY_HAND, body.reason, call.require_caller(), call.now))


@router.post("/{visit}/assign", power=Powers.ASSIGN_VISITS, response_model=VisitView)
async def assign(visit: str, body: AssignBody, call: Call) -> Response:
    """指派: a leader gives it to somebody else in post in its grid."""
    await call.fresh(workers)
    state, _ = await call.commands.load(VISIT, visit)
    in_post = await grid_for(call.db, body.worker, state.grid, Post.GRID_WORKER, "") is not None
    command = Assign(body.worker, None, in_post, body.why, call.now, by_rule=False)
    return await _change(call, visit, command)


def _when(body: OutcomeBody, call: HttpCall) -> datetime | None:
    """When it was: for what was brought by /sync, by the phone's clock put right."""
    return call.done_at or body.at


async def _change(call: HttpCall, visit: str, command: VisitCommand) -> Response:
    """Of a visit in the reach of the caller's power."""
    return await call.change(VISIT, visit, command, view=view_of, grid=_grid)


def _grid(state: Visit) -> str:
    return state.grid


def view_of(state: Visit, _version: int) -> VisitView:
    """A visit for who looks after its grid."""
    return VisitView(
        visit=state.id,
        step=state.step or VisitStep.OPEN,
        kind=state.kind,
        of=state.of,
        thing="" if state.answers_erased else state.thing,
        grid=state.grid,
        cause="" if state.answers_erased else state.cause,
        until=state.until,
        form=form_for(state.kind, state.of),
        worker=state.worker,
        for_leader=state.for_leader,
        tries=len(state.tried),
        not_before=state.not_before,
        put_on=state.put_on,
    )
