"""Months of assessment: their publication (公示), and what was published."""

from datetime import datetime
from typing import Annotated

from contracts.assessment import Method, Score
from edge import Call, Router
from fastapi import Path, Response
from pydantic import BaseModel

from assessment.api.board import MONTH
from assessment.api.powers import Powers
from assessment.domain.period import PERIOD, Period, Publish
from assessment.read_models.outcomes import outcomes, outcomes_of

router = Router(prefix="/periods", tags=["periods"])

Month = Annotated[str, Path(pattern=MONTH, description="The month, YYYY-MM")]


class PeriodView(BaseModel):
    """A published month."""

    period: str
    published_at: datetime
    method: Method
    scores: list[Score]


@router.post("/{period}/publication", power=Powers.PUBLISH, status_code=201, response_model=PeriodView)
async def publish(period: Month, call: Call) -> Response:
    """Publishes the scores of a month that is over: once, and for ever.

    What assessment knows at this moment counts: look at its lag before (`python -m assessment events lag`).
    """
    await call.fresh(outcomes)
    command = Publish(period, await outcomes_of(call.db, period), at=call.now)
    return await call.create(PERIOD, period, command, view=_view, location="/periods/{id}")


@router.get("/{period}", power=Powers.READ_BOARD, response_model=PeriodView)
async def publication(period: Month, call: Call) -> Response:
    """What was published for a month; 404 while nothing is."""
    return await call.read(PERIOD, period, _view)


def _view(published: Period, version: int) -> PeriodView:
    assert published  # noqa: S101  # the only event of a period is its publication
    return PeriodView(
        period=published.period, published_at=published.at, method=published.method, scores=published.scores
    )
