"""Founding: the first power list and the first posts, entered by whoever runs the database.

From then on the list itself says who may change it, and there is no other way.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from events import Commands, Context

from registry.domain.member import MEMBER
from registry.domain.power import POWER
from registry.importing.entering import Entering, Refusal
from registry.importing.powers import read_powers
from registry.importing.reading import Read, read_rows, sized
from registry.importing.sheets import SHEETS
from registry.importing.table import open_table
from registry.importing.telling import words

ACTOR = "founding"


class Founded(Exception):
    """There is a power list: whoever holds `powers.keep` changes it."""


class NotRight(Exception):
    """Some of the files is not right; nothing of it was entered. The message has a line for each fault."""


async def found(commands: Commands, powers: Path, roster: Path) -> None:
    """Enters the roster and then the power list, once. Raises Founded, NotRight or NotATable."""
    if await commands.db.fetchval("select exists (select from log.events where stream like 'power-%')"):
        raise Founded("there is a power list already; whoever holds powers.keep changes it by PUT /registers/powers")
    commands = commands.by(Context(actor=ACTOR))
    sheet = SHEETS["roster"]
    with roster.open("rb") as file, powers.open("rb") as list_file:
        members, count = sized(read_rows(sheet, open_table(file, sheet.columns)))
        await _enter(replace(Entering(commands, MEMBER, members, count), references=sheet.references), roster)
        await _enter(Entering(commands, POWER, *sized(_whole(read_powers(list_file), powers))), powers)


def _whole(read: Sequence[Read], path: Path) -> Sequence[Read]:
    """The list, if all of it is right: half a power list would shut people out without a word."""
    if faults := [f"{path.name}, entry {number}: {it}" for number, it, _ in read if isinstance(it, Exception)]:
        raise NotRight("\n".join(faults))
    return read


async def _enter(entering: Entering, path: Path) -> None:
    refused = [it async for it in entering.run() if isinstance(it, Refusal)]
    if faults := [f"{path.name}, line {it.line}: {words(it.fault).en}" for it in refused]:
        raise NotRight("\n".join(faults))
