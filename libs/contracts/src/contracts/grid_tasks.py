"""What grid_tasks publishes: each step of a case (事件) by the flow of GB/T 34300, and what happens on the way.

上报 reported → 受理 accepted → 派遣 dispatched → 处置 started → 反馈 handed in → 核查 verified → 结案 closed;
sent back from verification to the worker (返工); escalated when not handled in time (督办); rated by the reporter.
All times are the trade's: when it happened in the world.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from contracts import erasure
from contracts.audit import ActDone, ActRefused
from contracts.common import Place, Title
from events import Event, personal
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class ReporterKind(StrEnum):
    """Who reported."""

    RESIDENT = "resident"
    GRID_WORKER = "grid_worker"
    MEMBER = "member"  # anyone else in a post


class EscalationCause(StrEnum):
    """Why a case was escalated."""

    OVERDUE = "overdue"
    NOBODY_IN_POST = "nobody_in_post"


class CaseReported(Event, type="commongrid.grid_tasks.case.reported.v1"):
    """上报: someone reported something to be dealt with."""

    case: str
    category: str
    """A category of the duty list."""
    description: str = personal()
    """What the reporter wrote; it may name people."""
    place: Place
    grid: str
    reporter_kind: ReporterKind
    reporter: str | None = None
    """Pseudonymous id of the caller; none for an anonymous report."""
    contact: str | None = personal(default=None)
    """E-mail address at which the reporter wants to be told the end."""
    receipt_hash: str
    """SHA-256, in hex, of the secret on the reporter's receipt: who shows the secret may follow and rate the case."""
    at: AwareDatetime


class CaseAccepted(Event, type="commongrid.grid_tasks.case.accepted.v1"):
    """受理: it is a duty of the grid, by the duty list as it stood then."""

    case: str
    category: str
    grid: str
    deadline_minutes: int
    at: AwareDatetime


class CaseDispatched(Event, type="commongrid.grid_tasks.case.dispatched.v1"):
    """派遣: a grid worker has it, to be handed in by `due`."""

    case: str
    category: str
    grid: str
    worker: str
    due: AwareDatetime
    why: str
    """Why this worker: for people to read."""
    at: AwareDatetime


class CaseStarted(Event, type="commongrid.grid_tasks.case.started.v1"):
    """处置: the worker began."""

    case: str
    worker: str
    at: AwareDatetime


class CaseHandedIn(Event, type="commongrid.grid_tasks.case.handed_in.v1"):
    """反馈: the worker says that it is done, and how."""

    case: str
    worker: str
    result: str = personal()
    on_time: bool
    attempt: Annotated[int, Field(ge=1)]
    """1 the first time, 2 after it was sent back once, and so on."""
    at: AwareDatetime


class CaseSentBack(Event, type="commongrid.grid_tasks.case.sent_back.v1"):
    """返工: verification failed; the worker has it again, by a new deadline."""

    case: str
    worker: str
    verifier: str
    reason: str = personal()
    due: AwareDatetime
    at: AwareDatetime


class CaseVerified(Event, type="commongrid.grid_tasks.case.verified.v1"):
    """核查: somebody other than the worker found it done."""

    case: str
    worker: str
    verifier: str
    attempt: int
    at: AwareDatetime


class CaseClosed(Event, type="commongrid.grid_tasks.case.closed.v1"):
    """结案. It repeats what those who count need, so that they need no memory of the case."""

    case: str
    category: str
    grid: str
    worker: str
    on_time: bool
    """Handed in by its deadline, the first time."""
    first_attempt: bool
    """Verified at the first attempt."""
    at: AwareDatetime


class CaseTextErased(Event, type="commongrid.grid_tasks.case.text_erased.v1"):
    """到期删除: what was written of the case has passed its period: the key is destroyed, and whoever holds any of it
    drops it. How the case went stays."""

    case: str
    at: AwareDatetime


class CaseRated(Event, type="commongrid.grid_tasks.case.rated.v1"):
    """The reporter says how satisfied they are (满意度)."""

    case: str
    worker: str
    rating: Annotated[int, Field(ge=1, le=5)]
    """1 not at all to 5 very much."""
    closed_at: AwareDatetime
    at: AwareDatetime


class CaseEscalated(Event, type="commongrid.grid_tasks.case.escalated.v1"):
    """督办: not handed in by its deadline, or nobody is in post to handle it. At most once for each `due`."""

    case: str
    grid: str
    worker: str | None = None
    """Who should have handed it in; none if nobody has it."""
    due: AwareDatetime
    """The deadline that was missed, or that will be if nothing happens."""
    cause: EscalationCause = EscalationCause.OVERDUE
    at: AwareDatetime


class AuditRefused(ActRefused, type="commongrid.grid_tasks.audit.refused.v1"):
    """The service refused an act."""


class AuditDone(ActDone, type="commongrid.grid_tasks.audit.done.v1"):
    """A privileged act that no other event of the service tells of."""


class ErasureConfirmed(erasure.ErasureConfirmed, type="commongrid.grid_tasks.erasure.confirmed.v1"):
    """It holds nothing of this person any more."""


class Holiday(BaseModel):
    """放假: days off, the first and the last included."""

    model_config = ConfigDict(frozen=True)

    name: Title
    first: date
    last: date


class CalendarYearEntered(Event, type="commongrid.grid_tasks.calendar.year_entered.v1"):
    """放假安排录入: the State Council's notice of a year, as somebody entered it. It takes the place of what was
    known of that year, and deadlines that are reckoned from now on go by it."""

    year: int
    notice: str
    """The notice's number (文号): 国办发明电〔2025〕7号."""
    source: str
    """Where it is to be read."""
    holidays: tuple[Holiday, ...]
    """The days off, none of them twice. Days of the December before may be among them, as in the notice of 2019."""
    working_days: tuple[date, ...]
    """调休上班: days of a weekend that are worked."""
    by: str
    """Pseudonymous id of who entered it."""
    at: AwareDatetime


class EvidenceExpected(Event, type="commongrid.grid_tasks.evidence.expected.v1"):
    """Somebody was given a place to upload a photo or other evidence (证据) to."""

    evidence: str
    media_type: str
    """What the sender says that it is."""
    bytes: int
    """Its size, as the sender says."""
    sha256: str | None = None
    """In hex, of what will be sent; if the sender said so."""
    by: str | None = None
    """Pseudonymous id of the sender; none if they are anonymous."""
    kept_until: AwareDatetime
    """When it is forgotten, uploaded or not, unless it is attached to a case."""
    at: AwareDatetime


class EvidenceKept(Event, type="commongrid.grid_tasks.evidence.kept.v1"):
    """It was uploaded, found to be what it was said to be, and is kept. A photo is kept without all that its camera
    wrote into it."""

    evidence: str
    media_type: str
    bytes: int
    """The size of what is kept."""
    sha256: str
    """In hex, of what is kept."""
    sha256_sent: str
    """In hex, of what was sent: who has the original can show that it is the same."""
    place_taken: Place | None = personal(default=None)
    """Where the camera says that the photo was taken."""
    datum: str | None = personal(default=None)
    """The geodetic datum that the camera named; WGS-84 by the EXIF standard's usage if it named none."""
    taken_at: AwareDatetime | None = personal(default=None)
    """When the camera says that it was taken; in China's time if it named no offset."""
    kept_until: AwareDatetime
    """When it is forgotten unless it is attached to a case."""
    at: AwareDatetime


class EvidenceAttached(Event, type="commongrid.grid_tasks.evidence.attached.v1"):
    """It belongs to a case, and is kept as long as what was written of the case."""

    evidence: str
    case: str
    at: AwareDatetime


class ForgettingCause(StrEnum):
    """Why evidence is forgotten."""

    UNATTACHED = "unattached"
    CASE_ERASED = "case_erased"


class EvidenceForgotten(Event, type="commongrid.grid_tasks.evidence.forgotten.v1"):
    """From now on nobody is shown it; what is stored of it is being deleted."""

    evidence: str
    case: str | None = None
    cause: ForgettingCause
    at: AwareDatetime


class EvidenceRemoved(Event, type="commongrid.grid_tasks.evidence.removed.v1"):
    """The store has deleted it, and the key of where and when it was taken is destroyed."""

    evidence: str
    at: AwareDatetime
