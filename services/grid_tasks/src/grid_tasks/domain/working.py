"""Dealing with a case (处置): begun, helped with, given more time, paused, asked about, handed in."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from contracts.grid_tasks import (
    CaseAnswered,
    CaseHandedIn,
    CaseHelpAsked,
    CaseHelpGiven,
    CasePaperDone,
    CasePaused,
    CaseResumed,
    CaseStarted,
    CaseTimeAsked,
    CaseTimeGiven,
    CaseTimeRefused,
    CaseUrgencyChanged,
    PauseKind,
)
from events import Event

from grid_tasks.domain.case_state import CHECK, Case
from grid_tasks.domain.commands import (
    ActAtOnce,
    AnswerAsReporter,
    AskHelp,
    AskTime,
    ChangeUrgency,
    Confer,
    DoPaper,
    GiveHelp,
    GiveTime,
    HandIn,
    Pause,
    RefuseTime,
    Resume,
    Start,
    Working,
)
from grid_tasks.domain.deadline import Reckoning, Stop, reckon
from grid_tasks.domain.giving import dispatched
from grid_tasks.domain.pressing import next_above
from grid_tasks.domain.receipt import is_receipt
from grid_tasks.domain.refusals import (
    DecidedByAnother,
    EvidenceMissing,
    NotAskedToHelp,
    NotInPostHere,
    NotMoreThanAsked,
    NotUrgent,
    NotYourCase,
    NotYourReceipt,
    WaitsForOthers,
)
from grid_tasks.domain.told_later import when_done
from grid_tasks.domain.working_time import Calendar

AT_ONCE = "紧急事件，就近处置 / urgent: taken by who was there"


def decide(case: Case, command: Working) -> Sequence[Event]:  # one line for each command
    """What follows; the step is right."""
    match command:
        case Start(worker, at, done_at):
            _require_theirs(case, worker)
            done_at = when_done(done_at, at, case.begun)
            return [CaseStarted(case=case.id, worker=worker, done_at=done_at, at=at)]
        case ActAtOnce():
            return _at_once(case, command)
        case AskHelp(worker, helpers, why, at):
            _require_theirs(case, worker)
            return _help_asked(case, helpers, why, at, joint=False)
        case Confer(_, helpers, why, at):
            return _help_asked(case, helpers, why, at, joint=True)
        case GiveHelp(helper, done, words, at, done_at):
            if helper not in case.helping:
                raise NotAskedToHelp
            done_at = when_done(done_at, at, case.begun)
            return [CaseHelpGiven(case=case.id, helper=helper, done=done, words=words, done_at=done_at, at=at)]
        case AskTime(worker, minutes, reason, at):
            _require_theirs(case, worker)
            facts = {"case": case.id, "grid": case.grid, "worker": worker}
            return [CaseTimeAsked(**facts, minutes=minutes, reason=reason, at=at)]
        case GiveTime():
            return [_time_given(case, command)]
        case RefuseTime(by, reason, at):
            _require_another(case, by)
            return [CaseTimeRefused(case=case.id, worker=case.worker or "", by=by, reason=reason, at=at)]
        case ChangeUrgency():
            return [_urgency_changed(case, command)]
        case Pause(by, kind, reason, until, at, by_worker):
            if by_worker:
                _require_theirs(case, by)
            facts = {"case": case.id, "grid": case.grid, "worker": case.worker or ""}
            return [CasePaused(**facts, by=by, kind=kind, reason=reason, until=until, at=at)]
        case Resume(by, calendar, at):
            return [_resumed(case, by, calendar, at)]
        case AnswerAsReporter():
            return _answered(case, command)
        case HandIn():
            return [_handed_in(case, command)]
        case DoPaper(worker, words, evidence, at, done_at):
            _require_theirs(case, worker)
            _require_photos(case, len(case.result_evidence) + len(evidence))
            done_at = when_done(done_at, at, case.worked_since)
            facts = {"case": case.id, "worker": worker, "words": words}
            return [CasePaperDone(**facts, evidence=evidence, done_at=done_at, at=at)]


def _require_theirs(case: Case, worker: str) -> None:
    if worker != case.worker:
        raise NotYourCase


def _require_another(case: Case, by: str) -> None:
    """Nobody gives themselves more time."""
    if by == case.worker:
        raise DecidedByAnother


def _require_photos(case: Case, count: int) -> None:
    if count < case.photos:
        raise EvidenceMissing(case.photos, count)


def _at_once(case: Case, command: ActAtOnce) -> Sequence[Event]:
    """The short way: who is there takes it, whoever has it, and begins."""
    if not case.urgent:
        raise NotUrgent
    if command.worker_grid != case.grid:
        raise NotInPostHere(command.worker, case.grid)
    done_at = when_done(command.done_at, command.at, case.begun)
    begun = CaseStarted(case=case.id, worker=command.worker, done_at=done_at, at=command.at)
    if case.worker == command.worker and case.with_worker:
        return [begun]
    return [dispatched(case, command.worker, AT_ONCE, command.calendar, command.at), begun]


def _help_asked(case: Case, helpers: tuple[str, ...], why: str, at: datetime, *, joint: bool) -> Sequence[Event]:
    new = tuple(dict.fromkeys(it for it in helpers if it not in case.helping and it != case.worker))
    if not new:
        return []
    facts = {"case": case.id, "grid": case.grid, "lead": case.worker or ""}
    return [CaseHelpAsked(**facts, helpers=new, joint=joint, why=why, at=at)]


def _time_given(case: Case, command: GiveTime) -> CaseTimeGiven:
    _require_another(case, command.by)
    if command.minutes > (case.time_asked or 0):
        raise NotMoreThanAsked(case.time_asked or 0)
    longer = replace(case, more_minutes=case.more_minutes + command.minutes)
    reckoning = longer.reckoned(command.calendar)
    return CaseTimeGiven(
        case=case.id,
        grid=case.grid,
        worker=case.worker or "",
        by=command.by,
        minutes=command.minutes,
        due=reckoning.due,
        warn_at=reckoning.warn_at if reckoning.due else None,
        at=command.at,
    )


def _urgency_changed(case: Case, command: ChangeUrgency) -> CaseUrgencyChanged:
    reckoning = replace(case, deadline_minutes=command.minutes, more_minutes=0).reckoned(command.calendar)
    return CaseUrgencyChanged(
        case=case.id,
        grid=case.grid,
        worker=case.worker,
        by=command.by,
        urgent=command.urgent,
        minutes=command.minutes,
        reason=command.reason,
        due=reckoning.due,
        warn_at=reckoning.warn_at if reckoning.due else None,
        at=command.at,
    )


def _resumed(case: Case, by: str, calendar: Calendar, at: datetime) -> CaseResumed:
    """With what was left; what it stood does not count."""
    reckoning = running(case, at).reckoned(calendar)
    return CaseResumed(
        case=case.id,
        grid=case.grid,
        worker=case.worker or "",
        by=by,
        due=reckoning.due or at,
        warn_at=reckoning.warn_at,
        next_at=_told_next(case, reckoning),
        at=at,
    )


def _told_next(case: Case, reckoning: Reckoning) -> datetime | None:
    """When a case of which some have been told that it is late goes to the next rung."""
    return None if case.rung is None else next_above(case.rung, reckoning)


def running(case: Case, at: datetime) -> Case:
    """With a clock that goes on at this moment."""
    *stops, last = case.stops
    return replace(case, stops=(*stops, Stop(last.since, max(at, last.since), last.cause)))


def _answered(case: Case, command: AnswerAsReporter) -> Sequence[Event]:
    if not is_receipt(command.receipt, case.receipt_hash):
        raise NotYourReceipt
    answered = CaseAnswered(
        case=case.id, worker=case.worker, words=command.words, evidence=command.evidence, at=command.at
    )
    events: list[Event] = [answered]
    if case.pause is PauseKind.FOR_THE_REPORTER:
        events.append(_resumed(case, "reporter", command.calendar, command.at))
    return events


def _handed_in(case: Case, command: HandIn) -> CaseHandedIn:
    _require_theirs(case, command.worker)
    if case.joint and case.helping:
        raise WaitsForOthers(sorted(case.helping))
    if not (command.paper_later and case.urgent):
        _require_photos(case, len(command.evidence))
    done_at = when_done(command.done_at, command.at, case.worked_since)
    return CaseHandedIn(
        case=case.id,
        worker=command.worker,
        result=command.result,
        on_time=case.due is not None and (done_at or command.at) <= case.due,
        attempt=case.attempt,
        evidence=command.evidence,
        paper_due=command.paper_later and case.urgent,
        check_by=reckon(CHECK, command.at, (), command.calendar).due,
        done_at=done_at,
        at=command.at,
    )
