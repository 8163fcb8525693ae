"""What is asked of grid workers beyond their list (超范围要求): refused at the door, and counted against who asked. One
request counts once, however often it is repeated."""

from collections.abc import Sequence
from re import fullmatch

from contracts.visits import OverreachRefused
from events import Aggregate, Event

CODE = r"[a-z][a-z0-9_.-]{0,63}"
"""How categories are written on duty lists."""
OTHER = "other"


def category_of(asked: str) -> str:
    """What was asked for, for everybody to read: a code, and never a free text, which may name people."""
    return asked if fullmatch(CODE, asked) else OTHER


def decide(noted: bool, command: OverreachRefused) -> Sequence[Event]:
    """Nothing if it is noted already."""
    return [] if noted else [command]


def evolve(_noted: bool, _event: Event) -> bool:
    """It is noted."""
    return True


OVERREACH = Aggregate[bool, OverreachRefused]("overreach", False, decide, evolve, (OverreachRefused,))
