"""What may be asked for with a case. Each command carries `at`: when it is given, by the trade's clock; and the working
`calendar` where a deadline follows from it; and `done_at` what was done without a network, and is told later."""

from dataclasses import dataclass
from datetime import datetime

from contracts.common import Place
from contracts.grid_tasks import PauseKind, RefusalKind, ReporterKind
from contracts.registry import DutyFacts

from grid_tasks.domain.placing import Needed
from grid_tasks.domain.working_time import Calendar


@dataclass(frozen=True, slots=True)
class Report:
    """上报: someone reports something to be dealt with.

    `duty` is the duty list's entry for the category and `grid` the grid in which the place lies, as they stand now;
    None if there is none. `taken_by_department`: whether somebody of the department whose duty it is takes cases here.
    """

    case: str
    category: str
    duty: DutyFacts | None
    description: str
    place: Place
    grid: str | None
    reporter_kind: ReporterKind
    reporter: str | None
    contact: str | None
    receipt_hash: str
    at: datetime
    evidence: tuple[str, ...] = ()
    taken_by_department: bool = False
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlaceIn:
    """定位: the desk finds the grid of a case whose place lies in none."""

    grid: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CorrectPlace:
    """改正位置: who dispatches finds that it is here, in this grid, and not where its report says."""

    place: Place
    grid: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FollowMap:
    """随网格调整: the map was redrawn, and its place lies in this grid now. Nothing to do where it is that grid's."""

    grid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Accept:
    """受理: by the duty list it is to be handed in in time."""

    duty: DutyFacts
    version: int
    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """不予受理: it is not taken on; `whose` it is, if anybody's."""

    by: str
    kind: RefusalKind
    reason: str
    whose: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Withdraw:
    """撤回: by who shows the receipt."""

    receipt: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CallOff:
    """销案: what a rule had reported is settled. Nothing to do where somebody has begun, or it has ended."""

    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Merge:
    """并案: it is the same as `into`, which is of the same category and is not ended."""

    into: str
    into_category: str
    into_ended: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TakeUp:
    """恢复办理: `into`, which was to go on for it, has ended without being dealt with, or is merged into this one.

    What was not accepted before waits for that again. Nothing to do where it goes on already, is merged into another
    by now, or its text was erased.
    """

    into: str
    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class Dispatch:
    """派遣 by a person: a leader gives it to somebody, for the first time or instead of whoever has it.

    `worker_grid` is the grid in which that member handles cases of its kind; None if in none.
    """

    worker: str
    worker_grid: str | None
    why: str
    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class Assign:
    """派遣 by rule: to `worker`, as long as the case is still with `instead_of` (None: with nobody), and still of the
    grid and body for which they were chosen (`needed`).

    Where somebody else has got it meanwhile, or it is handed in, there is nothing left to do. Where its clock stands,
    it goes on standing (接手).
    """

    worker: str
    instead_of: str | None
    why: str
    calendar: Calendar
    at: datetime
    needed: Needed | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """转派: to another department, which has somebody here (`present`); or back to the grid with an empty `body`."""

    body: str
    present: bool
    by: str
    why: str
    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class Return:
    """退回: the worker gives it back, with the reason."""

    worker: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Start:
    """处置: the worker begins."""

    worker: str
    at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActAtOnce:
    """紧急处置: who is there takes an urgent case and begins; `worker_grid` as with Dispatch."""

    worker: str
    worker_grid: str | None
    calendar: Calendar
    at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AskHelp:
    """协办: the worker asks others to do a part of it."""

    worker: str
    helpers: tuple[str, ...]
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Confer:
    """会商: several bodies deal with it together, and who has it leads."""

    by: str
    helpers: tuple[str, ...]
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GiveHelp:
    """A helper has done their part, or says why not."""

    helper: str
    done: bool
    words: str
    at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AskTime:
    """申请延期."""

    worker: str
    minutes: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GiveTime:
    """批准延期, by somebody else; of no more than what was asked for."""

    by: str
    minutes: int
    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class RefuseTime:
    """不批准延期."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangeUrgency:
    """加急、减缓: so many minutes in all from where its clock began; what it stood stays."""

    by: str
    urgent: bool
    minutes: int
    reason: str
    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """挂起: by a leader; or by the worker, to ask the reporter."""

    by: str
    kind: PauseKind
    reason: str
    until: datetime | None
    at: datetime
    by_worker: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """解挂: `by` a member, or by rule when its time has come; nothing to do then where it goes on already."""

    by: str
    calendar: Calendar
    at: datetime
    by_rule: bool = False


@dataclass(frozen=True, slots=True)
class AnswerAsReporter:
    """补充: by who shows the receipt. A case that waits for it goes on."""

    receipt: str
    words: str
    calendar: Calendar
    at: datetime
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandIn:
    """反馈: the worker says what came of it. `paper_later`: of an urgent case, what the list asks for follows."""

    worker: str
    result: str
    calendar: Calendar
    at: datetime
    evidence: tuple[str, ...] = ()
    paper_later: bool = False
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DoPaper:
    """补录: what an urgent case was handed in without."""

    worker: str
    words: str
    evidence: tuple[str, ...]
    at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verify:
    """核查: somebody else finds it done, which closes it (结案), unless it is `drawn` for a second look."""

    verifier: str
    calendar: Calendar
    at: datetime
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class SendBack:
    """返工: somebody else finds it not done; the worker has it again, with the whole time of the duty list."""

    verifier: str
    reason: str
    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """复核: a second person looked on the spot."""

    by: str
    found_done: bool
    reason: str
    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class Rate:
    """满意度: who holds the receipt says how satisfied they are, 1 to 5."""

    rating: int
    receipt: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reopen:
    """重开: who shows the receipt says, within the period, that it is not done."""

    receipt: str
    reason: str
    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class Warn:
    """预警: the deadline is near. Nothing to do where that is no longer so."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Escalate:
    """督办: a deadline has passed. Nothing to do where that is no longer so, or was said."""

    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class Unplaced:
    """无人在岗: nobody is there to have it `instead_of` who has it, or at all. Nothing to do where somebody else has
    got it meanwhile, or it was said."""

    instead_of: str | None
    calendar: Calendar
    at: datetime


@dataclass(frozen=True, slots=True)
class EraseText:
    """到期删除: what was written of it has passed its period."""

    at: datetime


Arriving = Report | PlaceIn | CorrectPlace | FollowMap | Accept | Refuse | Withdraw | CallOff | Merge | TakeUp
Dispatching = Dispatch | Assign | HandOver | Return
Working = (
    Start | ActAtOnce | AskHelp | Confer | GiveHelp | AskTime | GiveTime | RefuseTime | ChangeUrgency
    | Pause | Resume | AnswerAsReporter | HandIn | DoPaper
)  # fmt: skip
Checking = Verify | SendBack | Look | Rate | Reopen
Pressing = Warn | Escalate | Unplaced | EraseText
CaseCommand = Arriving | Dispatching | Working | Checking | Pressing

NAMES: dict[type[CaseCommand], str] = {
    PlaceIn: "place",
    CorrectPlace: "correct-place",
    FollowMap: "follow-map",
    Accept: "accept",
    Refuse: "refuse",
    Withdraw: "withdraw",
    CallOff: "call-off",
    Merge: "merge",
    TakeUp: "take-up",
    Dispatch: "dispatch",
    Assign: "dispatch",
    HandOver: "hand-over",
    Return: "return",
    Start: "start",
    ActAtOnce: "act-at-once",
    AskHelp: "ask-help",
    Confer: "confer",
    GiveHelp: "give-help",
    AskTime: "ask-time",
    GiveTime: "give-time",
    RefuseTime: "refuse-time",
    ChangeUrgency: "change-urgency",
    Pause: "pause",
    Resume: "resume",
    AnswerAsReporter: "answer",
    HandIn: "hand-in",
    DoPaper: "do-paper",
    Verify: "verify",
    SendBack: "send-back",
    Look: "look",
    Rate: "rating",
    Reopen: "reopen",
    Warn: "warn",
    Escalate: "press",
    Unplaced: "press",
    EraseText: "erase-text",
}
"""The move that each command asks for."""


def name_of(command: CaseCommand) -> str:
    """The move that a command asks for; a report is none, as there is no case yet."""
    if isinstance(command, Pause) and command.by_worker:
        return "ask-reporter"
    return NAMES.get(type(command), "report")
