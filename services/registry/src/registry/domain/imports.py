"""An import (批量导入): somebody brings a file into a register. What became of its rows is on record, so that one can
look it up, and so that one that broke off goes on from where it was. No row is: what they say is personal.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from contracts.registry import ImportBegun, ImportEnded, ImportProgressed
from events import Aggregate, Event


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the rows: each is counted once more."""

    rows: int = 0
    registered: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0

    def after(self, earlier: "Tally") -> "Tally":
        """Of the same rows, entered once more after they had been entered with that result: what went in then counts as
        that, what is refused is what is refused now."""
        registered = min(earlier.registered + self.registered, self.rows - self.refused)
        changed = min(earlier.changed + self.changed, self.rows - self.refused - registered)
        unchanged = self.rows - self.refused - registered - changed
        return Tally(self.rows, registered, changed, unchanged, self.refused)


@dataclass(frozen=True, slots=True)
class Import:
    """How far it has come: all rows until `line` were entered."""

    begun: ImportBegun | None = None
    line: int = 0
    tally: Tally = field(default_factory=Tally)
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """Somebody brings a file; or brings it again, because it broke off."""

    begun: ImportBegun


@dataclass(frozen=True, slots=True)
class GoOn:
    """All rows until this line were entered."""

    line: int
    tally: Tally
    at: datetime


@dataclass(frozen=True, slots=True)
class End:
    """All rows were."""

    tally: Tally
    at: datetime


def decide(it: Import, command: Begin | GoOn | End) -> Sequence[Event]:
    """What is put on record. It only goes on: who enters rows once more says nothing new, and the first who comes to
    the end has ended it."""
    if isinstance(command, Begin):
        return [] if it.begun else [command.begun]
    assert it.begun is not None  # noqa: S101  # whoever goes on has begun
    counted: dict[str, Any] = asdict(command.tally) | {"import_id": it.begun.import_id, "at": command.at}
    if it.ended:
        return []
    if isinstance(command, End):
        return [ImportEnded(**counted)]
    return [ImportProgressed(line=command.line, **counted)] if command.line > it.line else []


def evolve(it: Import, event: Event) -> Import:
    """The import after an event."""
    match event:
        case ImportBegun():
            return replace(it, begun=event)
        case ImportProgressed():
            return replace(it, line=event.line, tally=_tally(event))
        case ImportEnded():
            return replace(it, tally=_tally(event), ended=event.at)
        case _:
            return it


def _tally(event: ImportProgressed | ImportEnded) -> Tally:
    return Tally(event.rows, event.registered, event.changed, event.unchanged, event.refused)


IMPORT = Aggregate("import", Import(), decide, evolve, (ImportBegun, ImportProgressed, ImportEnded))
