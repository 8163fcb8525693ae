"""Patrols (巡查): where a worker was, and what was found there. What was found becomes a case, by itself."""

from typing import Annotated

from contracts.grid_tasks import PatrolWalked
from contracts.visits import PatrolFinding
from edge import Call, Router
from edge.call import HttpCall
from edge.redaction import Text
from fastapi import Response
from pydantic import BaseModel, Field

from grid_tasks.api.bodies import Body, Name, PlaceBody
from grid_tasks.api.overreach import counted
from grid_tasks.api.powers import Powers
from grid_tasks.domain.patrol import PATROL, case_of
from grid_tasks.domain.refusals import NotAGridDuty, NotOnAnyDutyList, UnknownGrid
from grid_tasks.read_models.duties import duties, duty_of
from grid_tasks.read_models.grids import grids, known_grid
from grid_tasks.read_models.workers import anybody_of, workers

router = Router(prefix="/patrols", tags=["patrols"])


class FoundBody(Body):
    """Something that is to be dealt with."""

    category: Name = Field(description="A category of the duty list: GET /duties")
    description: Text
    place: PlaceBody


class PointBody(Body):
    """A point of a patrol."""

    point: Annotated[str, Field(min_length=1, max_length=100, examples=["公园东门"])]
    found: FoundBody | None = Field(None, description="null: nothing was found")


class PatrolBody(Body):
    """Where the worker was, first to last."""

    grid: Name
    points: Annotated[tuple[PointBody, ...], Field(min_length=1, max_length=100, strict=False)]


class PatrolView(BaseModel):
    """A patrol that was told, and the cases that come of it."""

    patrol: str
    grid: str
    worker: str
    points: int
    found: int
    cases: list[str] = Field(description="Of what was found, in the order of the points; each is there in a moment")


@router.post("", power=Powers.REPORT_PATROLS, status_code=201, response_model=PatrolView)
async def walked(body: PatrolBody, call: Call) -> Response:
    """Tells of a patrol: no track, no distance; what was found, and where."""
    await call.fresh(grids, duties, workers)
    call.grant.require(body.grid)
    if not await known_grid(call.db, body.grid):
        raise UnknownGrid(body.grid)
    for it in body.points:
        if it.found:
            async with counted(call, it.found.category):
                await _require_taken(call, it.found.category)
    patrol, worker = call.new_id(), call.require_caller()
    findings = tuple(_finding(it) for it in body.points)
    found = sum(it.category is not None for it in findings)
    command = PatrolWalked(
        patrol=patrol,
        grid=body.grid,
        worker=worker,
        points=len(findings),
        found=found,
        findings=tuple(it for it in findings if it.category is not None),
        done_at=call.done_at,
        at=call.now,
    )

    def view(state: PatrolWalked | None, _version: int) -> PatrolView:
        told = state or command
        return PatrolView(
            patrol=told.patrol,
            grid=told.grid,
            worker=told.worker,
            points=told.points,
            found=told.found,
            cases=[case_of(told.patrol, nth) for nth in range(told.found)],
        )

    return await call.create(PATROL, patrol, command, view=view)


async def _require_taken(call: HttpCall, category: str) -> None:
    """Raises what a report of this category would be refused with."""
    found = await duty_of(call.db, category)
    if found is None:
        raise NotOnAnyDutyList(category)
    if not found.duty.grid_duty and not await anybody_of(call.db, found.duty.department.zh):
        raise NotAGridDuty(found.duty)


def _finding(it: PointBody) -> PatrolFinding:
    if it.found is None:
        return PatrolFinding(point=it.point)
    it_is = it.found
    return PatrolFinding(
        point=it.point, category=it_is.category, description=it_is.description, place=it_is.place.point()
    )
