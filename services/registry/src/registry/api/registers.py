"""The registers as files: import one (`PUT /registers/people`), the form to fill in, and how many are in them."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Annotated, Any, cast

import orjson
from contracts.registry import ImportBegun
from edge import Call, HttpProblem, Router
from edge.accepting import Language, language_of, media_type_of
from edge.handlers import problem_of
from events import Aggregate, ReadModel
from fastapi import Path, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from registry.api.powers import Powers
from registry.domain.grid import GRID
from registry.domain.imports import IMPORT
from registry.domain.power import POWER
from registry.importing.bringing import Bringing
from registry.importing.entering import Entering, Progress, Refusal, Told
from registry.importing.form import form
from registry.importing.geojson import read_grids
from registry.importing.mapping import MAX_MAPPING, Mapped, read_mapping
from registry.importing.powers import read_powers
from registry.importing.reading import Read, open_file, read_rows, sized
from registry.importing.refused import CSV, MAX_ROWS, WRITERS, XLSX, RefusedRows
from registry.importing.sheets import SHEETS, Reference
from registry.importing.table import NotATable
from registry.importing.telling import done, message, resumed
from registry.read_models.counts import COUNTED, counts
from registry.read_models.grids import grids
from registry.read_models.imports import imports, unfinished

log = logging.getLogger(__name__)
router = Router(tags=["registers"])

MAX_FILE = 1024 * 1024 * 1024
"""Bytes: the people of a city of some millions."""
MAX_WHOLE = 16 * 1024 * 1024
"""Bytes of what is read whole: grids and powers."""
BLOCK = 1_048_576
PATIENCE = 30.0
"""Seconds to wait for the read models that say what exists."""


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


LINES = "application/x-ndjson"
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
class _File:
    """What was sent."""

    content: IO[bytes]
    sheet: str | None
    mapped: Mapped = field(default_factory=Mapped)
    digest: str = ""
    """SHA-256 of the content."""


@dataclass
class _Source:
    """What is to be entered into which register; and what the sender's table looks like."""

    aggregate: Aggregate[Any, Any]
    read: Iterator[Read]
    last: int
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])
    head: Sequence[str] = ()
    headings: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


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
    register: Annotated[Register, Path()],
    call: Call,
    preview: Annotated[
        bool, Query(description="Enter nothing: only tell what would change, and what is wrong")
    ] = False,
    sheet: Annotated[
        str | None, Query(max_length=200, description="The sheet of the workbook; without it the first")
    ] = None,
) -> Response:
    """Enters what a file says: CSV, XLSX, JSON or NDJSON; GeoJSON for grids, a JSON list for powers. Good rows go in,
    each bad one is told with its line.

    A mapping may stand beside the file in a form (`file`, `mapping`). Importing a file again changes nothing; one that
    broke off goes on from where it was. What a file does not mention stays as it is.
    """
    language = language_of(call.request.headers.get("Accept-Language"))
    file = _File(TemporaryFile(), sheet)  # noqa: SIM115  # it has no name, and ends with the answer
    try:
        await _receive(file, call)
        file.digest = await asyncio.to_thread(_digest, file.content)
        source = await _source(register, file, call)
        running = await _running(register, file, source, preview, call)
    except NotATable as error:
        file.content.close()
        raise _refused(register, error) from None
    except BaseException:
        file.content.close()
        raise
    kind = media_type_of(call.request.headers.get("Accept"), (LINES, *WRITERS))
    if kind == LINES:
        return StreamingResponse(
            _told(running, file, language), media_type=LINES, headers=running.headers | {"Content-Language": language}
        )
    return await _as_file(running, file, source, kind, language)


def _refused(register: Register, error: NotATable) -> HttpProblem:
    wrong = {"place": "body", "field": register.value, "message": error.said.en, "message_zh": error.said.zh}
    return HttpProblem("invalid-input", error.said.en, errors=[wrong], message_zh=error.said.zh)


async def _receive(file: _File, call: Call) -> None:
    """Takes the body to disk. Raises NotATable if the mapping, or the form, is none."""
    request = call.request
    if not request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        async for block in request.stream():
            file.content.write(block)
        return
    async with request.form(max_files=2, max_fields=2, max_part_size=MAX_MAPPING) as parts:
        sent, mapping = parts.get("file"), parts.get("mapping")
        if not isinstance(sent, UploadFile):
            raise NotATable("the form has no file: send the parts `file` and `mapping`", "表单中没有 file 部分")
        if isinstance(mapping, UploadFile):
            mapping = await mapping.read(MAX_MAPPING + 1)
        if mapping:
            file.mapped = read_mapping(mapping)
        while block := await sent.read(BLOCK):
            file.content.write(block)


async def _source(register: Register, file: _File, call: Call) -> _Source:
    """What is in the file, when all that it may refer to is there to be seen. Raises NotATable."""
    if register in (Register.GRIDS, Register.POWERS) and file.content.seek(0, 2) > MAX_WHOLE:
        raise HttpProblem("body-too-large", f"{register} are read whole: send at most {MAX_WHOLE >> 20} MiB")
    if register is Register.GRIDS:
        await _caught_up(call, [grids])
        return _Source(GRID, *sized(await read_grids(file.content, call.db)))
    if register is Register.POWERS:
        if not await call.may(Powers.KEEP_POWERS):
            raise HttpProblem("not-allowed", f"the power list does not give you {Powers.KEEP_POWERS}")
        return _Source(POWER, *sized(read_powers(file.content)))
    sheet = SHEETS[register]
    table, plan = await asyncio.to_thread(
        open_file, file.content, register.value, sheet.columns, file.mapped, file.sheet
    )
    needed = [reference.read_model for reference in sheet.references.values()]
    await _caught_up(call, [grids] if register is Register.ADDRESSES else needed)
    rows = read_rows(sheet, table, plan)
    return _Source(sheet.aggregate, rows, table.lines, sheet.references, table.head, plan.headings)


async def _caught_up(call: Call, read_models: Sequence[ReadModel]) -> None:
    for read_model in read_models:
        await call.commands.caught_up(read_model, PATIENCE)


@dataclass
class _Running:
    """An import on its way; or a preview of one, which is not on record."""

    entering: Entering
    bringing: Bringing | None = None

    def run(self) -> AsyncIterator[Told]:
        return (self.bringing or self.entering).run()

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Location": f"/imports/{self.bringing.begun.import_id}"} if self.bringing else {}

    @property
    def last(self) -> Progress:
        return Progress(self.entering.last, self.entering.last, self.entering.tally)

    @property
    def token(self) -> str | None:
        """For what was entered, which other services follow; and for the import, which this one lists."""
        tokens = [self.entering.token, self.bringing and self.bringing.ended]
        return ",".join(str(it) for it in tokens if it) or None


async def _running(register: Register, file: _File, source: _Source, preview: bool, call: Call) -> _Running:
    entering = Entering(call.commands, source.aggregate, source.read, source.last, source.references, preview=preview)
    if preview:
        return _Running(entering)
    how = hashlib.sha256(f"{file.mapped.model_dump_json()}{file.sheet or ''}".encode()).hexdigest()
    await _caught_up(call, [imports])
    earlier = await unfinished(call.db, register, file.digest, how)
    if earlier:
        known, _ = await call.commands.load(IMPORT, earlier)
        entering.since = None if known.ended else Progress(known.line, source.last, known.tally)
    id_ = earlier if earlier and entering.since else call.new_id()
    begun = ImportBegun(
        import_id=id_,
        into=register.value,
        file=file.digest,
        mapping=how,
        source=file.mapped.source,
        lines=source.last,
        by=call.require_caller(),
        at=call.now,
    )
    return _Running(entering, Bringing(begun, entering, call.runtime.clock))


def _digest(content: IO[bytes]) -> str:
    content.seek(0)
    return hashlib.file_digest(cast("Any", content), "sha256").hexdigest()


async def _told(running: _Running, file: _File, language: Language) -> AsyncGenerator[bytes]:
    """The answer. It has begun before the end is known, so a failure is its last line."""
    entering = running.entering
    try:
        if entering.since:
            yield _line(resumed(entering.since))
        async for told in running.run():
            yield _line(message(told, language))
        yield _line(done(running.last, preview=entering.preview) | {"consistency_token": running.token})
    except Exception as error:
        problem = _failed(error)
        yield _line({"failed": {"error": problem.reason, "detail": problem.detail, "rows": entering.tally.rows}})
    finally:
        file.content.close()


_line = partial(orjson.dumps, option=orjson.OPT_APPEND_NEWLINE)


def _failed(error: Exception) -> HttpProblem:
    # The type only: messages of errors may hold what stood in a cell.
    log.error("an import was not ended", extra={"error": type(error).__name__})
    return problem_of(error, {}) or HttpProblem("internal-error", "this is our fault; import the file again")


async def _as_file(running: _Running, file: _File, source: _Source, kind: str, language: Language) -> Response:
    """The rows that were refused, when all have been entered: what broke off must not look as if it were all."""
    if kind == XLSX and source.last > MAX_ROWS:
        file.content.close()
        raise HttpProblem("invalid-input", f"a sheet holds {MAX_ROWS} rows: ask for {CSV}")
    refused = RefusedRows(WRITERS[kind](), source.head, source.headings, language)
    try:
        async for told in running.run():
            if isinstance(told, Refusal):
                refused.add(told)
    except Exception as error:
        raise _failed(error) from None
    finally:
        file.content.close()
    headers = running.headers | {"Content-Language": language}
    if running.token:
        headers["Consistency-Token"] = running.token
    headers["Content-Disposition"] = f'attachment; filename="refused.{"csv" if kind == CSV else "xlsx"}"'
    answer = await asyncio.to_thread(refused.file)
    return StreamingResponse(_blocks(answer), media_type=kind, headers=headers)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block


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
    return StreamingResponse(_blocks(form(register, sheet.columns)), media_type=XLSX, headers=headers)


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
