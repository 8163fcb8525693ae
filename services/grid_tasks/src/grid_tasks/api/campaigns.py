"""Joint campaigns (联合行动): what departments ask of grid workers' hours in a month, what is given and what is left,
for everybody to see beforehand."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated

from contracts.common import Title
from contracts.visits import Site
from edge import Call, Router
from edge.body import Whole
from edge.call import HttpCall
from edge.moments import Day
from edge.redaction import Text
from events import NotFound
from fastapi import Path, Response
from pydantic import BaseModel, Field

from grid_tasks.api.bodies import Body, Name
from grid_tasks.api.overreach import counted
from grid_tasks.api.powers import Powers
from grid_tasks.api.visits import SiteBody
from grid_tasks.domain.campaigns import CAMPAIGNS, Approve, Ask, Campaign, CampaignStep, LayDown, Month, Refuse
from grid_tasks.domain.visit_refusals import SpeaksForNobody
from grid_tasks.read_models.grids import grid_at, grids
from grid_tasks.read_models.workers import body_of_liaison, workers

router = Router(prefix="/campaigns", tags=["campaigns"])

InMonth = Annotated[str, Path(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-12"])]
CAMPAIGN = "campaign"
"""What a campaign beyond the budget is counted as."""


class BudgetBody(Body):
    """核定工时."""

    hours: Whole = Field(ge=0, le=100_000)


class TitleBody(Body):
    """In both languages."""

    zh: Name
    en: Name


class AskBody(Body):
    """申请: what for, how many hours, where and when."""

    title: TitleBody = Field(examples=[{"zh": "12幢反诈宣传", "en": "Anti-fraud talk in building 12"}])
    hours: Whole = Field(ge=1, le=100_000, description="Of grid workers")
    sites: Annotated[tuple[SiteBody, ...], Field(min_length=1, max_length=200, strict=False)]
    first: Day = Field(strict=False)
    last: Day = Field(strict=False)


class RefuseBody(Body):
    """不予批准."""

    reason: Text


class CampaignView(BaseModel):
    """A campaign, and where it stands."""

    campaign: str
    body: str = Field(description="The department that asked")
    title: Title
    hours: int
    sites: list[Site]
    first: date
    last: date
    step: CampaignStep
    reason: str = Field(description="Why it was refused")


class MonthView(BaseModel):
    """The campaigns of a month, and the hours that there are."""

    month: str
    budget: int | None = Field(description="Hours; null: nobody has laid them down, so nobody can ask for any")
    approved: int
    left: int
    campaigns: list[CampaignView]


@router.get("/{month}", power=Powers.READ_CAMPAIGNS, response_model=MonthView)
async def month_of(month: InMonth, call: Call) -> Response:
    """What is asked for, given and left in a month."""
    return await call.read(CAMPAIGNS, month, _view(month))


@router.put("/{month}/budget", power=Powers.BUDGET_CAMPAIGNS, status_code=201, response_model=MonthView)
async def lay_down(month: InMonth, body: BudgetBody, call: Call) -> Response:
    """核定: so many hours of grid workers are for campaigns in this month; no fewer than are approved already."""
    command = LayDown(month, body.hours, call.require_caller(), call.now)
    return await call.create(CAMPAIGNS, month, command, view=_view(month), location="/campaigns/{id}")


@router.post("/{month}", power=Powers.ASK_CAMPAIGNS, status_code=201, response_model=MonthView)
async def ask(month: InMonth, body: AskBody, call: Call) -> Response:
    """申请: a department's liaison asks for hours. What is beyond the budget is refused, and counted (GET
    /duties/overreach)."""
    await call.fresh(workers)
    by = call.require_caller()
    department = await body_of_liaison(call.db, by)
    if department is None:
        raise SpeaksForNobody
    command = Ask(
        month=month,
        campaign=call.new_id(),
        body=department,
        title=Title(zh=body.title.zh, en=body.title.en),
        hours=body.hours,
        sites=tuple(it.site() for it in body.sites),
        first=body.first,
        last=body.last,
        by=by,
        at=call.now,
    )
    async with counted(call, CAMPAIGN, body.hours):
        return await call.create(CAMPAIGNS, month, command, view=_view(month), location="/campaigns/{id}")


@router.post("/{month}/{campaign}/approve", power=Powers.DECIDE_CAMPAIGNS, response_model=MonthView)
async def approve(month: InMonth, campaign: str, call: Call) -> Response:
    """批准: it takes its hours, and is visits from then on: one to each of its buildings."""
    await _require_reach(call, month, campaign)
    command = Approve(campaign, call.require_caller(), call.now)
    return await call.change(CAMPAIGNS, month, command, view=_view(month))


@router.post("/{month}/{campaign}/refuse", power=Powers.DECIDE_CAMPAIGNS, response_model=MonthView)
async def refuse(month: InMonth, campaign: str, body: RefuseBody, call: Call) -> Response:
    """不予批准, with the reason."""
    await _require_reach(call, month, campaign)
    command = Refuse(campaign, body.reason, call.require_caller(), call.now)
    return await call.change(CAMPAIGNS, month, command, view=_view(month))


async def _require_reach(call: HttpCall, month: str, campaign: str) -> None:
    """All of its buildings lie where the caller may decide. Raises NotFound, OutOfReach."""
    state, _ = await call.commands.load(CAMPAIGNS, month)
    found = state.campaigns.get(campaign)
    if found is None:
        raise NotFound("there is no such campaign in this month")
    await call.fresh(grids)
    for grid in await _grids(call, found.asked.sites):
        call.grant.require(grid)


async def _grids(call: HttpCall, sites: Iterable[Site]) -> set[str | None]:
    return {await grid_at(call.db, it.place) for it in sites}


def _view(month: str) -> Callable[[Month, int], MonthView]:
    """How this month looks on the wire."""

    def view(state: Month, _version: int) -> MonthView:
        return MonthView(
            month=month,
            budget=state.budget,
            approved=state.approved,
            left=state.left,
            campaigns=[_campaign(it) for it in state.campaigns.values()],
        )

    return view


def _campaign(it: Campaign) -> CampaignView:
    return CampaignView(
        campaign=it.asked.campaign,
        body=it.asked.body,
        title=it.asked.title,
        hours=it.asked.hours,
        sites=list(it.asked.sites),
        first=it.asked.first,
        last=it.asked.last,
        step=it.step,
        reason=it.reason,
    )
