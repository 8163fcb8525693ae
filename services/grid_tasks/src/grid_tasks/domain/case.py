"""A case (事件): something to be dealt with, from the report to the verified, closed end.

上报 reported → 受理 accepted → 派遣 dispatched → 处置 started → 反馈 handed in → 核查 verified → 结案 closed, and the
way back: sent back from verification to the worker. Escalation (督办) is a flag on the way, not a step.

The rules: one worker has it at a time, and only they start it and hand it in; who handed it in never verifies it; it
may be given to another until it is handed in; a closed case stays closed; who holds the receipt rates it, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.grid_tasks import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseRated,
    CaseReported,
    CaseSentBack,
    CaseStarted,
    CaseTextErased,
    CaseVerified,
    EscalationCause,
)
from events import Aggregate, Event

from grid_tasks.domain.commands import (
    Accept,
    Assign,
    CaseCommand,
    Dispatch,
    EraseText,
    Escalate,
    HandIn,
    Rate,
    Report,
    SendBack,
    Start,
    Verify,
)
from grid_tasks.domain.receipt import is_receipt
from grid_tasks.domain.refusals import (
    AlreadyRated,
    AlreadyTheirs,
    NotAGridDuty,
    NotARating,
    NotInPostHere,
    NotOnAnyDutyList,
    NotPossibleNow,
    NotYourCase,
    NotYourReceipt,
    OutsideEveryGrid,
    VerifiedByAnother,
)


class Step(StrEnum):
    """Where a case stands. A case that was sent back is dispatched again, with a higher attempt."""

    REPORTED = "reported"  # 上报
    ACCEPTED = "accepted"  # 受理: it waits for somebody to have it
    DISPATCHED = "dispatched"  # 派遣
    STARTED = "started"  # 处置
    HANDED_IN = "handed_in"  # 反馈
    VERIFIED = "verified"  # 核查: passed through, verifying closes
    CLOSED = "closed"  # 结案


POSSIBLE: dict[Step, tuple[str, ...]] = {
    Step.REPORTED: ("accept",),
    Step.ACCEPTED: ("dispatch",),
    Step.DISPATCHED: ("start", "dispatch"),
    Step.STARTED: ("hand-in", "dispatch"),
    Step.HANDED_IN: ("verify", "send-back"),
    Step.VERIFIED: (),
    Step.CLOSED: ("rating",),
}
"""What can be done at each step. A rating can be given once."""


@dataclass(frozen=True, slots=True)
class Case:
    """The state of a case. `step` is None as long as nobody has reported it."""

    id: str = ""
    step: Step | None = None
    category: str = ""
    description: str = ""
    grid: str = ""
    receipt_hash: str = ""
    deadline_minutes: int = 0
    worker: str | None = None
    """Who has it, or had it at the end."""
    due: datetime | None = None
    """By when it is to be handed in."""
    attempt: int = 1
    """The attempt under way: 2 after it was sent back once."""
    result: str | None = None
    on_time: bool | None = None
    """Whether it was handed in by its deadline, the first time."""
    handled_by: frozenset[str] = frozenset()
    """Everyone who has handed it in."""
    escalated: bool = False
    """Whether it was ever escalated: that stays with it."""
    pressed: bool = False
    """Whether it was escalated for the present deadline."""
    rating: int | None = None
    text_erased: bool = False
    """Whether what was written of it has passed its period."""
    reported_at: datetime | None = None
    accepted_at: datetime | None = None
    dispatched_at: datetime | None = None
    """These three are of the present attempt; the history has all."""
    started_at: datetime | None = None
    handed_in_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def with_worker(self) -> bool:
        """Whether somebody has it in hand, and it may still be given to another."""
        return self.step in (Step.DISPATCHED, Step.STARTED)

    @property
    def possible(self) -> tuple[str, ...]:
        """What can be done with it now."""
        return () if self.step is None or self.rating is not None else POSSIBLE[self.step]


def decide(case: Case, command: CaseCommand) -> Sequence[Event]:
    """What follows from a command; refuses what the rules do not allow now."""
    match command, case.step:
        case Report() as report, None:
            return [_admitted(report)]
        case Accept(deadline_minutes=minutes, at=at), Step.REPORTED:
            return [CaseAccepted(case=case.id, category=case.category, grid=case.grid, deadline_minutes=minutes, at=at)]
        case Accept(), Step():
            return []  # accepted before
        case Dispatch(worker, worker_grid, why, at), Step.ACCEPTED | Step.DISPATCHED | Step.STARTED:
            if worker_grid != case.grid:
                raise NotInPostHere(worker, case.grid)
            if worker == case.worker:
                raise AlreadyTheirs(worker)
            return [_dispatched(case, worker, why, at)]
        case Assign(worker, instead_of, why, at), Step.ACCEPTED | Step.DISPATCHED | Step.STARTED:
            if case.worker != instead_of or worker == instead_of:
                return []  # somebody else has got it meanwhile
            return [_dispatched(case, worker, why, at)]
        case Assign(), Step():
            return []  # handed in meanwhile
        case Start(worker=worker, at=at), Step.DISPATCHED:
            _require_theirs(case, worker)
            return [CaseStarted(case=case.id, worker=worker, at=at)]
        case HandIn() as hand_in, Step.STARTED:
            _require_theirs(case, hand_in.worker)
            return [_handed_in(case, hand_in)]
        case Verify() as verify, Step.HANDED_IN:
            _require_another(case, verify.verifier)
            return _verified(case, verify)
        case SendBack() as send_back, Step.HANDED_IN:
            _require_another(case, send_back.verifier)
            return [_sent_back(case, send_back)]
        case Rate() as rate, Step.CLOSED:
            return [_rated(case, rate)]
        case EraseText(at), Step.CLOSED:
            return [] if case.text_erased else [CaseTextErased(case=case.id, at=at)]
        case Escalate() as escalate, Step():
            return _escalated(case, escalate)
        case _:
            raise NotPossibleNow(WANTED[type(command)], case.step or "not reported", case.possible)


WANTED: dict[type[CaseCommand], str] = {
    Report: "report",
    Accept: "accept",
    Dispatch: "dispatch",
    Assign: "dispatch",
    Start: "start",
    HandIn: "hand-in",
    Verify: "verify",
    SendBack: "send-back",
    Rate: "rating",
    Escalate: "escalate",
    EraseText: "erase-text",
}


def _admitted(report: Report) -> CaseReported:
    """Only what is the grid's duty, in a grid, gets in: everything else is refused at the door."""
    if report.duty is None:
        raise NotOnAnyDutyList(report.category)
    if not report.duty.grid_duty:
        raise NotAGridDuty(report.duty)
    if report.grid is None:
        raise OutsideEveryGrid
    return CaseReported(
        case=report.case,
        category=report.category,
        description=report.description,
        place=report.place,
        grid=report.grid,
        reporter_kind=report.reporter_kind,
        reporter=report.reporter,
        contact=report.contact,
        receipt_hash=report.receipt_hash,
        at=report.at,
    )


def _dispatched(case: Case, worker: str, why: str, at: datetime) -> CaseDispatched:
    return CaseDispatched(
        case=case.id, category=case.category, grid=case.grid, worker=worker, due=_due(case, at), why=why, at=at
    )


def _due(case: Case, at: datetime) -> datetime:
    """The whole time of the duty list, from now: who gets a case is answerable for their own time only."""
    return at + timedelta(minutes=case.deadline_minutes)


def _require_theirs(case: Case, worker: str) -> None:
    if worker != case.worker:
        raise NotYourCase


def _require_another(case: Case, verifier: str) -> None:
    if verifier in case.handled_by:
        raise VerifiedByAnother


def _handed_in(case: Case, command: HandIn) -> CaseHandedIn:
    return CaseHandedIn(
        case=case.id,
        worker=command.worker,
        result=command.result,
        on_time=case.due is not None and command.at <= case.due,
        attempt=case.attempt,
        at=command.at,
    )


def _verified(case: Case, command: Verify) -> Sequence[Event]:
    worker = case.worker or ""  # who handed it in: nobody else can have it at this step
    return [
        CaseVerified(case=case.id, worker=worker, verifier=command.verifier, attempt=case.attempt, at=command.at),
        CaseClosed(
            case=case.id,
            category=case.category,
            grid=case.grid,
            worker=worker,
            on_time=bool(case.on_time),
            first_attempt=case.attempt == 1,
            at=command.at,
        ),
    ]


def _sent_back(case: Case, command: SendBack) -> CaseSentBack:
    return CaseSentBack(
        case=case.id,
        worker=case.worker or "",
        verifier=command.verifier,
        reason=command.reason,
        due=_due(case, command.at),
        at=command.at,
    )


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
        at=command.at,
    )


def _escalated(case: Case, command: Escalate) -> Sequence[Event]:
    """Once for each deadline, while somebody should still be handling it, and while its cause holds."""
    if case.due is None or case.pressed or not (case.with_worker or case.step is Step.ACCEPTED):
        return []
    if command.cause is EscalationCause.OVERDUE and command.at < case.due:
        return []
    return [
        CaseEscalated(
            case=case.id, grid=case.grid, worker=case.worker, due=case.due, cause=command.cause, at=command.at
        )
    ]


def evolve(case: Case, event: Event) -> Case:
    """The case after an event."""
    match event:
        case CaseReported():
            return Case(
                id=event.case,
                step=Step.REPORTED,
                category=event.category,
                description=event.description,
                grid=event.grid,
                receipt_hash=event.receipt_hash,
                reported_at=event.at,
            )
        case CaseAccepted(at=at, deadline_minutes=minutes):
            due = at + timedelta(minutes=minutes)
            return replace(case, step=Step.ACCEPTED, deadline_minutes=minutes, due=due, accepted_at=at)
        case CaseDispatched(worker=worker, due=due, at=at):
            return _in_hand(replace(case, worker=worker, dispatched_at=at), due)
        case CaseSentBack(due=due):
            return _in_hand(replace(case, attempt=case.attempt + 1), due)
        case CaseStarted(at=at):
            return replace(case, step=Step.STARTED, started_at=at)
        case CaseHandedIn(worker=worker, result=result, on_time=on_time, at=at):
            return replace(
                case,
                step=Step.HANDED_IN,
                result=result,
                on_time=on_time if case.on_time is None else case.on_time,
                handled_by=case.handled_by | {worker},
                handed_in_at=at,
            )
        case CaseVerified():
            return replace(case, step=Step.VERIFIED)
        case CaseClosed(at=at):
            return replace(case, step=Step.CLOSED, closed_at=at)
        case CaseRated(rating=rating):
            return replace(case, rating=rating)
        case CaseEscalated():
            return replace(case, escalated=True, pressed=True)
        case CaseTextErased():
            return replace(case, text_erased=True, description="", result=None)
        case _:
            return case


def _in_hand(case: Case, due: datetime) -> Case:
    """Somebody has it, with time until `due`."""
    return replace(case, step=Step.DISPATCHED, due=due, pressed=False, started_at=None, handed_in_at=None)


CASE = Aggregate(
    "case",
    initial=Case(),
    decide=decide,
    evolve=evolve,
    events=(
        CaseReported,
        CaseAccepted,
        CaseDispatched,
        CaseStarted,
        CaseHandedIn,
        CaseSentBack,
        CaseVerified,
        CaseClosed,
        CaseRated,
        CaseEscalated,
        CaseTextErased,
    ),
)
