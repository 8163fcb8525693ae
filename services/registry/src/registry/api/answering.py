"""How an import is answered: line by line as it goes; or, when it has ended, by a file of the rows it has refused."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO

import orjson
from edge import HttpProblem
from edge.accepting import Language
from edge.handlers import problem_of
from fastapi.responses import Response, StreamingResponse

from registry.importing.bringing import Bringing
from registry.importing.drawing import Drawing
from registry.importing.entering import Entering, Progress, Refusal, Told
from registry.importing.refused import CSV, MAX_ROWS, WRITERS, XLSX, RefusedRows
from registry.importing.telling import done, message, resumed

log = logging.getLogger(__name__)

LINES = "application/x-ndjson"
BLOCK = 1_048_576


@dataclass
class Running:
    """An import on its way; or a preview of one, which is not on record."""

    content: IO[bytes]
    """The file; closed at the end."""
    entering: Entering | Drawing
    head: Sequence[str]
    """Of the sender's table."""
    headings: Mapping[str, Sequence[str]]
    """What the sender calls our columns."""
    bringing: Bringing | None = None

    def run(self) -> AsyncIterator[Told]:
        """Enters everything, and tells how it goes."""
        return (self.bringing or self.entering).run()

    def headers(self, language: Language) -> dict[str, str]:
        """Where its counts are, and in what language it is told."""
        where = {"Content-Location": f"/imports/{self.bringing.begun.import_id}"} if self.bringing else {}
        return where | {"Content-Language": language}

    @property
    def last(self) -> Progress:
        """What became of it."""
        return Progress(self.entering.last, self.entering.last, self.entering.tally)

    @property
    def token(self) -> str | None:
        """For what was entered, which other services follow; and for the import, which this one lists."""
        tokens = [self.entering.token, self.bringing and self.bringing.ended]
        return ",".join(str(it) for it in tokens if it) or None


async def answer(running: Running, kind: str, language: Language) -> Response:
    """The answer of this kind."""
    if kind == LINES:
        return StreamingResponse(_told(running, language), media_type=LINES, headers=running.headers(language))
    return await _as_file(running, kind, language)


async def _told(running: Running, language: Language) -> AsyncGenerator[bytes]:
    """It has begun before the end is known, so a failure is its last line."""
    entering = running.entering
    try:
        if entering.since:
            yield _line(resumed(entering.since))
        async for told in running.run():
            yield _line(message(told, language))
        end = done(running.last, preview=entering.preview)
        if isinstance(entering, Entering) and entering.disputed:
            end |= {"disputed": entering.disputed}
        yield _line(end | {"consistency_token": running.token})
    except Exception as error:
        problem = _failed(error)
        yield _line({"failed": {"error": problem.reason, "detail": problem.detail, "rows": entering.tally.rows}})
    finally:
        running.content.close()


_line = partial(orjson.dumps, option=orjson.OPT_APPEND_NEWLINE)


def _failed(error: Exception) -> HttpProblem:
    # The type only: messages of errors may hold what stood in a cell.
    log.error("an import was not ended", extra={"error": type(error).__name__})
    return problem_of(error, {}) or HttpProblem("internal-error", "this is our fault; import the file again")


async def _as_file(running: Running, kind: str, language: Language) -> Response:
    """The rows that were refused, when all have been entered: what broke off must not look as if it were all."""
    if kind == XLSX and running.entering.last > MAX_ROWS:
        running.content.close()
        raise HttpProblem("invalid-input", f"a sheet holds {MAX_ROWS} rows: ask for {CSV}")
    refused = RefusedRows(WRITERS[kind](), running.head, running.headings, language)
    try:
        async for told in running.run():
            if isinstance(told, Refusal):
                refused.add(told)
    except Exception as error:
        raise _failed(error) from None
    finally:
        running.content.close()
    headers = running.headers(language)
    if running.token:
        headers["Consistency-Token"] = running.token
    headers["Content-Disposition"] = f'attachment; filename="refused.{"csv" if kind == CSV else "xlsx"}"'
    return as_download(await asyncio.to_thread(refused.file), kind, headers)


def as_download(file: IO[bytes], kind: str, headers: Mapping[str, str]) -> Response:
    """A file that is there, which is gone when it has been sent."""
    return StreamingResponse(_blocks(file), media_type=kind, headers=headers)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block
