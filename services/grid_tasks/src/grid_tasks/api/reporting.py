"""What the reporter does with a case, by showing the receipt: nobody need sign in to take part."""

from edge import Call, Router
from edge.body import Whole
from edge.redaction import Text
from fastapi import Response
from pydantic import Field

from grid_tasks.api.bodies import Body, Evidence, Receipt
from grid_tasks.api.powers import Powers
from grid_tasks.api.views import CaseView, public
from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import AnswerAsReporter, Rate, Reopen, Withdraw
from grid_tasks.evidence.cases import require_kept
from grid_tasks.read_models.calendar_days import calendar

router = Router(prefix="/cases", tags=["cases"])


class AnswerBody(Body):
    """补充."""

    words: Text
    evidence: Evidence = ()


class ReopenBody(Body):
    """重开: what is not done."""

    reason: Text


class RatingBody(Body):
    """满意度."""

    rating: Whole = Field(ge=1, le=5, description="1 not at all satisfied, 5 very much")


@router.post("/{case}/answer", power=Powers.ANSWER, response_model=CaseView)
async def answer(case: str, body: AnswerBody, call: Call, receipt: Receipt = None) -> Response:
    """补充: who shows the receipt adds something. A case that waits for it goes on."""
    days = await calendar(call.db)
    await require_kept(call.commands, body.evidence, call.caller.id, case)
    command = AnswerAsReporter(receipt or "", body.words, days, call.now, body.evidence)
    return await call.change(CASE, case, command, view=public)


@router.post("/{case}/withdraw", power=Powers.ANSWER, response_model=CaseView)
async def withdraw(case: str, call: Call, receipt: Receipt = None) -> Response:
    """撤回: who shows the receipt takes it back, until it is handed in."""
    return await call.change(CASE, case, Withdraw(receipt or "", call.now), view=public)


@router.post("/{case}/rating", power=Powers.RATE, response_model=CaseView)
async def rate(case: str, body: RatingBody, call: Call, receipt: Receipt = None) -> Response:
    """满意度: who shows the receipt says, once, how satisfied they are."""
    return await call.change(CASE, case, Rate(body.rating, receipt or "", call.now), view=public)


@router.post("/{case}/reopen", power=Powers.ANSWER, response_model=CaseView)
async def reopen(case: str, body: ReopenBody, call: Call, receipt: Receipt = None) -> Response:
    """重开: who shows the receipt says, within fifteen days, that it is not done."""
    command = Reopen(receipt or "", body.reason, await calendar(call.db), call.now)
    return await call.change(CASE, case, command, view=public)
