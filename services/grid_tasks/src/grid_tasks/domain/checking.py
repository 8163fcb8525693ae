"""Whether it is done (核查、返工、复核、评价、重开): somebody else says so, and the reporter."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.grid_tasks import (
    CaseClosed,
    CaseLookAsked,
    CaseLooked,
    CaseRated,
    CaseReopened,
    CaseSentBack,
    CaseVerified,
)
from events import Event

from grid_tasks.domain.case_state import SECOND_LOOK, Case
from grid_tasks.domain.commands import Checking, Look, Rate, Reopen, SendBack, Verify
from grid_tasks.domain.deadline import reckon
from grid_tasks.domain.receipt import is_receipt
from grid_tasks.domain.refusals import (
    AlreadyRated,
    NotARating,
    NotYourReceipt,
    PaperDue,
    PeriodOver,
    VerifiedByAnother,
)
from grid_tasks.domain.working_time import Calendar

REOPENED_WITHIN = timedelta(days=15)
"""From the end: as long as the hotlines' platforms ask whoever called (12345 回访)."""


def decide(case: Case, command: Checking) -> Sequence[Event]:
    """What follows; the step is right."""
    match command:
        case Verify():
            return _verified(case, command)
        case SendBack(verifier, reason, calendar, at):
            _require_another(case, verifier)
            return [_sent_back(case, verifier, reason, calendar, at)]
        case Look():
            return _looked(case, command)
        case Rate():
            return [_rated(case, command)]
        case Reopen():
            return [_reopened(case, command)]


def _require_another(case: Case, verifier: str) -> None:
    if verifier in case.handled_by | case.helping:
        raise VerifiedByAnother


def _verified(case: Case, command: Verify) -> Sequence[Event]:
    _require_another(case, command.verifier)
    if case.paper_due:
        raise PaperDue
    worker = case.worker or ""  # who handed it in: nobody else can have it at this step
    verified = CaseVerified(case=case.id, worker=worker, verifier=command.verifier, attempt=case.attempt, at=command.at)
    if not command.drawn:
        return [verified, _closed(case, command.at)]
    facts = {"case": case.id, "grid": case.grid, "worker": worker}
    due = reckon(SECOND_LOOK, command.at, (), command.calendar).due or command.at
    return [verified, CaseLookAsked(**facts, verifier=command.verifier, due=due, at=command.at)]


def _closed(case: Case, at: datetime) -> CaseClosed:
    return CaseClosed(
        case=case.id,
        category=case.category,
        grid=case.grid,
        worker=case.worker or "",
        on_time=bool(case.on_time),
        first_attempt=case.attempt == 1,
        at=at,
    )


def _sent_back(case: Case, verifier: str, reason: str, calendar: Calendar, at: datetime) -> CaseSentBack:
    reckoning = case.anew(at).reckoned(calendar)
    return CaseSentBack(
        case=case.id,
        worker=case.worker or "",
        verifier=verifier,
        reason=reason,
        due=reckoning.due or at,
        warn_at=reckoning.warn_at,
        at=at,
    )


def _looked(case: Case, command: Look) -> Sequence[Event]:
    _require_another(case, command.by)
    if command.by == case.verifier:
        raise VerifiedByAnother
    looked = CaseLooked(
        case=case.id,
        grid=case.grid,
        worker=case.worker or "",
        verifier=case.verifier or "",
        by=command.by,
        found_done=command.found_done,
        at=command.at,
    )
    if command.found_done:
        return [looked, _closed(case, command.at)]
    return [looked, _sent_back(case, command.by, command.reason, command.calendar, command.at)]


def _rated(case: Case, command: Rate) -> CaseRated:
    if not is_receipt(command.receipt, case.receipt_hash):
        raise NotYourReceipt
    if not 1 <= command.rating <= 5:
        raise NotARating
    if case.rating is not None:
        raise AlreadyRated
    return CaseRated(
        case=case.id,
        worker=case.worker or "",
        rating=command.rating,
        closed_at=case.closed_at or command.at,
        grid=case.grid,
        at=command.at,
    )


def _reopened(case: Case, command: Reopen) -> CaseReopened:
    if not is_receipt(command.receipt, case.receipt_hash):
        raise NotYourReceipt
    if case.closed_at and command.at > case.closed_at + REOPENED_WITHIN:
        raise PeriodOver(REOPENED_WITHIN.days)
    return CaseReopened(
        case=case.id,
        category=case.category,
        grid=case.grid,
        worker=case.worker or "",
        closed_at=case.closed_at or command.at,
        on_time=bool(case.on_time),
        first_attempt=case.attempt == 1,
        reason=command.reason,
        urgent=case.urgent,
        place=case.place,
        role=case.role,
        body=case.body,
        skills=case.skills,
        weight=case.weight,
        due=case.anew(command.at).reckoned(command.calendar).due or command.at,
        at=command.at,
    )
