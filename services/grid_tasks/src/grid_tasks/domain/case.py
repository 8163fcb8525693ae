"""A case (事件): something to be dealt with, from the report to the verified, closed end.

上报 reported → 受理 accepted → 派遣 dispatched → 处置 started → 反馈 handed in → 核查 verified → 结案 closed, and what
happens on the way: `moves` has all of it as data, and what follows from each is in `arriving`, `giving`, `working`,
`checking` and `pressing`.

The rules: one worker has it at a time, and only they start it and hand it in; who handed it in or helped never
verifies it; it may be given to another until it is handed in; its clock stands while it is paused; who holds the
receipt takes it back, adds to it, rates it once, and reopens it within its period.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from contracts.grid_tasks import (
    CaseAccepted,
    CaseAnswered,
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseHandedOver,
    CaseHelpAsked,
    CaseHelpGiven,
    CaseLookAsked,
    CaseLooked,
    CaseMerged,
    CasePaperDone,
    CasePaused,
    CasePlaceCorrected,
    CasePlaced,
    CaseRated,
    CaseRefused,
    CaseReopened,
    CaseReported,
    CaseResumed,
    CaseReturned,
    CaseSentBack,
    CaseStarted,
    CaseTakenOver,
    CaseTakenUp,
    CaseTextErased,
    CaseTimeAsked,
    CaseTimeGiven,
    CaseTimeRefused,
    CaseUrgencyChanged,
    CaseVerified,
    CaseWarned,
    CaseWithdrawn,
    PauseKind,
)
from events import Aggregate, Event, Refused

from grid_tasks.domain import arriving, checking, giving, pressing, working
from grid_tasks.domain.case_state import Case
from grid_tasks.domain.commands import (
    Accept,
    Arriving,
    Assign,
    CallOff,
    CaseCommand,
    Checking,
    Dispatching,
    Escalate,
    FollowMap,
    GiveTime,
    RefuseTime,
    Report,
    Resume,
    TakeUp,
    Unplaced,
    Warn,
    Working,
    name_of,
)
from grid_tasks.domain.deadline import Stop
from grid_tasks.domain.moves import MOVES, Step
from grid_tasks.domain.reckoning_steps import Cause
from grid_tasks.domain.refusals import NotPossibleNow, standing
from grid_tasks.domain.working import running

__all__ = ["CASE", "Case", "Step"]


def decide(case: Case, command: CaseCommand) -> Sequence[Event]:
    """What follows from a command; refuses what the rules do not allow now, and says how the case stands."""
    try:
        return _decide(case, command)
    except Refused as refusal:
        if case.step is not None:
            refusal.details |= standing(case.step, case.moves)
        raise


def _decide(case: Case, command: CaseCommand) -> Sequence[Event]:
    if not _possible(case, command):
        if case.step is not None and _by_rule(command):
            return []  # it is not so any more
        raise NotPossibleNow(name_of(command), case.step or "not reported", case.moves)
    if isinstance(command, Arriving):
        return arriving.decide(case, command)
    if isinstance(command, Dispatching):
        return giving.decide(case, command)
    if isinstance(command, Working):
        return working.decide(case, command)
    if isinstance(command, Checking):
        return checking.decide(case, command)
    return pressing.decide(case, command)


def _possible(case: Case, command: CaseCommand) -> bool:
    if isinstance(command, Report):
        return case.step is None
    if isinstance(command, GiveTime | RefuseTime) and case.time_asked is None:
        return False
    taken_over = isinstance(command, Assign) and case.step in MOVES["take-over"].since
    return taken_over or case.step in MOVES[name_of(command)].since


def _by_rule(command: CaseCommand) -> bool:
    """Whether a rule asks, which may come late."""
    return isinstance(command, Accept | FollowMap | Assign | CallOff | TakeUp | Warn | Escalate | Unplaced) or (
        isinstance(command, Resume) and command.by_rule
    )


def evolve(case: Case, event: Event) -> Case:  # one line for each event
    """The case after an event."""
    match event:
        case CaseReported():
            return Case(
                id=event.case,
                step=Step.REPORTED,
                category=event.category,
                description=event.description,
                place=event.place,
                grid=event.grid,
                receipt_hash=event.receipt_hash,
                evidence=event.evidence,
                urgent=event.urgent,
                reported_at=event.at,
            )
        case CasePlaced(grid=grid):
            return replace(case, grid=grid)
        case CasePlaceCorrected(place=place):
            return replace(case, place=place)
        case CaseAccepted():
            return _accepted(case, event)
        case CaseRefused(kind=kind, whose=whose, at=at):
            return replace(case, step=Step.REFUSED, refused_as=kind, whose=whose, due=None, closed_at=at)
        case CaseWithdrawn(at=at):
            return replace(case, step=Step.WITHDRAWN, due=None, pause=None, closed_at=at)
        case CaseMerged(into=into, at=at):
            return replace(case, step=Step.MERGED, into=into, due=None, closed_at=at)
        case CaseTakenUp():
            return _taken_up(case, event)
        case CaseDispatched(worker=worker, at=at):
            return _in_hand(replace(case.anew(at), worker=worker, dispatched_at=at, due=event.due))
        case CaseTakenOver(worker=worker, at=at):
            still = replace(case.stops[-1], since=at)
            theirs = replace(case.anew(at), worker=worker, stops=(still,))
            return replace(theirs, time_asked=None, warned=False, rung=None)
        case CaseHandedOver(body=body, due=due, at=at):
            return _with_nobody(replace(case.anew(at), body=body, due=due, warned=False, rung=None))
        case CaseReturned():
            return _with_nobody(case)
        case CaseSentBack(due=due, at=at):
            return _in_hand(replace(case.anew(at), attempt=case.attempt + 1, due=due, verifier=None))
        case CaseReopened(due=due, at=at):
            anew = replace(case.anew(at), attempt=case.attempt + 1, due=due, warned=False, rung=None)
            return _with_nobody(replace(anew, closed_at=None, handed_in_at=None, verifier=None))
        case CaseStarted(worker=worker, at=at, done_at=done_at):
            handled_by = case.handled_by | {worker}
            return replace(case, step=Step.STARTED, started_at=at, worked_since=done_at or at, handled_by=handled_by)
        case CaseHelpAsked(helpers=helpers, joint=joint):
            return replace(case, helping=case.helping | set(helpers), joint=case.joint or joint)
        case CaseHelpGiven(helper=helper, done=done):
            handled_by = case.handled_by | {helper} if done else case.handled_by
            return replace(case, helping=case.helping - {helper}, handled_by=handled_by)
        case CaseTimeAsked(minutes=minutes):
            return replace(case, time_asked=minutes)
        case CaseTimeGiven(minutes=minutes, due=due):
            longer = replace(case, more_minutes=case.more_minutes + minutes, time_asked=None)
            return replace(longer, due=due, warned=False, rung=None)
        case CaseTimeRefused():
            return replace(case, time_asked=None)
        case CaseUrgencyChanged(urgent=urgent, minutes=minutes, due=due):
            other = replace(case, urgent=urgent, deadline_minutes=minutes, more_minutes=0)
            return replace(other, due=due, warned=False, rung=None)
        case CasePaused(kind=kind, at=at):
            cause = Cause.WAITING_FOR_REPORTER if kind is PauseKind.FOR_THE_REPORTER else Cause.PAUSED
            return replace(case, step=Step.PAUSED, pause=kind, due=None, stops=(*case.stops, Stop(at, None, cause)))
        case CaseResumed(due=due, next_at=next_at, at=at):
            # Whom a missed deadline was told, and who was warned, stays so.
            going = replace(running(case, at), step=Step.STARTED, pause=None, due=due, next_at=next_at)
            return replace(going, started_at=case.started_at or at, worked_since=at)
        case CaseAnswered(evidence=evidence):
            return replace(case, evidence=(*case.evidence, *evidence))
        case CaseHandedIn():
            return replace(
                case,
                step=Step.HANDED_IN,
                result=event.result,
                result_evidence=event.evidence,
                paper_due=event.paper_due,
                on_time=event.on_time if case.on_time is None else case.on_time,
                handled_by=case.handled_by | {event.worker},
                handed_in_at=event.at,
                check_by=event.check_by,
                rung=None,
            )
        case CasePaperDone(evidence=evidence):
            return replace(case, paper_due=False, result_evidence=(*case.result_evidence, *evidence))
        case CaseVerified(at=at):
            return replace(case, step=Step.VERIFIED, verified_at=at, rung=None)
        case CaseLookAsked(verifier=verifier, due=due):
            return replace(case, verifier=verifier, check_by=due)
        case CaseClosed(at=at):
            return replace(case, step=Step.CLOSED, closed_at=at, verifier=None, check_by=None)
        case CaseRated(rating=rating):
            return replace(case, rating=rating)
        case CaseWarned():
            return replace(case, warned=True)
        case CaseEscalated(rung=rung, next_at=next_at):
            return replace(case, escalated=True, rung=rung, next_at=next_at)
        case CaseTextErased():
            return replace(case, text_erased=True, description="", result=None)
        case _:
            return case


def _accepted(case: Case, event: CaseAccepted) -> Case:
    return replace(
        case,
        step=Step.ACCEPTED,
        deadline_minutes=event.deadline_minutes,
        clock=event.clock,
        role=event.role,
        body=event.body,
        skills=event.skills,
        photos=event.photos,
        weight=event.weight,
        look_percent=event.look_percent,
        begun=event.at,
        due=event.due or event.at + timedelta(minutes=event.deadline_minutes),
        accepted_at=event.at,
    )


def _taken_up(case: Case, event: CaseTakenUp) -> Case:
    free = _with_nobody(replace(case, into=None, closed_at=None))
    if event.due is None:
        return replace(free, step=Step.REPORTED)
    return replace(free.anew(event.at), due=event.due, warned=False, rung=None)


def _in_hand(case: Case) -> Case:
    """Somebody has it, with a clock of its own."""
    return replace(
        case,
        step=Step.DISPATCHED,
        warned=False,
        rung=None,
        time_asked=None,
        started_at=None,
        handed_in_at=None,
        check_by=None,
        paper_due=False,
    )


def _with_nobody(case: Case) -> Case:
    """It waits for somebody to have it."""
    return replace(
        case, step=Step.ACCEPTED, worker=None, helping=frozenset(), joint=False, time_asked=None, started_at=None
    )


CASE = Aggregate(
    "case",
    initial=Case(),
    decide=decide,
    evolve=evolve,
    events=(
        CaseReported,
        CasePlaced,
        CasePlaceCorrected,
        CaseAccepted,
        CaseRefused,
        CaseWithdrawn,
        CaseMerged,
        CaseTakenUp,
        CaseDispatched,
        CaseTakenOver,
        CaseHandedOver,
        CaseReturned,
        CaseStarted,
        CaseHelpAsked,
        CaseHelpGiven,
        CaseTimeAsked,
        CaseTimeGiven,
        CaseTimeRefused,
        CaseUrgencyChanged,
        CasePaused,
        CaseResumed,
        CaseAnswered,
        CaseHandedIn,
        CasePaperDone,
        CaseSentBack,
        CaseVerified,
        CaseLookAsked,
        CaseLooked,
        CaseClosed,
        CaseReopened,
        CaseRated,
        CaseWarned,
        CaseEscalated,
        CaseTextErased,
    ),
)
