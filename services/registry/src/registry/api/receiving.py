"""What is sent to be imported: a file as the body, or in a form with its mapping; taken to disk, so that memory stays
small."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, Any, cast

from edge import Call
from edge.mapping import MAX_MAPPING, Mapped
from starlette.datastructures import UploadFile

from registry.importing.mapping import read_mapping
from registry.importing.table import NotATable

BLOCK = 1_048_576


@dataclass
class Sent:
    """A file that was sent. It has no name, and is gone when its content is closed."""

    content: IO[bytes]
    sheet: str | None
    mapped: Mapped = field(default_factory=Mapped)
    digest: str = ""
    """SHA-256 of the content."""


async def receive(call: Call, sheet: str | None) -> Sent:
    """Takes the body to disk. Raises NotATable if the mapping, or the form, is none."""
    sent = Sent(TemporaryFile(), sheet)  # noqa: SIM115  # it ends with the answer
    try:
        await _take(sent, call)
        sent.digest = await asyncio.to_thread(_digest, sent.content)
    except BaseException:
        sent.content.close()
        raise
    return sent


async def _take(sent: Sent, call: Call) -> None:
    request = call.request
    if not request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        async for block in request.stream():
            sent.content.write(block)
        return
    async with request.form(max_files=2, max_fields=2, max_part_size=MAX_MAPPING) as parts:
        file, mapping = parts.get("file"), parts.get("mapping")
        if not isinstance(file, UploadFile):
            raise NotATable("the form has no file: send the parts `file` and `mapping`", "表单中没有 file 部分")
        if isinstance(mapping, UploadFile):
            mapping = await mapping.read(MAX_MAPPING + 1)
        if mapping:
            sent.mapped = read_mapping(mapping)
        while block := await file.read(BLOCK):
            sent.content.write(block)


def _digest(content: IO[bytes]) -> str:
    content.seek(0)
    return hashlib.file_digest(cast("Any", content), "sha256").hexdigest()
