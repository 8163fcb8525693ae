"""How an import is told to people and programs, an object a line; never what stood in a cell."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from contracts.common import Title

from registry.domain.faults import WORDS, Fault, Why
from registry.importing.entering import Change, Progress, Refusal, Told
from registry.importing.headings import WORDS_FOR

Language = Literal["en", "zh"]

COLUMN = {"household": "household_ref", "grid": "grid_code"}
"""Fields of the domain that have another name in the files."""


CHOICES = frozenset({Why.UNKNOWN_CHOICE, Why.UNKNOWN_CATEGORY, Why.UNKNOWN_POST})


def column_of(fault: Fault) -> str:
    """The column to look at."""
    return COLUMN.get(fault.field, fault.field)


def words(fault: Fault, called: str | None = None) -> Title:
    """What is wrong and what would be right; `called` is what the sender calls the column."""
    column = called or column_of(fault)
    said = WORDS[fault.why]
    choices: Mapping[str, str] = WORDS_FOR.get(column_of(fault), {}) if fault.why in CHOICES else {}
    return Title(
        en=f"{column} {said.en}" + (f": {', '.join(choices)}" if choices else ""),
        zh=f"{column}：{said.zh}" + (f"：{'、'.join(choices.values())}" if choices else ""),
    )


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
                **fault.more,
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
