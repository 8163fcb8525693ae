"""Refused acts on their way to the audit log: counted where they are equal, and written in groups.

The first of equal ones is on record within a second; the others of the same minute become one more entry, with their
number. So whoever is refused ten thousand times costs two entries a minute.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

import structlog
from contracts.audit import ActRefused
from events import Commands
from events.parking import describe

from edge.audit import Audit
from edge.ids import new_id

log = structlog.get_logger(__name__)

SOON = 0.5
"""Seconds between two writings."""
MINUTE = 60.0
A_PAGE = 500
AT_THE_END = 5.0
"""Seconds that the last writing may take when the process is to stop."""


class Refusal(NamedTuple):
    """Who was refused what, and why: what makes two refusals equal."""

    actor: str | None
    client: str | None
    power: str | None
    act: str
    reason: str
    status: int


class Occurrence(NamedTuple):
    """One refusal: of which thing (if it is known), in which trace, and when."""

    thing: str | None
    trace: str | None
    at: datetime


@dataclass
class _Equal:
    """Equal refusals since `began`; of those that are not written yet the first, the last and the number."""

    began: float
    first: Occurrence
    last: Occurrence
    times: int = 0
    written: bool = False

    def add(self, it: Occurrence) -> None:
        if self.times == 0:
            self.first = it
        elif it.thing != self.first.thing:
            self.first = self.first._replace(thing=None)
        self.last = it
        self.times += 1


@dataclass
class Refusals:
    """Those of one process. `clock` gives seconds that only rise."""

    audit: Audit
    commands: Commands
    clock: Callable[[], float] = time.monotonic
    _equal: dict[Refusal, _Equal] = field(default_factory=dict[Refusal, _Equal], init=False)
    _unwritten: dict[str, Sequence[ActRefused]] = field(default_factory=dict[str, Sequence[ActRefused]], init=False)

    @property
    def waiting(self) -> int:
        """How many pages could not be written yet."""
        return len(self._unwritten)

    def note(self, refusal: Refusal, it: Occurrence) -> None:
        """Notes that it happened."""
        known = self._equal.get(refusal)
        if known is None:
            known = self._equal[refusal] = _Equal(self.clock(), it, it)
        known.add(it)

    async def keep_writing(self) -> None:
        """Writes until cancelled, and what is left then."""
        try:
            while True:
                await asyncio.sleep(SOON)
                await self.write()
        except asyncio.CancelledError:
            with suppress(TimeoutError):
                async with asyncio.timeout(AT_THE_END):
                    await self.write(everything=True)
            raise

    async def write(self, *, everything: bool = False) -> None:
        """Writes what is due. What cannot be written now, because the database is away, will be with the next."""
        due = list(self._due(everything))
        for begin in range(0, len(due), A_PAGE):
            entries = due[begin : begin + A_PAGE]
            page = new_id(entries[0][1].first.at)
            self._unwritten[page] = [self._entry(page, *it) for it in entries]
        for page, entries in list(self._unwritten.items()):
            try:
                await self.audit.write(self.commands, page, entries)
            except Exception as error:
                log.warning("refusals are not on record yet", pages=self.waiting, error=describe(error))
                return
            del self._unwritten[page]

    def _due(self, everything: bool) -> Iterator[tuple[Refusal, _Equal]]:
        """The first of each minute at once, the others when it is over."""
        now = self.clock()
        for refusal, it in list(self._equal.items()):
            over = everything or now - it.began >= MINUTE
            if over:
                del self._equal[refusal]
            if it.times and (over or not it.written):
                yield refusal, replace(it)
                it.times, it.written = 0, True

    def _entry(self, page: str, refusal: Refusal, it: _Equal) -> ActRefused:
        thing, trace, at = it.first
        about = {"audit": page, "thing": thing, "trace": trace, "at": at, "until": it.last.at, "times": it.times}
        return self.audit.refused.model_validate(refusal._asdict() | about)
