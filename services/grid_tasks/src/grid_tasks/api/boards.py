"""Boards (看板): what is open, where it gets stuck, what comes and goes, and where it lies.

They count; what they count is public, as each case's step and times are (GET /cases). Where a case lies is not.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from edge import Call, Router
from events import Refused
from fastapi import Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from grid_tasks.api.bodies import Filter
from grid_tasks.api.periods import From, Until, require_period
from grid_tasks.api.powers import Powers
from grid_tasks.domain.counts import Count
from grid_tasks.domain.moves import Step
from grid_tasks.read_models.boards import AGES, By, OpenCase, OpenWork, open_work_by, places, stays, weeks
from grid_tasks.read_models.figures import figures

router = Router(prefix="/boards", tags=["boards"])


class GeoJson(JSONResponse):
    """What it says that it is."""

    media_type = "application/geo+json"


class OpenView(BaseModel):
    """Some of the open work."""

    key: str = Field(
        description="The step, grid, department (empty: the grid's own) or category; an age, in days: `3-7`"
    )
    open: int
    late: int = Field(description="Of these, past the deadline and not handed in")
    warned: int = Field(description="Of these, warned that the deadline is near, and not late yet")
    urgent: int


class OpenBoard(BaseModel):
    """What is open now (在办)."""

    at: datetime
    by: By
    items: list[OpenView]
    open: int
    late: int
    warned: int


class StepView(BaseModel):
    """How long cases stayed at a step: minutes of the clock, cut to two digits (10, 11 … 20, 22 … 50, 55 …), so by less
    than a tenth."""

    step: Step
    count: int = Field(description="How many stays ended in the period")
    p50: int = Field(description="Minutes within which half of them did")
    p90: int = Field(description="Minutes within which nine of ten did")


class StepsBoard(BaseModel):
    """Where it gets stuck (各环节用时), by the way of a case."""

    first: date
    last: date
    items: list[StepView]


class WeekView(BaseModel):
    """What came and went in a week."""

    week: str = Field(examples=["2026-W48"], description="ISO 8601")
    monday: date
    reported: int
    closed: int
    reopened: int
    refused: int
    withdrawn: int
    merged: int
    taken_up: int
    open_at_end: int


class FlowBoard(BaseModel):
    """What comes and goes (收结存), week by week."""

    items: list[WeekView]


@router.get("/open", power=Powers.READ_BOARDS)
async def open_board(call: Call, by: By = By.STEP, grid: Filter = None, department: Filter = None) -> OpenBoard:
    """在办: open work by step, grid, department, category or age, and how much of it is late."""
    await call.fresh(figures)
    rows = await open_work_by(call.db, by, call.now, grid=grid, body=department)
    items = [_open_view(by, row) for row in _in_order(by, rows)]
    return OpenBoard(
        at=call.now,
        by=by,
        items=items,
        open=sum(it.open for it in items),
        late=sum(it.late for it in items),
        warned=sum(it.warned for it in items),
    )


def _in_order(by: By, rows: list[OpenWork]) -> list[OpenWork]:
    order = [str(step) for step in Step]
    return sorted(rows, key=lambda row: order.index(row.key)) if by is By.STEP else rows


def _open_view(by: By, row: OpenWork) -> OpenView:
    key = _band(int(row.key)) if by is By.AGE else row.key
    return OpenView(key=key, open=row.open, late=row.late, warned=row.warned, urgent=row.urgent)


def _band(nth: int) -> str:
    """`0-1`, `1-3`, … `30+`."""
    lower = AGES[nth - 1] if nth else 0
    return f"{lower}-{AGES[nth]}" if nth < len(AGES) else f"{lower}+"


@router.get("/steps", power=Powers.READ_BOARDS)
async def steps_board(
    call: Call, first: From, until: Until, grid: Filter = None, department: Filter = None
) -> StepsBoard:
    """各环节用时: how long cases stayed at each step, of the stays that ended in the period."""
    require_period(first, until)
    await call.fresh(figures)
    rows = await stays(call.db, first, until, grid=grid, body=department)
    items = [StepView(step=row.step, count=row.count, p50=row.p50, p90=row.p90) for row in rows]
    return StepsBoard(first=first, last=until, items=items)


@router.get("/flow", power=Powers.READ_BOARDS)
async def flow_board(call: Call, first: From, until: Until, grid: Filter = None) -> FlowBoard:
    """收结存: what was reported, closed and reopened in each week that has one of these days, and what was open at its
    end."""
    require_period(first, until)
    await call.fresh(figures)
    found = await weeks(call.db, first, until, grid=grid)
    return FlowBoard(
        items=[
            WeekView(
                week=f"{it.first:%G-W%V}",
                monday=it.first,
                open_at_end=it.counts[Count.OPEN],
                **{str(what): count for what, count in it.counts.items() if what is not Count.OPEN},
            )
            for it in found
        ]
    )


class PointView(BaseModel):
    """A position of GeoJSON, in WGS-84."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class FeatureView(BaseModel):
    """An open case where it lies; or a grid, without a place, with how many are open in it."""

    type: Literal["Feature"] = "Feature"
    id: str | None = Field(description="The case; null for a grid")
    geometry: PointView | None
    properties: dict[str, Any]


class FeaturesView(BaseModel):
    """GeoJSON (RFC 7946)."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[FeatureView]
    more: bool = Field(description="Whether there are more open cases than this: ask for a smaller box")


Box = Annotated[
    str | None,
    Query(
        max_length=100,
        pattern="^-?[0-9.]+(,-?[0-9.]+){3}$",
        description="west,south,east,north in degrees",
        examples=["120.09,30.86,120.11,30.88"],
    ),
]
AtMost = Annotated[int, Query(ge=1, le=5000, description="At most so many cases, those longest open first")]


class NotABox(Refused):
    """It is not four numbers, they are no degrees, or it ends before it begins."""

    reason = "not-a-box"

    def __init__(self) -> None:
        super().__init__(
            "bbox 须为以度为单位的四个数：西,南,东,北。 A bbox is four numbers in degrees: west,south,east,north."
        )


@router.get("/places", power=Powers.READ_BOARDS, response_model=FeaturesView, response_class=GeoJson)
async def places_board(
    call: Call, grid: Filter = None, step: Step | None = None, bbox: Box = None, limit: AtMost = 1000
) -> Response:
    """分布: the open cases that you may read (`cases.read`), where they lie. Whoever may not gets each grid's numbers,
    and no place."""
    await call.fresh(figures)
    box = _box(bbox)
    reader = await call.may(Powers.READ)
    if reader is None:
        rows = await open_work_by(call.db, By.GRID, call.now, grid=grid)
        found = FeaturesView(features=[_grid_feature(row) for row in rows], more=False)
    else:
        cases = await places(call.db, call.now, reader.sql, grid=grid, step=step, box=box, limit=limit + 1)
        found = FeaturesView(features=[_case_feature(it) for it in cases[:limit]], more=len(cases) > limit)
    headers = {"Vary": "Authorization", "Cache-Control": "private, no-store"}
    return GeoJson(found.model_dump(mode="json"), headers=headers)


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(it) for it in text.split(","))
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
            raise ValueError(text)
    except ValueError:
        raise NotABox from None
    return west, south, east, north


def _grid_feature(row: OpenWork) -> FeatureView:
    return FeatureView(id=None, geometry=None, properties={"grid": row.key, "open": row.open, "late": row.late})


def _case_feature(it: OpenCase) -> FeatureView:
    properties = {
        "category": it.category,
        "grid": it.grid,
        "step": it.step,
        "department": it.body,
        "urgent": it.urgent,
        "late": it.late,
        "due": it.due,
        "reported_at": it.reported_at,
    }
    return FeatureView(id=it.case, geometry=PointView(coordinates=(it.longitude, it.latitude)), properties=properties)
