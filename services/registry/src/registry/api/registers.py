"""The registers as files: import one (`PUT /registers/people`), the form to fill in, and how many are in them."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from contracts.registry import ImportBegun
from edge import Call, HttpProblem, Router
from edge.accepting import language_of, media_type_of
from edge.moments import Day
from events import Aggregate
from fastapi import Path, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from registry.api.answering import LINES, Running, answer, as_download
from registry.api.powers import Powers
from registry.api.receiving import Sent, receive
from registry.domain.entry import Rule
from registry.domain.imports import IMPORT
from registry.domain.power import POWER
from registry.importing.bringing import Bringing
from registry.importing.drawing import Drawing
from registry.importing.entering import PATIENCE, Entering, Progress, prepared
from registry.importing.form import form
from registry.importing.geojson import read_grids
from registry.importing.powers import read_powers
from registry.importing.reading import Read, open_file, read_rows, sized
from registry.importing.refused import CSV, WRITERS, XLSX
from registry.importing.sheets import SHEETS, Reference
from registry.importing.table import NotATable
from registry.read_models.counts import COUNTED, counts
from registry.read_models.imports import imports, unfinished
from registry.read_models.territory import territory

router = Router(tags=["registers"])

MAX_FILE = 1024 * 1024 * 1024
"""Bytes: the people of a city of some millions."""
MAX_WHOLE = 16 * 1024 * 1024
"""Bytes of what is read whole: grids and powers."""


class Register(StrEnum):
    """The registers, in the order in which they are to be imported: each refers only to those before it."""

    GRIDS = "grids"
    ADDRESSES = "addresses"
    BUILDINGS = "buildings"
    HOUSEHOLDS = "households"
    PEOPLE = "people"
    UNITS = "units"
    ROSTER = "roster"
    DUTIES = "duties"
    POWERS = "powers"


class ImportQuery(BaseModel):
    """How a file is imported; the last three are of grids alone."""

    model_config = ConfigDict(extra="forbid")

    preview: bool = Field(False, description="Enter nothing: only tell what would change, and what is wrong")
    sheet: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="The sheet of the workbook; without it the first"
    )
    source: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")] | None = Field(
        None,
        description="Who says what stands in the file, if no mapping says so. Where sources differ: GET /source-rules",
    )
    whole: bool = Field(False, description="The file has all grids of its communities: the others are given up")
    gaps: Literal["refused", "allowed"] = Field("refused", description="Whether ground may be left out")
    since: Day | None = Field(None, description="The day from which the grids hold; else today")


MEDIA_TYPES = (CSV, XLSX, LINES, "application/json", "application/geo+json")
FILE = {"schema": {"type": "string", "format": "binary"}}
FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "mapping": {"type": "string", "description": "JSON: from which of the file's columns each of ours comes"},
        },
    }
}
HEADERS = {
    "Content-Location": {
        "description": "Where the counts of this import can be looked up",
        "schema": {"type": "string", "examples": ["/imports/0199d1a0-6a5e-7c3b-9a57-3f2f5d1e8c11"]},
    }
}


@dataclass
class _Source:
    """What is to be entered into which register; and what the sender's table looks like."""

    aggregate: Aggregate[Any, Any]
    read: Iterator[Read]
    last: int
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])
    head: Sequence[str] = ()
    headings: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    rules: Mapping[str, Rule] = field(default_factory=dict[str, Rule])


@router.put(
    "/registers/{register}",
    power=Powers.KEEP_REGISTERS,
    max_body_size=MAX_FILE,
    response_class=StreamingResponse,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {**dict.fromkeys(MEDIA_TYPES, FILE), "multipart/form-data": FORM},
        }
    },
    responses={
        200: {
            "description": "How it goes, line by line: `progress`, a line for each bad row, at the end `done` with the "
            "`consistency_token` to read what was written; or `failed` if it could not be ended: import it again then. "
            "As CSV or XLSX: the refused rows, to be mended and sent again",
            "content": {LINES: {"schema": {"type": "string"}}, CSV: FILE, XLSX: FILE},
            "headers": HEADERS,
        }
    },
)
async def import_register(
    register: Annotated[Register, Path()], call: Call, asked: Annotated[ImportQuery, Query()]
) -> Response:
    """Enters what a file says: CSV, XLSX, JSON or NDJSON; GeoJSON for grids, a JSON list for powers. Good rows go in,
    each bad one is told with its line.

    A mapping may stand beside the file in a form (`file`, `mapping`). Importing a file again changes nothing; one that
    broke off goes on from where it was. What a file does not mention stays as it is.
    """
    try:
        sent = await receive(call, asked.sheet)
        try:
            entering, source = await _entering(register, sent, asked, call)
            running = await _running(register, sent, entering, source, call)
        except BaseException:
            sent.content.close()
            raise
    except NotATable as error:
        raise _refused(register, error) from None
    headers = call.request.headers
    kind = media_type_of(headers.get("Accept"), (LINES, *WRITERS))
    return await answer(running, kind, language_of(headers.get("Accept-Language")))


def _refused(register: Register, error: NotATable) -> HttpProblem:
    wrong = {"place": "body", "field": register.value, "message": error.said.en, "message_zh": error.said.zh}
    return HttpProblem("invalid-input", error.said.en, errors=[wrong], message_zh=error.said.zh)


async def _source(register: Register, sent: Sent, call: Call) -> _Source:
    """What is in the file, when all that it may refer to is there to be seen. Raises NotATable."""
    if register is Register.POWERS:
        if not await call.may(Powers.KEEP_POWERS):
            raise HttpProblem("not-allowed", f"the power list does not give you {Powers.KEEP_POWERS}")
        return _Source(POWER, *sized(read_powers(sent.content)))
    sheet = SHEETS[register]
    table, plan = await asyncio.to_thread(
        open_file, sent.content, register.value, sheet.columns, sent.mapped, sent.sheet
    )
    rules = await prepared(call.commands, register, {*table.columns, *plan.readings})
    rows = read_rows(sheet, table, plan)
    return _Source(sheet.aggregate, rows, table.lines, sheet.references, table.head, plan.headings, rules)


async def _entering(
    register: Register, sent: Sent, asked: ImportQuery, call: Call
) -> tuple[Entering | Drawing, _Source | None]:
    """What enters the file, and of a table what it looks like. Raises NotATable."""
    if register in (Register.GRIDS, Register.POWERS) and sent.content.seek(0, 2) > MAX_WHOLE:
        raise HttpProblem("body-too-large", f"{register} are read whole: send at most {MAX_WHOLE >> 20} MiB")
    if register is Register.GRIDS:
        await call.commands.caught_up(territory, PATIENCE)
        read = read_grids(sent.content)
        drawing = Drawing(call.commands, read, asked.whole, asked.gaps == "allowed", asked.since, asked.preview)
        return drawing, None
    source = await _source(register, sent, call)
    entering = Entering(
        call.commands,
        source.aggregate,
        source.read,
        source.last,
        source.references,
        sent.mapped.source or asked.source or "",
        source.rules,
        asked.preview,
    )
    return entering, source


async def _running(
    register: Register, sent: Sent, entering: Entering | Drawing, source: _Source | None, call: Call
) -> Running:
    running = Running(sent.content, entering, source.head if source else (), source.headings if source else {})
    if entering.preview:
        return running
    said_by = entering.source if isinstance(entering, Entering) else ""
    how = hashlib.sha256(f"{sent.mapped.model_dump_json()}{sent.sheet or ''}{said_by}".encode()).hexdigest()
    await call.commands.caught_up(imports, PATIENCE)
    earlier = await unfinished(call.db, register, sent.digest, how)
    if earlier:
        known, _ = await call.commands.load(IMPORT, earlier)
        entering.since = None if known.ended else Progress(known.line, entering.last, known.tally)
    id_ = earlier if earlier and entering.since else call.new_id()
    begun = ImportBegun(
        import_id=id_,
        into=register.value,
        file=sent.digest,
        mapping=how,
        source=said_by or None,
        lines=entering.last,
        by=call.require_caller(),
        at=call.now,
    )
    running.bringing = Bringing(begun, entering, call.runtime.clock)
    return running


@router.get(
    "/registers/{register}/form",
    power=Powers.KEEP_REGISTERS,
    response_class=StreamingResponse,
    responses={200: {"description": "A workbook with the headings of the register", "content": {XLSX: FILE}}},
)
async def empty_form(register: Annotated[Register, Path()], call: Call) -> Response:
    """The form of a register, to be filled in and imported: headings in Chinese, our own names in comments on them."""
    sheet = SHEETS.get(register)
    if sheet is None:
        raise HttpProblem("not-found", f"{register} are no table: see the registry's README for what to send")
    headers = {"Content-Disposition": f'attachment; filename="{register}.xlsx"'}
    return as_download(form(register, [*sheet.columns, *sheet.optional]), XLSX, headers)


class CountsView(BaseModel):
    """How many of each there are (底数)."""

    grids: int
    addresses: int
    buildings: dict[str, int]
    households: int
    people: dict[str, int]
    units: dict[str, int]


@router.get("/counts", power=Powers.READ_COUNTS, response_model=CountsView)
async def count(call: Call) -> Any:
    """Buildings by kind, people by residency, units by category, and how many of the others."""
    await call.fresh(*COUNTED)
    return await counts(call.db)
