"""Indicators (指标) of a period: each with what it is made of, so that it can be reckoned again."""

from datetime import date, datetime

from contracts.common import Title
from edge import Call, Router
from pydantic import BaseModel, Field

from grid_tasks.api.bodies import Filter
from grid_tasks.api.periods import From, Until, require_period
from grid_tasks.api.powers import Powers
from grid_tasks.domain.counts import COUNTS, INDICATORS, Count, Indicator, rates
from grid_tasks.read_models.boards import counts_of
from grid_tasks.read_models.figures import figures

router = Router(prefix="/indicators", tags=["indicators"])


class CountDefinition(BaseModel):
    """What is counted."""

    code: Count
    name: str = Field(examples=["处置数"])
    what: Title


class IndicatorDefinition(BaseModel):
    """What is divided by what."""

    code: str
    title: Title
    formula: Title
    numerator: Count
    denominator: list[Count]


class Definitions(BaseModel):
    """All counts and indicators."""

    counts: list[CountDefinition]
    indicators: list[IndicatorDefinition]


class CountView(BaseModel):
    """How many."""

    code: Count
    name: str
    count: int


class IndicatorView(BaseModel):
    """A rate, and what it comes of."""

    code: str
    title: Title
    formula: Title
    numerator: int
    denominator: int
    value: float | None = Field(description="From 0 to 1; null where there is nothing to divide by")


class Indicators(BaseModel):
    """The indicators of a period; if it is not over yet, as far as it has come."""

    first: date
    last: date
    grid: str | None
    at: datetime
    indicators: list[IndicatorView]
    counts: list[CountView]


@router.get("", power=Powers.READ_BOARDS)
async def indicators(call: Call, first: From, until: Until, grid: Filter = None) -> Indicators:
    """指标: of all cases, or of those of one grid. GET /indicators/definitions and docs/indicators.md say how."""
    require_period(first, until)
    await call.fresh(figures)
    counts = await counts_of(call.db, first, until, call.now, grid=grid)
    return Indicators(
        first=first,
        last=until,
        grid=grid,
        at=call.now,
        indicators=[
            IndicatorView(
                code=it.code, title=it.title, formula=it.formula, numerator=part, denominator=whole, value=value
            )
            for it, part, whole, value in rates(counts)
        ],
        counts=[CountView(code=it, name=COUNTS[it][0], count=counts[it]) for it in Count],
    )


@router.get("/definitions", power=Powers.READ_BOARDS)
async def definitions(call: Call) -> Definitions:  # every operation takes the call, which is whether it may
    """指标定义: what each count and indicator means."""
    return Definitions(
        counts=[CountDefinition(code=it, name=name, what=what) for it, (name, what) in COUNTS.items()],
        indicators=[_definition(it) for it in INDICATORS],
    )


def _definition(it: Indicator) -> IndicatorDefinition:
    return IndicatorDefinition(
        code=it.code,
        title=it.title,
        formula=it.formula,
        numerator=it.numerator,
        denominator=list(it.denominator),
    )
