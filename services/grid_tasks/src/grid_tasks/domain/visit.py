"""A visit (走访): somebody or something is to be seen on the spot, because it falls due, was drawn, or is wanted.

Planned → with a worker → done, or: nobody home (tried again at another time of the week, after three tries by the
leader), turned away, moved away, cancelled. Who has it alone says what came of it. Who asked not to be contacted is
not visited but where the law asks for it. What is settled otherwise needs no visit, and where it is made follows the
map and who lives where.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from contracts.visits import (
    CancelCause,
    PartOfWeek,
    Site,
    VisitAnswersErased,
    VisitAssigned,
    VisitCancelled,
    VisitDone,
    VisitGridChanged,
    VisitKind,
    VisitMovedAway,
    VisitNobodyHome,
    VisitPlanned,
    VisitPutOn,
    VisitTurnedAway,
)
from events import Aggregate, Event, NotFound

from grid_tasks.domain.meeting import believed, part_at
from grid_tasks.domain.visit_forms import form_for, wrong_in
from grid_tasks.domain.visit_refusals import (
    AskedNotToBeContacted,
    NotInThisGrid,
    NotThisForm,
    NotYourVisit,
    TooFarAhead,
    VisitOver,
)
from grid_tasks.domain.working_time import CHINA, Calendar

VISITS = UUID("5b0c6a0e-3f5e-4c0e-9d3b-0a6f6a1f7c21")
"""The namespace of visits' ids."""
TRIES = 3
"""After so many times that nobody was home, the leader has it."""
AHEAD = timedelta(days=14)
"""So far ahead a worker puts a visit off, and rounds are planned."""
ASKED_BY_LAW = frozenset({VisitKind.REGISTRATION, VisitKind.LICENCE, VisitKind.FIRE_CHECK, VisitKind.SAFETY_CHECK})
"""《浙江省流动人口居住登记条例》 and the laws on licences, fire protection and work safety ask for these; others are
made only where they are welcome."""


class VisitStep(StrEnum):
    """Where a visit stands."""

    OPEN = "open"  # 待走访
    DONE = "done"  # 已走访
    TURNED_AWAY = "turned_away"  # 拒访
    MOVED_AWAY = "moved_away"  # 已搬离
    CANCELLED = "cancelled"  # 取消


@dataclass(frozen=True, slots=True)
class Visit:
    """The state of a visit. `step` is None as long as nobody has planned it."""

    id: str = ""
    step: VisitStep | None = None
    kind: VisitKind = VisitKind.OTHER
    of: str = "people"
    thing: str = ""
    grid: str = ""
    cause: str = ""
    until: date | None = None
    site: Site | None = None
    hours: str = ""
    worker: str | None = None
    for_leader: bool = False
    """Whether it was tried too often in vain."""
    tried: tuple[PartOfWeek, ...] = ()
    not_before: date | None = None
    put_on: date | None = None
    answers_erased: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """It is to be made. Planned before, under this id: nothing follows."""

    planned: VisitPlanned
    no_contact: bool = False
    """Whether they asked not to be contacted."""


@dataclass(frozen=True, slots=True)
class Assign:
    """A worker gets it instead of whoever had it. By a rule it is passed over if it is not so any more."""

    worker: str
    instead_of: str | None
    in_post: bool
    why: str
    at: datetime
    by_rule: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, by who has it. `told` is when it was, by their phone."""

    by: str
    told: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Record(Outcome):
    """They were met, and answered; the answers are as the form asks."""

    form: str
    version: int
    answers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NobodyHome(Outcome):
    """Nobody was there."""

    calendar: Calendar


@dataclass(frozen=True, slots=True)
class TurnAway(Outcome):
    """They did not want to speak."""


@dataclass(frozen=True, slots=True)
class MoveAway(Outcome):
    """They are not here any more."""


@dataclass(frozen=True, slots=True)
class PutOn:
    """The worker puts it on a day of their choice."""

    by: str
    day: date
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Cancel:
    """It is not made. Over already: nothing follows for a rule."""

    cause: CancelCause
    reason: str
    by: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Settle:
    """The register does not say any more that it falls due. It may be heard before the visit is planned: then it is not
    planned any more. Over already: nothing follows."""

    visit: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MoveTo:
    """It lies in this grid now. Over already, or there already: nothing follows."""

    grid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EraseAnswers:
    """What was written of it has passed its period, or who was visited is erased."""

    at: datetime
    cause: CancelCause | None = None
    """Why it is not made any more, if it is still open; None: an open one stays as it is."""


ByTheRegister = Settle | MoveTo
"""What the registry tells."""
VisitCommand = Plan | Assign | Record | NobodyHome | TurnAway | MoveAway | PutOn | Cancel | ByTheRegister | EraseAnswers


def visit_of(cause: str, thing: str) -> str:
    """The id of the visit to this thing for this cause: the same however often the cause is told."""
    return uuid5(VISITS, f"{cause}/{thing}").hex


def decide(visit: Visit, command: VisitCommand) -> Sequence[Event]:
    """What follows from a command; refuses what the rules do not allow."""
    if isinstance(command, Plan):
        return _planned(visit, command)
    if isinstance(command, Settle):
        return _settled(visit, command)
    if visit.step is None:
        raise NotFound("there is no such visit")
    if isinstance(command, EraseAnswers):
        return _erased(visit, command)
    if visit.step is not VisitStep.OPEN:
        if _by_rule(command):
            return []  # it is not so any more
        raise VisitOver(visit.step)
    match command:
        case Assign():
            return _assigned(visit, command)
        case MoveTo(grid, at):
            if grid == visit.grid:
                return []
            return [VisitGridChanged(visit=visit.id, grid=grid, was=visit.grid, at=at)]
        case Cancel(cause, reason, by, at):
            if cause is CancelCause.NO_CONTACT and visit.kind in ASKED_BY_LAW:
                return []
            return [VisitCancelled(visit=visit.id, grid=visit.grid, cause=cause, reason=reason, by=by, at=at)]
        case _:
            if command.by != visit.worker:
                raise NotYourVisit
            return _by_its_worker(visit, command)


def _by_rule(command: VisitCommand) -> bool:
    """Whether a rule asks, which may come late."""
    match command:
        case Assign(by_rule=by_rule):
            return by_rule
        case Cancel(by=by):
            return by is None
        case _:
            return isinstance(command, MoveTo)


def _settled(visit: Visit, command: Settle) -> Sequence[Event]:
    if visit.step not in (None, VisitStep.OPEN):
        return []
    return [VisitCancelled(visit=command.visit, grid=visit.grid, cause=CancelCause.SETTLED, at=command.at)]


def _planned(visit: Visit, command: Plan) -> Sequence[Event]:
    if visit.step is not None:
        return []
    if command.no_contact and command.planned.kind not in ASKED_BY_LAW:
        raise AskedNotToBeContacted
    return [command.planned]


def _assigned(visit: Visit, command: Assign) -> Sequence[Event]:
    if command.by_rule and visit.worker != command.instead_of:
        return []  # somebody else has it by now
    if not command.in_post:
        raise NotInThisGrid(command.worker, visit.grid)
    if visit.worker == command.worker:
        return []
    assigned = VisitAssigned(
        visit=visit.id,
        grid=visit.grid,
        worker=command.worker,
        instead_of=visit.worker,
        why=command.why,
        at=command.at,
    )
    return [assigned]


def _by_its_worker(visit: Visit, command: Record | NobodyHome | TurnAway | MoveAway | PutOn) -> Sequence[Event]:
    match command:
        case Record():
            return [_done(visit, command)]
        case NobodyHome():
            return [_nobody_home(visit, command)]
        case TurnAway(by, _, at):
            return [VisitTurnedAway(visit=visit.id, kind=visit.kind, grid=visit.grid, worker=by, at=at)]
        case MoveAway(by, _, at):
            moved = VisitMovedAway(
                visit=visit.id,
                kind=visit.kind,
                of=visit.of,
                thing=visit.thing,
                grid=visit.grid,
                worker=by,
                at=at,
            )
            return [moved]
        case PutOn(by, day, reason, at):
            today = at.astimezone(CHINA).date()
            if not today <= day <= today + AHEAD:
                raise TooFarAhead(today, today + AHEAD)
            return [VisitPutOn(visit=visit.id, worker=by, day=day, reason=reason, at=at)]


def _done(visit: Visit, command: Record) -> VisitDone:
    if command.form != (expected := form_for(visit.kind, visit.of)):
        raise NotThisForm(expected)
    return VisitDone(
        visit=visit.id,
        kind=visit.kind,
        of=visit.of,
        thing=visit.thing,
        grid=visit.grid,
        cause=visit.cause,
        worker=command.by,
        form=command.form,
        form_version=command.version,
        as_registered=command.answers.get("as_registered"),
        wrong=wrong_in(command.answers),
        answers=json.dumps(command.answers, ensure_ascii=False, sort_keys=True),
        tries=len(visit.tried) + 1,
        done_at=believed(command.told, command.at),
        at=command.at,
    )


def _nobody_home(visit: Visit, command: NobodyHome) -> VisitNobodyHome:
    tried_at = believed(command.told, command.at)
    tries = len(visit.tried) + 1
    return VisitNobodyHome(
        visit=visit.id,
        grid=visit.grid,
        worker=command.by,
        tries=tries,
        part=part_at(tried_at, command.calendar),
        not_before=tried_at.astimezone(CHINA).date() + timedelta(days=1),
        to_leader=tries == TRIES,
        tried_at=tried_at,
        at=command.at,
    )


def _erased(visit: Visit, command: EraseAnswers) -> Sequence[Event]:
    if visit.answers_erased or (visit.step is VisitStep.OPEN and command.cause is None):
        return []
    erased = VisitAnswersErased(visit=visit.id, at=command.at)
    if visit.step is VisitStep.OPEN and command.cause is not None:
        return [VisitCancelled(visit=visit.id, grid=visit.grid, cause=command.cause, at=command.at), erased]
    return [erased]


def evolve(visit: Visit, event: Event) -> Visit:
    """The visit after an event."""
    match event:
        case VisitPlanned():
            return Visit(
                id=event.visit,
                step=VisitStep.OPEN,
                kind=event.kind,
                of=event.of,
                thing=event.thing,
                grid=event.grid,
                cause=event.cause,
                until=event.until,
                not_before=event.not_before,
                site=event.site,
                hours=event.hours,
            )
        case VisitAssigned(worker=worker):
            return replace(visit, worker=worker)
        case VisitGridChanged(grid=grid):
            return replace(visit, grid=grid)
        case VisitPutOn(day=day):
            return replace(visit, put_on=day)
        case VisitNobodyHome(part=part, not_before=not_before, to_leader=to_leader):
            tried = (*visit.tried, part)
            leader = visit.for_leader or to_leader
            return replace(visit, tried=tried, not_before=not_before, put_on=None, for_leader=leader)
        case VisitDone():
            return replace(visit, step=VisitStep.DONE)
        case VisitTurnedAway():
            return replace(visit, step=VisitStep.TURNED_AWAY)
        case VisitMovedAway():
            return replace(visit, step=VisitStep.MOVED_AWAY)
        case VisitCancelled(visit=id_):
            return replace(visit, id=id_, step=VisitStep.CANCELLED)
        case VisitAnswersErased():
            return replace(visit, answers_erased=True, site=None, hours="")
        case _:
            return visit


VISIT = Aggregate(
    "visit",
    initial=Visit(),
    decide=decide,
    evolve=evolve,
    events=(
        VisitPlanned,
        VisitAssigned,
        VisitGridChanged,
        VisitPutOn,
        VisitNobodyHome,
        VisitDone,
        VisitTurnedAway,
        VisitMovedAway,
        VisitCancelled,
        VisitAnswersErased,
    ),
)
