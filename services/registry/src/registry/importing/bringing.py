"""A file brought into a register, on record: that it begins, how far it has come, and what became of it.

Every some thousand rows the counts are put on record, and the end is. What came after the last of these is entered once
more if it breaks off, which changes nothing.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from contracts.registry import ImportBegun
from events import Token

from registry.domain.imports import IMPORT, Begin, End, GoOn
from registry.importing.drawing import Drawing
from registry.importing.entering import Entering, Progress, Told

ON_RECORD_EVERY = 5_000
"""Rows."""


@dataclass
class Bringing:
    """An import that is on record; `clock` is the trade's time."""

    begun: ImportBegun
    entering: Entering | Drawing
    clock: Callable[[], datetime]
    ended: Token | None = None

    async def run(self) -> AsyncIterator[Told]:
        """Enters everything, and tells what `Entering` tells."""
        commands, id_ = self.entering.commands, self.begun.import_id
        since = self.entering.since
        await commands.execute(IMPORT, id_, Begin(self.begun), new=since is None)
        recorded = since.tally.rows if since else 0
        async for told in self.entering.run():
            if isinstance(told, Progress) and told.tally.rows >= recorded + ON_RECORD_EVERY:
                await commands.execute(IMPORT, id_, GoOn(told.line, told.tally, self.clock()))
                recorded = told.tally.rows
            yield told
        self.ended = (await commands.execute(IMPORT, id_, End(self.entering.tally, self.clock()))).token
