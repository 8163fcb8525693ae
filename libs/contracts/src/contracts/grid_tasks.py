"""What grid_tasks publishes: each step of a case (事件) by the flow of GB/T 34300, and what happens on the way.

上报 reported → 受理 accepted → 派遣 dispatched → 处置 started → 反馈 handed in → 核查 verified → 结案 closed;
sent back from verification to the worker (返工); escalated when not handled in time (督办); rated by the reporter.
All times are the trade's: when it happened in the world. Visits, patrols and campaigns stand in `contracts.visits`, and
are published from here.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

from contracts import erasure
from contracts.audit import ActDone, ActRefused
from contracts.common import DeadlineClock, Place, Post, Title
from contracts.visits import (
    CampaignApproved as CampaignApproved,
)
from contracts.visits import (
    CampaignAsked as CampaignAsked,
)
from contracts.visits import (
    CampaignRefused as CampaignRefused,
)
from contracts.visits import (
    CampaignsBudgeted as CampaignsBudgeted,
)
from contracts.visits import (
    OverreachRefused as OverreachRefused,
)
from contracts.visits import (
    PatrolWalked as PatrolWalked,
)
from contracts.visits import (
    RoundArranged as RoundArranged,
)
from contracts.visits import (
    VisitAnswersErased as VisitAnswersErased,
)
from contracts.visits import (
    VisitAssigned as VisitAssigned,
)
from contracts.visits import (
    VisitCancelled as VisitCancelled,
)
from contracts.visits import (
    VisitDone as VisitDone,
)
from contracts.visits import (
    VisitGridChanged as VisitGridChanged,
)
from contracts.visits import (
    VisitMovedAway as VisitMovedAway,
)
from contracts.visits import (
    VisitNobodyHome as VisitNobodyHome,
)
from contracts.visits import (
    VisitPlanned as VisitPlanned,
)
from contracts.visits import (
    VisitPutOn as VisitPutOn,
)
from contracts.visits import (
    VisitTurnedAway as VisitTurnedAway,
)
from events import Event, personal
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class ReporterKind(StrEnum):
    """Who reported."""

    RESIDENT = "resident"
    GRID_WORKER = "grid_worker"
    MEMBER = "member"  # anyone else in a post
    VOLUNTEER = "volunteer"  # 义务巡逻队员、信息员、楼道长 …
    PARTNER = "partner"  # another government's system
    HOTLINE = "hotline"  # 12345 and the like, through their system
    OPEN311 = "open311"  # through GeoReport v2
    RULE = "rule"  # something that fell due


class EscalationCause(StrEnum):
    """Why a case was escalated."""

    OVERDUE = "overdue"
    NOBODY_IN_POST = "nobody_in_post"
    UNCHECKED = "unchecked"  # 核查超时: handed in, and nobody has said whether it is done


class Rung(StrEnum):
    """Who is told that a case is late, from the lowest up (督办层级)."""

    WORKER = "worker"  # 网格员
    LEADER = "leader"  # 网格长
    INSTRUCTOR = "instructor"  # 网格指导员
    OFFICER_OR_SECRETARY = "officer_or_secretary"  # 社区民警或党组织副书记
    STREET = "street"  # 街道, which is no post of the community


class RefusalKind(StrEnum):
    """Why a case is not taken on (不予受理)."""

    NOT_A_DUTY = "not_a_duty"  # 不属于职责范围
    ANOTHERS = "anothers"  # 应由其他单位办理
    NOT_THERE = "not_there"  # 查无此事
    UNCLEAR = "unclear"  # 反映不清, and nobody can be asked


class PauseKind(StrEnum):
    """Why the clock of a case stands (挂起)."""

    FOR_THE_REPORTER = "for_the_reporter"  # 等待反映人补充
    FOR_ANOTHER_BODY = "for_another_body"  # 等待其他单位
    FOR_THE_WEATHER = "for_the_weather"  # 天气、现场条件
    FOR_THE_LAW = "for_the_law"  # 等待法定期限、鉴定或诉讼


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
    evidence: tuple[str, ...] = ()
    """Ids of photos and other files."""
    urgent: bool = False
    told_at: AwareDatetime | None = None
    """When the reporter's device says that it was, if that is another time: it may be years out."""
    at: AwareDatetime


class CasePlaced(Event, type="commongrid.grid_tasks.case.placed.v1"):
    """定位: from now on it is this grid's. The desk found the grid of a case whose place lies in none (`grid` is empty
    in its report), the map was redrawn, or its place was corrected, and it lies in another grid now."""

    case: str
    grid: str
    by: str
    """Whoever found it; `map`: it follows the map."""
    at: AwareDatetime


class CasePlaceCorrected(Event, type="commongrid.grid_tasks.case.place_corrected.v1"):
    """改正位置: it is not where its report says, but here. If that is another grid's, `CasePlaced` follows."""

    case: str
    place: Place
    grid: str
    """In which it lies there."""
    by: str
    reason: str = personal()
    at: AwareDatetime


class CaseAccepted(Event, type="commongrid.grid_tasks.case.accepted.v1"):
    """受理: it is a duty of the grid, by the duty list as it stood then."""

    case: str
    category: str
    grid: str
    deadline_minutes: int
    clock: DeadlineClock = DeadlineClock.CLOCK_HOURS
    due: AwareDatetime | None = None
    """By when somebody is to have handed it in if nobody has it; None in older events: `deadline_minutes` after
    `at`."""
    role: Post = Post.GRID_WORKER
    body: str = ""
    """The department whose liaison handles it; empty for the grid's own duties."""
    skills: tuple[str, ...] = ()
    photos: int = 0
    weight: int = 1
    look_percent: int = 0
    duty_version: int | None = None
    """Which version of the duty list's entry held."""
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
    warn_at: AwareDatetime | None = None
    """When the worker is to be warned, if there is time for it."""
    at: AwareDatetime


class CaseTakenOver(Event, type="commongrid.grid_tasks.case.taken_over.v1"):
    """接手: whoever had it is no longer there for it while its clock stands, and this worker has it now. It stays
    paused; the whole time of the duty list begins when it goes on."""

    case: str
    grid: str
    worker: str
    why: str
    """Why this worker: for people to read."""
    at: AwareDatetime


class CaseStarted(Event, type="commongrid.grid_tasks.case.started.v1"):
    """处置: the worker began."""

    case: str
    worker: str
    done_at: AwareDatetime | None = None
    """When it was done, where that was without a network and is believed: `at` is when it was told."""
    at: AwareDatetime


class CaseHandedIn(Event, type="commongrid.grid_tasks.case.handed_in.v1"):
    """反馈: the worker says that it is done, and how."""

    case: str
    worker: str
    result: str = personal()
    on_time: bool
    attempt: Annotated[int, Field(ge=1)]
    """1 the first time, 2 after it was sent back once, and so on."""
    evidence: tuple[str, ...] = ()
    paper_due: bool = False
    """Whether what is to be written down follows, as it was urgent."""
    check_by: AwareDatetime | None = None
    """By when somebody else is to have verified it; None in older events, which nothing presses."""
    done_at: AwareDatetime | None = None
    """When it was done, where that was without a network and is believed: `at` is when it was told."""
    at: AwareDatetime


class CaseSentBack(Event, type="commongrid.grid_tasks.case.sent_back.v1"):
    """返工: verification failed; the worker has it again, by a new deadline."""

    case: str
    worker: str
    verifier: str
    reason: str = personal()
    due: AwareDatetime
    warn_at: AwareDatetime | None = None
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
    grid: str = ""
    """Empty in older events."""
    at: AwareDatetime


class CaseEscalated(Event, type="commongrid.grid_tasks.case.escalated.v1"):
    """督办: not handed in by its deadline, not verified by its own, or nobody is in post to handle it. At most once for
    each `due` and rung."""

    case: str
    grid: str
    worker: str | None = None
    """Who should have handed it in; none if nobody has it, or if they have."""
    due: AwareDatetime
    """The deadline that was missed, or that will be if nothing happens."""
    cause: EscalationCause = EscalationCause.OVERDUE
    rung: Rung = Rung.LEADER
    """To whom."""
    next_at: AwareDatetime | None = None
    """When it goes to the next rung, if it still stands there."""
    at: AwareDatetime


class CaseRefused(Event, type="commongrid.grid_tasks.case.refused.v1"):
    """不予受理: it is not taken on, and the reporter is told why and whose it is."""

    case: str
    category: str
    grid: str
    by: str
    kind: RefusalKind
    reason: str = personal()
    whose: str = ""
    """Whose it is, if anybody's."""
    at: AwareDatetime


class CaseWithdrawn(Event, type="commongrid.grid_tasks.case.withdrawn.v1"):
    """撤回: its reporter takes it back; or it was reported by a rule, and is settled before anybody began (销案)."""

    case: str
    category: str
    grid: str
    why: str = ""
    """Why a rule took it back, for people to read; empty: its reporter did."""
    at: AwareDatetime


class CaseMerged(Event, type="commongrid.grid_tasks.case.merged.v1"):
    """并案: it is the same as another one, which goes on for both."""

    case: str
    category: str
    grid: str
    into: str
    by: str
    at: AwareDatetime


class CaseTakenUp(Event, type="commongrid.grid_tasks.case.taken_up.v1"):
    """恢复办理: the case that went on for it has ended without being dealt with. It goes on by itself, with the whole
    time of the duty list."""

    case: str
    category: str
    grid: str
    into: str
    """The case that it had been merged into."""
    urgent: bool
    place: Place
    role: Post
    body: str
    skills: tuple[str, ...]
    weight: int
    due: AwareDatetime | None
    """None: it was not accepted before it was merged, and is to be accepted now."""
    at: AwareDatetime


class CaseReturned(Event, type="commongrid.grid_tasks.case.returned.v1"):
    """退回: the worker gives it back to who dispatches; the clock runs on."""

    case: str
    grid: str
    worker: str
    reason: str = personal()
    at: AwareDatetime


class CaseHandedOver(Event, type="commongrid.grid_tasks.case.handed_over.v1"):
    """转派: from now on it is another department's, which gets the whole time."""

    case: str
    grid: str
    body: str
    """The department; empty: back to the grid."""
    by: str
    why: str
    due: AwareDatetime
    at: AwareDatetime


class CaseHelpAsked(Event, type="commongrid.grid_tasks.case.help_asked.v1"):
    """协办、会商: these are to do their part; the lead stays who has the case."""

    case: str
    grid: str
    lead: str
    helpers: tuple[str, ...]
    joint: bool = False
    """会商: asked by who dispatches, for several bodies together; the lead hands in when all have done their part."""
    why: str
    at: AwareDatetime


class CaseHelpGiven(Event, type="commongrid.grid_tasks.case.help_given.v1"):
    """A helper has done their part, or cannot."""

    case: str
    helper: str
    done: bool
    words: str = personal()
    done_at: AwareDatetime | None = None
    """When it was done, where that was without a network and is believed: `at` is when it was told."""
    at: AwareDatetime


class CaseTimeAsked(Event, type="commongrid.grid_tasks.case.time_asked.v1"):
    """申请延期: the worker asks for more time."""

    case: str
    grid: str
    worker: str
    minutes: int
    reason: str = personal()
    at: AwareDatetime


class CaseTimeGiven(Event, type="commongrid.grid_tasks.case.time_given.v1"):
    """批准延期."""

    case: str
    grid: str
    worker: str
    by: str
    minutes: int
    due: AwareDatetime | None
    """None while the clock stands."""
    warn_at: AwareDatetime | None = None
    at: AwareDatetime


class CaseTimeRefused(Event, type="commongrid.grid_tasks.case.time_refused.v1"):
    """不批准延期: the deadline stays."""

    case: str
    worker: str
    by: str
    reason: str = personal()
    at: AwareDatetime


class CasePaused(Event, type="commongrid.grid_tasks.case.paused.v1"):
    """挂起: the clock stands, for a reason that is on record."""

    case: str
    grid: str
    worker: str
    by: str
    kind: PauseKind
    reason: str = personal()
    until: AwareDatetime | None = None
    """When it goes on by itself."""
    at: AwareDatetime


class CaseResumed(Event, type="commongrid.grid_tasks.case.resumed.v1"):
    """解挂: the clock goes on with what was left."""

    case: str
    grid: str
    worker: str
    by: str
    """A member's id, `reporter`, or `policy:…`."""
    due: AwareDatetime
    warn_at: AwareDatetime | None = None
    next_at: AwareDatetime | None = None
    """Of a case that was late before its clock stood: when it goes to the next rung, if it is not handed in by then."""
    at: AwareDatetime


class CaseAnswered(Event, type="commongrid.grid_tasks.case.answered.v1"):
    """补充: the reporter adds something, because they were asked or not."""

    case: str
    worker: str | None = None
    words: str = personal()
    evidence: tuple[str, ...] = ()
    at: AwareDatetime


class CaseUrgencyChanged(Event, type="commongrid.grid_tasks.case.urgency_changed.v1"):
    """加急、减缓: another time is allowed, counted from where the present one is, pauses kept."""

    case: str
    grid: str
    worker: str | None = None
    by: str
    urgent: bool
    minutes: int
    reason: str = personal()
    due: AwareDatetime | None
    warn_at: AwareDatetime | None = None
    at: AwareDatetime


class CaseWarned(Event, type="commongrid.grid_tasks.case.warned.v1"):
    """预警: the deadline is near. Once for each deadline."""

    case: str
    grid: str
    worker: str
    due: AwareDatetime
    at: AwareDatetime


class CaseLookAsked(Event, type="commongrid.grid_tasks.case.look_asked.v1"):
    """抽查: drawn at random, it is to be looked at on the spot by a second person before it is closed."""

    case: str
    grid: str
    worker: str
    verifier: str
    due: AwareDatetime
    """By when the second one is to have looked."""
    at: AwareDatetime


class CaseLooked(Event, type="commongrid.grid_tasks.case.looked.v1"):
    """复核: a second person looked on the spot."""

    case: str
    grid: str
    worker: str
    verifier: str
    by: str
    found_done: bool
    at: AwareDatetime


class CasePaperDone(Event, type="commongrid.grid_tasks.case.paper_done.v1"):
    """补录: what an urgent case was handed in without is written down."""

    case: str
    worker: str
    words: str = personal()
    evidence: tuple[str, ...] = ()
    done_at: AwareDatetime | None = None
    """When it was done, where that was without a network and is believed: `at` is when it was told."""
    at: AwareDatetime


class CaseReopened(Event, type="commongrid.grid_tasks.case.reopened.v1"):
    """重开: its reporter says, within the period, that it is not done."""

    case: str
    category: str
    grid: str
    worker: str
    """Who had handed it in."""
    closed_at: AwareDatetime
    on_time: bool
    first_attempt: bool
    """These three are what its closing had said: it does not count any more."""
    reason: str = personal()
    urgent: bool = False
    place: Place | None = None
    role: Post = Post.GRID_WORKER
    body: str = ""
    skills: tuple[str, ...] = ()
    weight: int = 1
    due: AwareDatetime
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
