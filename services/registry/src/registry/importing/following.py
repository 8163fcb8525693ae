"""A register from another system's topic: each message is a JSON object, read by a mapping as a row of a file would be.

What Kafka is told to have been taken has been entered before; what is read once more after a crash changes nothing. A
message that cannot be entered is told, by its place and the reason, and stops nothing.
"""

import io
import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from edge.mapping import Mapped
from events import Commands
from events.theirs import lots

from registry.domain.imports import Tally
from registry.importing.entering import Entering, Refusal, prepared
from registry.importing.mapping import plan
from registry.importing.objects import open_objects
from registry.importing.reading import Read, read_rows
from registry.importing.sheets import SHEETS, Entry

log = logging.getLogger(__name__)


async def follow(
    commands: Commands, kafka: str, topic: str, register: str, mapped: Mapped, group: str
) -> AsyncGenerator[Tally]:
    """Enters what comes on the topic, for ever; gives what became of each lot of messages. Raises NotATable where the
    mapping does not give what the register needs, NoSuchTopic, KafkaError."""
    async with aclosing(lots(kafka, topic, group)) as found:
        async for lot in found:
            yield await enter(commands, register, mapped, [it.value or b"{}" for it in lot], [it.place for it in lot])


async def enter(
    commands: Commands, register: str, mapped: Mapped, messages: Sequence[bytes], places: Sequence[str]
) -> Tally:
    """Enters the rows that these messages are, in their order; `places` name them. Returns what became of them."""
    sheet = SHEETS[register]
    file = io.BytesIO(b"".join(b" ".join(message.split(b"\n")) + b"\n" for message in messages))
    table = open_objects(file)
    read_as = plan(register, sheet.columns, mapped, table)
    rules = await prepared(commands, register, read_as.readings)
    rows = list(read_rows(sheet, table, read_as))
    total = Tally()
    for lot in _without_repeats(rows):
        entering = Entering(
            commands,
            sheet.aggregate,
            iter(lot),
            len(messages),
            sheet.references,
            mapped.source or "",
            rules,
        )
        async for told in entering.run():
            if isinstance(told, Refusal):
                where = places[told.line - 1]
                fault = {"field": told.fault.field, "error": told.fault.why.value}
                log.warning("a message was not entered", extra={"place": where, **fault})
        total = Tally(*(one + other for one, other in zip(_counts(total), _counts(entering.tally), strict=True)))
    return total


def _counts(tally: Tally) -> tuple[int, int, int, int, int]:
    return tally.rows, tally.registered, tally.changed, tally.unchanged, tally.refused


def _without_repeats(rows: Sequence[Read]) -> Iterator[list[Read]]:
    """The rows in lots in which nobody comes twice: on a topic, what comes later holds."""
    lot: list[Read] = []
    ids: set[str] = set()
    for row in rows:
        if isinstance(row.said, Entry) and row.said.id in ids:
            yield lot
            lot, ids = [], set()
        lot.append(row)
        if isinstance(row.said, Entry):
            ids.add(row.said.id)
    if lot:
        yield lot
