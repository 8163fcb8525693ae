"""The registers as files: import one (`PUT /registers/people`), and count what is in them."""

import logging
from collections.abc import AsyncGenerator, Sequence
from datetime import date
from enum import StrEnum
from tempfile import TemporaryFile
from typing import IO, Annotated, Any, Literal

import orjson
from edge import Call, HttpProblem, Router
from edge.handlers import problem_of
from events import ReadModel
from fastapi import Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from registry.api.powers import Powers
from registry.domain.power import POWER
from registry.domain.source_rules import SOURCE_RULES
from registry.importing.drawing import Drawing
from registry.importing.entering import Entering, read_rows, sized
from registry.importing.geojson import read_grids
from registry.importing.places import WRITTEN
from registry.importing.powers import read_powers
from registry.importing.sheets import SHEETS
from registry.importing.table import NotATable, open_table
from registry.read_models.address_names import address_names
from registry.read_models.counts import COUNTED, counts
from registry.read_models.territory import territory

log = logging.getLogger(__name__)
router = Router(tags=["registers"])

MAX_FILE = 16 * 1024 * 1024
"""Bytes: a file of some 130,000 people. Import a city's registers community by community."""
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


class DrawingQuery(BaseModel):
    """Who says what stands in the file; and, of grids alone, how they are drawn."""

    model_config = ConfigDict(extra="forbid")

    whole: bool = Field(False, description="The file has all grids of its communities: the others are given up")
    gaps: Literal["refused", "allowed"] = Field("refused", description="Whether ground may be left out")
    since: date | None = Field(None, description="The day from which it holds; else today")
    source: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,63})?$")] = Field(
        "", description="Who says what stands in the file: a system's name. Where sources differ, GET /source-rules"
    )


MEDIA_TYPES = ("text/csv", "application/geo+json", "application/json")
FILE = {"schema": {"type": "string", "format": "binary"}}


@router.put(
    "/registers/{register}",
    power=Powers.KEEP_REGISTERS,
    max_body_size=MAX_FILE,
    response_class=StreamingResponse,
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(MEDIA_TYPES, FILE)}},
    responses={
        200: {
            "description": "How it goes, line by line: `progress`, a line for each bad row, at the end `done` with the "
            "`consistency_token` to read what was written; or `failed` if it could not be ended: import it again then",
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        }
    },
)
async def import_register(
    register: Annotated[Register, Path()], call: Call, drawing: Annotated[DrawingQuery, Query()]
) -> StreamingResponse:
    """Enters what a file says: CSV, GeoJSON for grids, JSON for powers. Good rows go in, each bad one is told with
    its line.

    Importing a file again changes nothing. What a file does not mention stays as it is.
    """
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115  # it has no name, and ends with the answer
    try:
        async for block in call.request.stream():
            file.write(block)
        entering = await _entering(register, file, call, drawing)
    except NotATable as error:
        file.close()
        wrong = {"place": "body", "field": register.value, "message": str(error)}
        raise HttpProblem("invalid-input", str(error), errors=[wrong]) from None
    except BaseException:
        file.close()
        raise
    return StreamingResponse(_told(entering, file), media_type="application/x-ndjson")


async def _entering(register: Register, file: IO[bytes], call: Call, drawing: DrawingQuery) -> Entering | Drawing:
    if register is Register.GRIDS:
        await _caught_up(call, [territory])
        return Drawing(call.commands, read_grids(file), drawing.whole, drawing.gaps == "allowed", drawing.since)
    if register is Register.POWERS:
        if not await call.may(Powers.KEEP_POWERS):
            raise HttpProblem("not-allowed", f"the power list does not give you {Powers.KEEP_POWERS}")
        read, last = sized(read_powers(file))
        return Entering(call.commands, POWER, read, last)
    sheet = SHEETS[register]
    table = open_table(file, sheet.columns)
    needed = [reference.read_model for reference in sheet.references.values()]
    if WRITTEN in table.columns:
        needed.append(address_names)
    await _caught_up(call, [territory, address_names] if register is Register.ADDRESSES else needed)
    rules, _ = await call.commands.load(SOURCE_RULES, register)
    return Entering(
        call.commands,
        sheet.aggregate,
        read_rows(sheet, table),
        table.lines,
        sheet.references,
        drawing.source,
        rules,
    )


async def _caught_up(call: Call, read_models: Sequence[ReadModel]) -> None:
    for read_model in read_models:
        await call.commands.caught_up(read_model, PATIENCE)


async def _told(entering: Entering | Drawing, file: IO[bytes]) -> AsyncGenerator[bytes]:
    """The answer. It has begun before the end is known, so a failure is its last line."""
    try:
        async for line in entering.run():
            yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except Exception as error:
        # The type only: messages of errors may hold what stood in a cell.
        log.error("an import was not ended", extra={"error": type(error).__name__})
        problem = problem_of(error, {}) or HttpProblem("internal-error", "this is our fault; import the file again")
        yield orjson.dumps(
            {"failed": {"error": problem.reason, "detail": problem.detail, "rows": entering.tally.rows}},
            option=orjson.OPT_APPEND_NEWLINE,
        )
    finally:
        file.close()


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
