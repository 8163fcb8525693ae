"""Something that falls due (到期事项): told ahead, told again if its day has passed, and told when it is settled by the
register (已办结). Each is told once, in this order; what is settled stays so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from contracts.registry import DueKind, DueNoticed, DuePassed, DueSettled
from events import Aggregate, Event


class Told(IntEnum):
    """What was told of it."""

    NOTHING = 0
    NOTICED = 1
    PASSED = 2
    SETTLED = 3


@dataclass(frozen=True, slots=True)
class Notice:
    """It will fall due."""

    noticed: DueNoticed


@dataclass(frozen=True, slots=True)
class Pass:
    """Its day is over."""

    passed: DuePassed


@dataclass(frozen=True, slots=True)
class Settle:
    """The register does not say any more that it falls due."""

    due: str
    thing: str
    at: datetime


def due_of(kind: DueKind, thing: str, on: date, settled_before: int = 0) -> str:
    """The id of what falls due; where a due of the same thing and day was settled already, as when somebody was moved
    out by mistake, it is another one."""
    return f"{kind}-{thing}-{on}" + (f"-{settled_before + 1}" if settled_before else "")


def decide(told: Told, command: Notice | Pass | Settle) -> Sequence[Event]:
    """Nothing if it was told before, or cannot be any more: what was never noticed does not pass."""
    match command:
        case Notice(noticed):
            return [noticed] if told is Told.NOTHING else []
        case Pass(passed):
            return [passed] if told is Told.NOTICED else []
        case Settle(due, thing, at):
            return [DueSettled(due=due, thing=thing, at=at)] if told in (Told.NOTICED, Told.PASSED) else []


def evolve(_: Told, event: Event) -> Told:
    """What was told last."""
    match event:
        case DuePassed():
            return Told.PASSED
        case DueSettled():
            return Told.SETTLED
        case _:
            return Told.NOTICED


DUE = Aggregate("due", Told.NOTHING, decide, evolve, (DueNoticed, DuePassed, DueSettled))
