"""The public board (上墙公示): as JSON for other systems, and as a page for the wall.

Before its publication a month is shown as it stands; afterwards as it was published, whatever came later.
"""

import re
from calendar import month_name
from datetime import datetime
from pathlib import Path
from typing import Annotated

from contracts.assessment import Indicator, Method, Score
from contracts.common import Title
from edge import Call, Router
from edge.outside import by_hash, page_policy
from fastapi import Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict

from assessment.api.powers import Powers
from assessment.domain import indicators
from assessment.domain.explanation import APPEAL, TITLES, method_text, reasons, ties
from assessment.domain.period import CHINA, PERIOD, month_of
from assessment.read_models.members import Member, members, members_for
from assessment.read_models.outcomes import outcomes, outcomes_of

MONTH = r"^[12]\d{3}-(0[1-9]|1[0-2])$"

router = Router(tags=["board"])
page = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
POLICY = page_policy(
    styles=" ".join(map(by_hash, STYLE.findall(Path(__file__).with_name("board.html").read_text(encoding="utf-8"))))
)


class Part(BaseModel):
    """What one indicator gave, and why."""

    indicator: Indicator
    title: Title
    points: float
    of: float
    why: Title


class Row(BaseModel):
    """A grid worker on the board."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    rank: int
    """Equal points share a place."""
    worker: str
    name: str | None
    """None if the registry has not told of this worker."""
    grid: str | None
    in_post: bool
    points: float
    stars: int
    closed: int
    on_time: float
    first_attempt: float
    satisfaction: float | None
    ratings: int
    parts: list[Part]


class Waiting(BaseModel):
    """A grid worker in post who has closed no case in this month yet, and so has no score."""

    worker: str
    name: str
    grid: str | None


class BoardView(BaseModel):
    """The board of a month."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    period: str
    as_of: datetime
    """When it was published; for a preview, now."""
    published: bool
    method: Method
    method_text: Title
    ties: Title | None
    appeal: Title
    scores: list[Row]
    without_score: list[Waiting]
    """Of a preview only."""


Period = Annotated[
    str | None, Query(pattern=MONTH, description="The month, YYYY-MM; by default the present one in China")
]


@router.get("/board", power=Powers.READ_BOARD)
async def board(call: Call, period: Period = None) -> BoardView:
    """The scores of a month, best first, each with the reasons for its points."""
    await call.fresh(outcomes)
    await call.fresh(members)
    period = period or month_of(call.now)
    published, _ = await call.commands.load(PERIOD, period)
    shown = published or indicators.board(await outcomes_of(call.db, period))
    people = await members_for(call.db, [score.worker for score in shown.scores])
    judged = {score.worker for score in shown.scores}
    return BoardView(
        period=period,
        as_of=(published.at if published else call.now).astimezone(CHINA),
        published=published is not None,
        method=shown.method,
        method_text=method_text(shown.method),
        ties=ties(shown.scores),
        appeal=APPEAL,
        scores=[
            _row(rank, score, people.get(score.worker), shown.method)
            for rank, score in zip(indicators.ranks(shown.scores), shown.scores, strict=True)
        ],
        without_score=[
            Waiting(worker=member.id, name=member.name, grid=member.grid)
            for member in people.values()
            if member.id not in judged and not published
        ],
    )


@router.get("/board.html", power=Powers.READ_BOARD, response_class=HTMLResponse)
async def board_page(call: Call, period: Period = None) -> HTMLResponse:
    """The same as a page to be printed (A4, landscape) and put on the wall; Chinese first, then English."""
    shown = await board(call, period)
    year, month = shown.period.split("-")
    html = page.get_template("board.html").render(
        board=shown,
        titles=TITLES,
        stars_from=indicators.STARS_FROM,
        year=year,
        month=int(month),
        month_en=month_name[int(month)],
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})


def _row(rank: int, score: Score, member: Member | None, method: Method) -> Row:
    return Row(
        rank=rank,
        worker=score.worker,
        name=member.name if member else None,
        grid=score.grid,
        in_post=member.in_post if member else True,
        points=score.points,
        stars=score.stars,
        closed=score.closed,
        on_time=score.on_time,
        first_attempt=score.first_attempt,
        satisfaction=score.satisfaction,
        ratings=score.ratings,
        parts=[
            Part(
                indicator=weight.indicator,
                title=TITLES[weight.indicator],
                points=score.by_indicator[weight.indicator],
                of=weight.points,
                why=why,
            )
            for weight, why in zip(method.weights, reasons(score, method), strict=True)
        ],
    )
