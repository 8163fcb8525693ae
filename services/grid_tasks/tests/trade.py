"""People, times and cases that the tests of grid_tasks speak of."""

from datetime import UTC, datetime, timedelta

from contracts.common import Place, Title
from contracts.grid_tasks import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHandedIn,
    CaseReported,
    CaseSentBack,
    CaseStarted,
    CaseVerified,
    EscalationCause,
    ReporterKind,
)
from contracts.registry import DutyFacts
from events import Event
from events.testing import Given, given
from grid_tasks.domain.case import CASE
from grid_tasks.domain.commands import Accept, Assign, Dispatch, Escalate, HandIn, Report, SendBack, Unplaced, Verify
from grid_tasks.domain.receipt import hash_of
from grid_tasks.domain.working_time import Calendar

LI, WANG, LEADER, INSTRUCTOR = "li", "wang", "leader-zhao", "instructor-qian"
ID = "c1"
GRID = "G1"
RECEIPT = "the-secret-on-the-receipt"
HERE = Place(longitude=120.0945, latitude=30.8723)
TWO_HOURS = 120
HALF_AN_HOUR = timedelta(minutes=30)  # a quarter of it is left when the worker is warned
DAYS = Calendar()
A_WORKING_DAY = timedelta(minutes=450)

NINE = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # nine in the morning in China
TEN = NINE + timedelta(hours=1)
ELEVEN = NINE + timedelta(hours=2)
NOON = NINE + timedelta(hours=3)
ONE = NINE + timedelta(hours=4)
TWO = NINE + timedelta(hours=5)

NOISE = DutyFacts(
    category="neighbour_noise",
    title=Title(zh="邻里噪声扰民", en="Noise from neighbours"),
    department=Title(zh="公安局派出所", en="Police station"),
    grid_duty=True,
    deadline_minutes=TWO_HOURS,
    legal_basis="《噪声污染防治法》第七十条",
)
LICENCES = DutyFacts(
    category="business_licence_check",
    title=Title(zh="经营证照检查", en="Check of business licences"),
    department=Title(zh="市场监督管理局", en="Market supervision bureau"),
    grid_duty=False,
    standard=Title(zh="由市场监督管理局（12315）受理", en="Goes to the market supervision bureau (12315)"),
    legal_basis="《无证无照经营查处办法》",
)


def report(category: str = NOISE.category, duty: DutyFacts | None = NOISE, grid: str | None = GRID) -> Report:
    """A resident reports noise, at nine."""
    return Report(
        case=ID,
        category=category,
        duty=duty,
        description="楼上深夜装修",
        place=HERE,
        grid=grid,
        reporter_kind=ReporterKind.RESIDENT,
        reporter=None,
        contact="resident@example.org",
        receipt_hash=hash_of(RECEIPT),
        at=NINE,
    )


reported = CaseReported(
    case=ID,
    category=NOISE.category,
    description="楼上深夜装修",
    place=HERE,
    grid=GRID,
    reporter_kind=ReporterKind.RESIDENT,
    contact="resident@example.org",
    receipt_hash=hash_of(RECEIPT),
    at=NINE,
)
accepted = CaseAccepted(
    case=ID,
    category=NOISE.category,
    grid=GRID,
    deadline_minutes=TWO_HOURS,
    due=NINE + timedelta(minutes=TWO_HOURS),
    duty_version=1,
    at=NINE,
)


def accept(at: datetime = NINE, duty: DutyFacts = NOISE) -> Accept:
    return Accept(duty, 1, DAYS, at)


def give(worker: str, grid: str | None = GRID, why: str = "他在附近", at: datetime = TEN) -> Dispatch:
    return Dispatch(worker, grid, why, DAYS, at)


def assign(worker: str, instead_of: str | None, why: str, at: datetime = NINE) -> Assign:
    return Assign(worker, instead_of, why, DAYS, at)


def hand_in(
    worker: str,
    at: datetime,
    evidence: tuple[str, ...] = (),
    *,
    paper_later: bool = False,
    done_at: datetime | None = None,
) -> HandIn:
    return HandIn(worker, "已劝阻", DAYS, at, evidence, paper_later, done_at)


def verify(verifier: str, at: datetime, *, drawn: bool = False) -> Verify:
    return Verify(verifier, DAYS, at, drawn)


def send_back(verifier: str, reason: str, at: datetime = NOON) -> SendBack:
    return SendBack(verifier, reason, DAYS, at)


def escalate(at: datetime) -> Escalate:
    return Escalate(DAYS, at)


def unplaced(instead_of: str | None, at: datetime) -> Unplaced:
    return Unplaced(instead_of, DAYS, at)


def dispatched(worker: str = LI, at: datetime = NINE, why: str = "least open work") -> CaseDispatched:
    due = at + timedelta(minutes=TWO_HOURS)
    return CaseDispatched(
        case=ID,
        category=NOISE.category,
        grid=GRID,
        worker=worker,
        due=due,
        why=why,
        warn_at=due - HALF_AN_HOUR,
        at=at,
    )


def started(worker: str = LI, at: datetime = TEN) -> CaseStarted:
    return CaseStarted(case=ID, worker=worker, at=at)


def handed_in(worker: str = LI, at: datetime = TEN, *, on_time: bool = True, attempt: int = 1) -> CaseHandedIn:
    check_by = DAYS.add(at, A_WORKING_DAY)
    return CaseHandedIn(
        case=ID, worker=worker, result="已劝阻", on_time=on_time, attempt=attempt, check_by=check_by, at=at
    )


def sent_back(at: datetime = NOON, worker: str = LI) -> CaseSentBack:
    due = at + timedelta(minutes=TWO_HOURS)
    return CaseSentBack(
        case=ID,
        worker=worker,
        verifier=LEADER,
        reason="反映人未获告知",
        due=due,
        warn_at=due - HALF_AN_HOUR,
        at=at,
    )


def verified(at: datetime = NOON, attempt: int = 1, worker: str = LI, verifier: str = LEADER) -> CaseVerified:
    return CaseVerified(case=ID, worker=worker, verifier=verifier, attempt=attempt, at=at)


def closed(at: datetime = NOON, *, on_time: bool = True, first_attempt: bool = True, worker: str = LI) -> CaseClosed:
    return CaseClosed(
        case=ID,
        category=NOISE.category,
        grid=GRID,
        worker=worker,
        on_time=on_time,
        first_attempt=first_attempt,
        at=at,
    )


def escalated(
    due: datetime, at: datetime, worker: str | None = LI, cause: EscalationCause = EscalationCause.OVERDUE
) -> CaseEscalated:
    next_at = due + timedelta(minutes=240)
    return CaseEscalated(case=ID, grid=GRID, worker=worker, due=due, cause=cause, next_at=next_at, at=at)


AT_WORK = (reported, accepted, dispatched(), started())
HANDED_IN = (*AT_WORK, handed_in())
CLOSED = (*HANDED_IN, verified(), closed())


def case(*history: Event) -> Given:
    return given(CASE, *history)
