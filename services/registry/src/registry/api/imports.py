"""What was brought (批量导入): which file into which register, by whom, and what became of its rows."""

from datetime import datetime

from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel, Field

from registry.api.powers import Powers
from registry.domain.imports import IMPORT, Import
from registry.read_models.imports import imports, page

router = Router(prefix="/imports", tags=["registers"])


class ImportView(BaseModel):
    """An import. `registered`, `changed`, `unchanged` and `refused` add up to `rows`."""

    import_id: str
    into: str = Field(description="The register")
    file: str = Field(description="SHA-256 of the file")
    source: str | None = Field(description="Whose file it is, as its mapping says")
    lines: int
    brought_by: str = Field(description="A member of the roster, or a partner's system")
    begun_at: datetime
    rows: int = Field(description="How many of its rows were entered or refused so far")
    registered: int
    changed: int
    unchanged: int
    refused: int
    ended_at: datetime | None = Field(description="None while it goes on, or if it broke off: then send the file again")


@router.get("", power=Powers.KEEP_REGISTERS)
async def all_imports(call: Call, cursor: Cursor = None, limit: Limit = 50) -> Page[ImportView]:
    """What was brought, the latest first."""
    await call.fresh(imports)
    before, id_ = decode_cursor(cursor, datetime, str) if cursor else (None, "")
    rows = [ImportView(**row) for row in await page(call.db, before, id_, limit)]
    return Page[ImportView].of(rows, limit, lambda row: [row.begun_at, row.import_id])


@router.get("/{import_id}", power=Powers.KEEP_REGISTERS, response_model=ImportView)
async def one_import(import_id: str, call: Call) -> Response:
    """How far an import has come, and what became of its rows: they are counted every 5,000 rows, and at the end."""
    return await call.read(IMPORT, import_id, _view)


def _view(it: Import, _version: int) -> ImportView:
    begun, tally = it.begun, it.tally
    assert begun is not None  # noqa: S101  # an import with a version was begun
    return ImportView(
        import_id=begun.import_id,
        into=begun.into,
        file=begun.file,
        source=begun.source,
        lines=begun.lines,
        brought_by=begun.by,
        begun_at=begun.at,
        rows=tally.rows,
        registered=tally.registered,
        changed=tally.changed,
        unchanged=tally.unchanged,
        refused=tally.refused,
        ended_at=it.ended,
    )
