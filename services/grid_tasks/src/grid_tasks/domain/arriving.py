"""From the report to the accepted case (上报、受理): what gets in, and how else a case may end."""

from collections.abc import Sequence
from dataclasses import replace

from contracts.grid_tasks import (
    CaseAccepted,
    CaseMerged,
    CasePlaceCorrected,
    CasePlaced,
    CaseRefused,
    CaseReported,
    CaseTakenUp,
    CaseWithdrawn,
)
from events import Event

from grid_tasks.domain.case_state import Case
from grid_tasks.domain.commands import (
    Accept,
    Arriving,
    CallOff,
    CorrectPlace,
    FollowMap,
    Merge,
    PlaceIn,
    Refuse,
    Report,
    TakeUp,
    Withdraw,
)
from grid_tasks.domain.receipt import is_receipt
from grid_tasks.domain.refusals import (
    AlreadyThere,
    NotAGridDuty,
    NotOnAnyDutyList,
    NotTheSame,
    NotYourReceipt,
    NowhereYet,
)

BY_THE_MAP = "map"
"""In the place of a member's id: it lies where the map says."""


def decide(case: Case, command: Arriving) -> Sequence[Event]:
    """What follows; the step is right."""
    match command:
        case Report():
            return [_admitted(command)]
        case PlaceIn(grid, by, at):
            if case.grid:
                raise AlreadyThere(case.grid)
            return [CasePlaced(case=case.id, grid=grid, by=by, at=at)]
        case CorrectPlace():
            return _corrected(case, command)
        case FollowMap(grid, at):
            return [CasePlaced(case=case.id, grid=grid, by=BY_THE_MAP, at=at)] if grid != case.grid else []
        case Accept():
            return [_accepted(case, command)]
        case Refuse(by, kind, reason, whose, at):
            facts = {"case": case.id, "category": case.category, "grid": case.grid}
            return [CaseRefused(**facts, by=by, kind=kind, reason=reason, whose=whose, at=at)]
        case Withdraw(receipt, at):
            if not is_receipt(receipt, case.receipt_hash):
                raise NotYourReceipt
            return [CaseWithdrawn(case=case.id, category=case.category, grid=case.grid, at=at)]
        case CallOff(why, at):
            if case.attempt > 1:
                return []  # it was begun before
            return [CaseWithdrawn(case=case.id, category=case.category, grid=case.grid, why=why, at=at)]
        case Merge(into, into_category, into_ended, by, at):
            if into == case.id or into_category != case.category or into_ended:
                raise NotTheSame(into)
            return [CaseMerged(case=case.id, category=case.category, grid=case.grid, into=into, by=by, at=at)]
        case TakeUp():
            return _taken_up(case, command)


def _corrected(case: Case, command: CorrectPlace) -> Sequence[Event]:
    if command.place == case.place:
        return []
    place, grid, by, at = command.place, command.grid, command.by, command.at
    here = CasePlaceCorrected(case=case.id, place=place, grid=grid, by=by, reason=command.reason, at=at)
    return [here] if grid == case.grid else [here, CasePlaced(case=case.id, grid=grid, by=by, at=at)]


def _admitted(report: Report) -> CaseReported:
    """What is on the list gets in, if the grid or somebody of the department is there for it; everything else is
    refused at the door. A place outside every grid is for the desk to find."""
    if report.duty is None:
        raise NotOnAnyDutyList(report.category)
    if not report.duty.grid_duty and not report.taken_by_department:
        raise NotAGridDuty(report.duty)
    return CaseReported(
        case=report.case,
        category=report.category,
        description=report.description,
        place=report.place,
        grid=report.grid or "",
        reporter_kind=report.reporter_kind,
        reporter=report.reporter,
        contact=report.contact,
        receipt_hash=report.receipt_hash,
        evidence=report.evidence,
        urgent=report.duty.urgent,
        told_at=report.told_at,
        at=report.at,
    )


def _accepted(case: Case, command: Accept) -> CaseAccepted:
    if not case.grid:
        raise NowhereYet
    duty = command.duty
    minutes = duty.deadline_minutes or 0
    clocked = replace(case, clock=duty.clock).anew(command.at, minutes)
    return CaseAccepted(
        case=case.id,
        category=case.category,
        grid=case.grid,
        deadline_minutes=minutes,
        clock=duty.clock,
        due=clocked.reckoned(command.calendar).due,
        role=duty.role,
        body="" if duty.grid_duty else duty.department.zh,
        skills=duty.skills,
        photos=duty.photos,
        weight=duty.weight,
        look_percent=duty.look_percent,
        duty_version=command.version,
        at=command.at,
    )


def _taken_up(case: Case, command: TakeUp) -> Sequence[Event]:
    if case.into != command.into or case.text_erased:
        return []
    assert case.place  # noqa: S101  # every report says where
    accepted = case.accepted_at is not None
    return [
        CaseTakenUp(
            case=case.id,
            category=case.category,
            grid=case.grid,
            into=command.into,
            urgent=case.urgent,
            place=case.place,
            role=case.role,
            body=case.body,
            skills=case.skills,
            weight=case.weight,
            due=case.anew(command.at).reckoned(command.calendar).due if accepted else None,
            at=command.at,
        )
    ]
