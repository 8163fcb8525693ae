"""Visits that the tests speak of: who is to be visited, where, and when they are at home."""

from datetime import UTC, date, datetime, timedelta

from contracts.common import Place
from contracts.grid_tasks import VisitAssigned, VisitPlanned
from contracts.registry import DueKind, DueNoticed, DuePassed, DueSettled, WhereaboutsTold
from contracts.visits import PartOfWeek, Site, VisitKind
from events import Event
from events.testing import Given, given
from grid_tasks.domain.rounds import Task
from grid_tasks.domain.visit import VISIT
from grid_tasks.domain.working_time import Calendar

from .trade import GRID, LI, NINE

VISIT_ID = "v1"
WEI = "P-wei"
"""A floating resident whose registration ends."""
BUILDING = "蚕花路6号1幢"
THERE = Place(longitude=120.095, latitude=30.874)
EVENING = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)  # half past seven on a Tuesday evening in China
TUESDAY = date(2026, 11, 24)
SATURDAY = date(2026, 11, 28)
DECEMBER = date(2026, 12, 20)
ALL_RIGHT = {"as_registered": True}
OTHER_PHONE = {"as_registered": False, "changes": {"phone": "15496301248"}}
DAYS = Calendar()


def planned(kind: VisitKind = VisitKind.REGISTRATION, **other: object) -> VisitPlanned:
    return VisitPlanned(
        **{  # type: ignore[arg-type]
            "visit": VISIT_ID,
            "kind": kind,
            "of": "people",
            "thing": WEI,
            "grid": GRID,
            "cause": "registration-P-wei-2026-12-20",
            "until": DECEMBER,
            "at": NINE,
        }
        | other
    )


def assigned(worker: str = LI) -> VisitAssigned:
    return VisitAssigned(visit=VISIT_ID, grid=GRID, worker=worker, why="fewest open visits", at=NINE)


def visit(*history: Event) -> Given:
    return given(VISIT, *history)


def due(thing: str = WEI, kind: DueKind = DueKind.REGISTRATION, on: date = DECEMBER) -> DueNoticed:
    of = "people" if kind in (DueKind.REGISTRATION, DueKind.REVISIT) else "units"
    return DueNoticed(due=f"{kind}-{thing}-{on}", kind=kind, of=of, thing=thing, grid=GRID, on=on)


def passed(noticed: DueNoticed, grid: str | None = GRID) -> DuePassed:
    return DuePassed.model_validate(noticed.model_dump() | {"grid": grid, "at": NINE})


def settled(noticed: DueNoticed) -> DueSettled:
    return DueSettled(due=noticed.due, thing=noticed.thing, at=NINE)


def lives(
    thing: str = WEI,
    building: str = BUILDING,
    place: Place | None = THERE,
    *,
    grid: str | None = GRID,
    hours: str = "",
    no_contact: bool = False,
) -> WhereaboutsTold:
    return WhereaboutsTold(
        whereabouts=thing,
        of="people",
        grid=grid,
        building=building,
        place=place,
        home_hours=hours,
        no_contact=no_contact,
    )


def task(
    visit: str = VISIT_ID,
    site: str = BUILDING,
    place: Place | None = THERE,
    *,
    of: str = "people",
    hours: str = "",
    until: date | None = None,
    tried: tuple[PartOfWeek, ...] = (),
    not_before: date | None = None,
    put_on: date | None = None,
) -> Task:
    return Task(visit, VisitKind.REVISIT, of, site, place, hours, NINE, until, tried, not_before, put_on)


def site(nth: int) -> Site:
    """One of a row of buildings, 80 m apart."""
    return Site(name=f"蚕花路{nth}号", place=Place(longitude=120.09 + nth * 0.00083, latitude=30.873))


LATER = timedelta(hours=1)
