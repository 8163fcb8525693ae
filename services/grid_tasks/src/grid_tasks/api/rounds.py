"""Rounds (走访路线): a worker's visits of a day, in an order that is short on foot, with why each is where it is."""

from datetime import date, datetime, timedelta
from typing import Annotated

from contracts.common import Place
from contracts.visits import VisitKind
from edge import Call, Router
from edge.moments import Day
from fastapi import Query, Response
from pydantic import BaseModel, Field

from grid_tasks.api.bodies import Body, Filter, Name
from grid_tasks.api.powers import Powers
from grid_tasks.domain.round import ROUND, Arrange, round_of
from grid_tasks.domain.rounds import Rounds, Stop, plan
from grid_tasks.domain.visit import AHEAD
from grid_tasks.domain.visit_refusals import TooFarAhead
from grid_tasks.domain.working_time import CHINA, midnight
from grid_tasks.read_models.calendar_days import calendar
from grid_tasks.read_models.visit_board import tasks_of, visit_board
from grid_tasks.read_models.whereabouts import whereabouts

router = Router(prefix="/rounds", tags=["visits"])


class KnockView(BaseModel):
    """A visit in a round."""

    visit: str
    kind: VisitKind
    at: datetime = Field(description="When, if nothing comes between")
    why: str


class StopView(BaseModel):
    """A building in a round."""

    site: str
    place: Place
    metres: int = Field(description="On foot from the one before, about")
    knocks: list[KnockView]


class UnplannedView(BaseModel):
    """A visit that has no day until then, and why."""

    visit: str
    why: str


class RoundView(BaseModel):
    """A worker's round of a day."""

    worker: str
    day: date
    minutes: int = Field(description="On the way and at doors")
    stops: list[StopView]
    other_days: dict[date, list[str]] = Field(description="What the days before have, from today")
    unplanned: list[UnplannedView]


class ArrangeBody(Body):
    """自定次序."""

    day: Day = Field(strict=False)
    order: Annotated[tuple[Name, ...], Field(max_length=200, strict=False)] = Field(
        description="Visits, first to last; those that are not named come after. None: no own order"
    )


class ArrangedView(BaseModel):
    """The worker's own order of a day."""

    worker: str
    day: date
    order: list[str]


@router.get("", power=Powers.READ_VISITS)
async def round_of_a_day(
    call: Call, day: Annotated[Day | None, Query(description="Today, or one of the next 14 days")] = None,
    worker: Filter = None,
) -> RoundView:  # fmt: skip
    """A worker's round; one's own, unless another worker is named. Reckoned from what is so now, the same each time it
    is asked until something changes."""
    await call.fresh(visit_board, whereabouts)
    whose = worker or call.require_caller()
    wanted, days = _days(day, call.now)
    tasks = await tasks_of(call.db, whose, call.grant.sql)
    own = {it: (await call.commands.load(ROUND, round_of(whose, it)))[0] for it in days}
    return _view(whose, wanted, plan(tasks, days, await calendar(call.db), own))


@router.post("", power=Powers.RECORD_VISITS, status_code=201, response_model=ArrangedView)
async def arrange(body: ArrangeBody, call: Call) -> Response:
    """The caller goes through a day in an order of their own, within the hours in which people can be met."""
    worker = call.require_caller()
    day, _ = _days(body.day, call.now)
    command = Arrange(round_of(worker, day), worker, day, body.order, call.now)

    def view(order: tuple[str, ...], _version: int) -> ArrangedView:
        return ArrangedView(worker=worker, day=day, order=list(order))

    return await call.create(ROUND, command.round, command, view=view)


def _days(day: date | None, now: datetime) -> tuple[date, list[date]]:
    """The day that is asked for, and all from today up to it. Raises TooFarAhead."""
    today = now.astimezone(CHINA).date()
    wanted = day or today
    if not today <= wanted <= today + AHEAD:
        raise TooFarAhead(today, today + AHEAD)
    return wanted, [today + timedelta(days=nth) for nth in range((wanted - today).days + 1)]


def _view(worker: str, day: date, found: Rounds) -> RoundView:
    it = found.days[day]
    return RoundView(
        worker=worker,
        day=day,
        minutes=it.minutes,
        stops=[_stop(stop, day) for stop in it.stops],
        other_days={other: one.visits for other, one in found.days.items() if other != day},
        unplanned=[UnplannedView(visit=left.visit, why=left.why) for left in found.unplanned],
    )


def _stop(stop: Stop, day: date) -> StopView:
    knocks = [
        KnockView(visit=it.visit, kind=it.kind, at=midnight(day) + timedelta(minutes=it.at), why=it.why)
        for it in stop.knocks
    ]
    return StopView(site=stop.site, place=stop.place, metres=stop.metres, knocks=knocks)
