"""How an import is told to people and programs, an object a line; never what stood in a cell."""

from dataclasses import asdict
from typing import Any, Literal

from contracts.common import Title

from registry.domain.faults import WORDS, Fault
from registry.importing.entering import Change, Progress, Refusal, Told

Language = Literal["en", "zh"]

COLUMN = {"address": "address_ref", "household": "household_ref", "grid": "grid_code"}
"""Fields of the domain that have another name in the files."""


def column_of(fault: Fault) -> str:
    """The column to look at."""
    return COLUMN.get(fault.field, fault.field)


def words(fault: Fault, called: str | None = None) -> Title:
    """What is wrong and what would be right; `called` is what the sender calls the column."""
    column = called or column_of(fault)
    return Title(en=f"{column} {WORDS[fault.why].en}", zh=f"{column}：{WORDS[fault.why].zh}")


def message(told: Told, language: Language) -> dict[str, Any]:
    """One line of the answer."""
    match told:
        case Refusal(line, fault):
            said = words(fault)
            return {
                "line": line,
                "field": column_of(fault),
                "error": fault.why,
                "message": getattr(said, language),
                "message_en": said.en,
                "message_zh": said.zh,
            }
        case Change(line, first, fields):
            if first:
                return {"line": line, "would": "register"}
            return {"line": line, "would": "change", "fields": [COLUMN.get(field, field) for field in fields]}
        case Progress(line, lines, tally):
            return {"progress": {"rows": tally.rows, "line": line, "lines": lines}}


def resumed(since: Progress) -> dict[str, Any]:
    """Where an import goes on that broke off."""
    return {"resumed": {"line": since.line, "rows": since.tally.rows}}


def done(last: Progress, *, preview: bool) -> dict[str, Any]:
    """What became of all rows."""
    return {"done": asdict(last.tally), **({"preview": True} if preview else {})}
