"""The front desk as plain lists and dicts: what the kernel should have, whatever was done to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from events import Event, Position, Refused
from front_desk import MATTER, NOON, Close, Closed, Matter, Note, Noted, Raise, Raised

Command = Raise | Note | Close
AN_HOUR = timedelta(hours=1)
TOMORROW = NOON + timedelta(days=1)


class Happened(NamedTuple):
    """An event and where it stands."""

    position: Position
    stream: str
    version: int
    event: Event


class Answered(NamedTuple):
    """A key that was used, and what was answered."""

    fingerprint: bytes
    stream: str
    outcome: Any


@dataclass
class Desk:
    """What was committed."""

    happened: list[Happened] = field(default_factory=list[Happened])
    keys: dict[str, Answered] = field(default_factory=dict[str, Answered])
    timers: dict[str, datetime] = field(default_factory=dict[str, datetime])
    late: Position | None = None
    """Where an open transaction has appended: what stands after it is not settled."""

    def history(self, stream: str) -> list[Event]:
        return [it.event for it in self.happened if it.stream == stream]

    def state(self, stream: str) -> Matter:
        return MATTER.fold(self.history(stream))

    def decide(self, stream: str, command: Command) -> Sequence[Event] | Refused:
        try:
            return MATTER.decide(self.state(stream), command)
        except Refused as refused:
            return refused

    def commit(self, position: Position, appended: Sequence[tuple[str, Event]]) -> None:
        """Notes what one append brought; the position is that of its last event."""
        first = position.number - len(appended) + 1
        for number, (stream, event) in enumerate(appended, first):
            version = len(self.history(stream)) + 1
            self.happened.append(Happened(position._replace(number=number), stream, version, event))
            match event:
                case Raised(at=at):
                    self.timers[stream] = at + AN_HOUR
                case Noted(note="later"):
                    self.timers[stream] = TOMORROW
                case Closed():
                    self.timers.pop(stream, None)
                case _:
                    pass

    def settled(self) -> list[Happened]:
        """What readers may see, in the order of positions."""
        return [it for it in sorted(self.happened) if self.late is None or it.position < self.late]


@dataclass
class Follower:
    """A consumer: what it has taken, and what it could not take."""

    follows: tuple[type[Event], ...]
    bad: Callable[[Event], bool]
    """What it cannot take, until it is mended."""
    mended: bool = False
    taken: list[Happened] = field(default_factory=list[Happened])
    parked: list[Happened] = field(default_factory=list[Happened])
    read: int = 0
    """How many of the settled events it has been given."""

    def give(self, events: Sequence[Happened]) -> None:
        self.read += len(events)
        for it in events:
            if isinstance(it.event, self.follows):
                stuck = (self.bad(it.event) and not self.mended) or it.stream in self.waiting()
                (self.parked if stuck else self.taken).append(it)

    def waiting(self) -> set[str]:
        return {it.stream for it in self.parked}

    def can_retry(self, stream: str) -> bool:
        return self.mended or not any(self.bad(it.event) for it in self.parked if it.stream == stream)

    def retry(self, stream: str) -> int:
        again = [it for it in self.parked if it.stream == stream]
        self.parked = [it for it in self.parked if it.stream != stream]
        self.taken += again
        return len(again)

    def drop(self, stream: str) -> None:
        """Drops the first that waits of a stream."""
        self.parked.remove(next(it for it in self.parked if it.stream == stream))

    def begin_again(self, settled: Sequence[Happened]) -> None:
        """Rebuilt: with its first tables, from the beginning."""
        self.mended, self.read = False, 0
        self.taken, self.parked = [], []
        self.give(settled)

    def journal(self) -> dict[str, list[int]]:
        """Each stream's versions, in the order in which they took effect."""
        journal: dict[str, list[int]] = {}
        for it in self.taken:
            journal.setdefault(it.stream, []).append(it.version)
        return journal

    def tally(self) -> dict[str, int]:
        """How many were raised at each place."""
        places = [it.event.place for it in self.taken if isinstance(it.event, Raised)]
        return {place: places.count(place) for place in places}
