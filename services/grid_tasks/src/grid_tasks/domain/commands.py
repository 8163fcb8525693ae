"""What may be asked for with a case. Each command carries `at`: when it is given, by the trade's clock."""

from dataclasses import dataclass
from datetime import datetime

from contracts.common import Place
from contracts.grid_tasks import EscalationCause, ReporterKind
from contracts.registry import DutyFacts


@dataclass(frozen=True, slots=True)
class Report:
    """上报: someone reports something to be dealt with.

    `duty` is the duty list's entry for the category and `grid` the grid in which the place lies, as they stand now;
    None if there is none.
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


@dataclass(frozen=True, slots=True)
class Accept:
    """受理: by the duty list it is the grid's, to be handed in so many minutes after dispatch."""

    deadline_minutes: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Dispatch:
    """派遣 by a person: a leader gives it to somebody, for the first time or instead of whoever has it.

    `worker_grid` is the grid in which that member is in post as worker or leader; None if in none.
    """

    worker: str
    worker_grid: str | None
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Assign:
    """派遣 by rule: to `worker`, as long as the case is still with `instead_of` (None: with nobody).

    Where somebody else has got it meanwhile, or it is handed in, there is nothing left to do.
    """

    worker: str
    instead_of: str | None
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Start:
    """处置: the worker begins."""

    worker: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HandIn:
    """反馈: the worker says what came of it."""

    worker: str
    result: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Verify:
    """核查: somebody else finds it done, which closes it (结案)."""

    verifier: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SendBack:
    """返工: somebody else finds it not done; the worker has it again, with the whole time of the duty list."""

    verifier: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rate:
    """满意度: who holds the receipt says how satisfied they are, 1 to 5."""

    rating: int
    receipt: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Escalate:
    """督办: the deadline has passed, or nobody is in post. Nothing to do where that is no longer so, or was said."""

    cause: EscalationCause
    at: datetime


@dataclass(frozen=True, slots=True)
class EraseText:
    """到期删除: what was written of it has passed its period."""

    at: datetime


CaseCommand = Report | Accept | Dispatch | Assign | Start | HandIn | Verify | SendBack | Rate | Escalate | EraseText
