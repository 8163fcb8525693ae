"""What is so with a case: its state, which its events alone make."""

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.common import DeadlineClock, Place, Post
from contracts.grid_tasks import PauseKind, RefusalKind, Rung

from grid_tasks.domain.deadline import LADDER, Limit, Reckoning, Stop, reckon
from grid_tasks.domain.moves import ENDS, Move, Step, moves_from
from grid_tasks.domain.working_time import Calendar

WORKING_DAY = 450
"""Minutes."""
ABOVE_THE_WORKER = {rung: minutes for rung, minutes in LADDER.items() if rung is not Rung.WORKER}
CHECK = Limit(DeadlineClock.WORKING_HOURS, WORKING_DAY, ladder=ABOVE_THE_WORKER)
"""核查时限: a working day for a leader to say whether it is done, whatever its own clock is: who verifies works by day.
No rule prescribes how long; without a limit a case stood handed in for good, and nobody was told."""
SECOND_LOOK = Limit(DeadlineClock.WORKING_HOURS, 3 * WORKING_DAY, ladder=ABOVE_THE_WORKER)
"""复核时限: three, as somebody goes there."""


@dataclass(frozen=True, slots=True)
class Case:
    """The state of a case. `step` is None as long as nobody has reported it."""

    id: str = ""
    step: Step | None = None
    category: str = ""
    description: str = ""
    place: Place | None = None
    grid: str = ""
    """Empty as long as it lies in none: the desk finds it."""
    receipt_hash: str = ""
    urgent: bool = False
    evidence: tuple[str, ...] = ()
    """What came with the report and the reporter's answers."""
    clock: DeadlineClock = DeadlineClock.CLOCK_HOURS
    deadline_minutes: int = 0
    """The time that is given."""
    more_minutes: int = 0
    """What was given besides to who has it, or had it at the end."""
    role: Post = Post.GRID_WORKER
    body: str = ""
    """The department whose liaison handles it; empty: the grid's own."""
    skills: tuple[str, ...] = ()
    photos: int = 0
    """How many files the result must come with."""
    weight: int = 1
    look_percent: int = 0
    worker: str | None = None
    """Who has it, or had it at the end: in joint handling the lead."""
    helping: frozenset[str] = frozenset()
    """Who is still to do their part."""
    joint: bool = False
    """Whether the lead waits for all parts."""
    begun: datetime | None = None
    """When the present clock began."""
    stops: tuple[Stop, ...] = ()
    """When it stood; the last may be open."""
    due: datetime | None = None
    """By when it is to be handed in; None while the clock stands."""
    warned: bool = False
    rung: Rung | None = None
    """How high the present deadline has been escalated: that of the work, then that of its check."""
    next_at: datetime | None = None
    """When that goes one rung higher."""
    time_asked: int | None = None
    """Minutes that the worker asks for."""
    pause: PauseKind | None = None
    attempt: int = 1
    """The attempt under way: 2 after it was sent back once."""
    result: str | None = None
    result_evidence: tuple[str, ...] = ()
    paper_due: bool = False
    """Whether an urgent case was handed in without what is to be written down."""
    on_time: bool | None = None
    """Whether it was handed in by its deadline, the first time."""
    handled_by: frozenset[str] = frozenset()
    """Everyone who has begun it, handed it in, or done a part of it."""
    verifier: str | None = None
    """Who found it done, while a second look is due."""
    escalated: bool = False
    """Whether it was ever escalated: that stays with it."""
    rating: int | None = None
    into: str | None = None
    """The case that goes on for it."""
    refused_as: RefusalKind | None = None
    whose: str = ""
    text_erased: bool = False
    """Whether what was written of it has passed its period."""
    reported_at: datetime | None = None
    accepted_at: datetime | None = None
    dispatched_at: datetime | None = None
    """These three are of the present attempt; the history has all."""
    started_at: datetime | None = None
    worked_since: datetime | None = None
    """When the work of this attempt began, or went on after a pause: nothing is handed in that was done before."""
    handed_in_at: datetime | None = None
    verified_at: datetime | None = None
    check_by: datetime | None = None
    """By when somebody else is to say whether it is done, and after that, if it was drawn, a second one."""
    closed_at: datetime | None = None

    @property
    def with_worker(self) -> bool:
        """Whether somebody has it in hand, and it may still be given to another."""
        return self.step in (Step.DISPATCHED, Step.STARTED)

    def is_with(self, member: str) -> bool:
        """Whether they have it, until it has ended, or are to do a part of it."""
        return member in self.helping or (member == self.worker and not self.ended)

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to do."""
        return self.step in ENDS

    @property
    def moves(self) -> list[Move]:
        """What can be done with it now, and whose it is."""
        return [it for it in moves_from(self.step) if self._open_to(it)] if self.step else []

    @property
    def possible(self) -> tuple[str, ...]:
        """The same by name."""
        return tuple(it.name for it in self.moves)

    def _open_to(self, move: Move) -> bool:
        """What the step alone does not say."""
        match move.name:
            case "place":
                return not self.grid
            case "refuse" | "merge" if self.step is Step.REPORTED:
                return not self.grid
            case "act-at-once":
                return self.urgent
            case "give-help":
                return bool(self.helping)
            case "give-time" | "refuse-time":
                return self.time_asked is not None
            case "ask-time":
                return self.time_asked is None
            case "do-paper":
                return self.paper_due
            case "verify":
                return not self.paper_due
            case "look":
                return self.verifier is not None
            case "rating":
                return self.rating is None
            case _:
                return True

    def reckoned(self, calendar: Calendar) -> Reckoning:
        """When its present clock ends, and how that came about. Raises ValueError where none has begun."""
        if self.begun is None:
            raise ValueError("its clock has not begun")
        limit = Limit(self.clock, self.deadline_minutes + self.more_minutes)
        return reckon(limit, self.begun, self.stops, calendar)

    def checked(self, calendar: Calendar) -> Reckoning:
        """By when somebody else is to have said whether it is done. Raises ValueError where it is not handed in."""
        if self.step is Step.VERIFIED and self.verified_at:
            return reckon(SECOND_LOOK, self.verified_at, (), calendar)
        if self.handed_in_at is None:
            raise ValueError("it is not handed in")
        return reckon(CHECK, self.handed_in_at, (), calendar)

    def anew(self, at: datetime, minutes: int | None = None) -> "Case":
        """With a clock that begins now, whoever had more time before."""
        minutes = self.deadline_minutes if minutes is None else minutes
        return replace(self, begun=at, stops=(), deadline_minutes=minutes, more_minutes=0)
