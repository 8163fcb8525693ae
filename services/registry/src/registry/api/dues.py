"""What falls due (到期事项), so that somebody can come by in time."""

from datetime import date, timedelta
from typing import Annotated

from contracts.registry import DueKind
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Query
from pydantic import BaseModel, Field

from registry.api.powers import Powers
from registry.domain.history import day_in_china
from registry.read_models.dues import page
from registry.read_models.people import people
from registry.read_models.territory import territory
from registry.read_models.units import units

router = Router(prefix="/dues", tags=["dues"])


class Due(BaseModel):
    """Something that falls due."""

    kind: DueKind
    of: str = Field(description="The register that it stands in", examples=["people"])
    thing: str = Field(description="Id of the person or unit")
    grid: str | None
    on: date


@router.get("", power=Powers.READ_QUALITY)
async def dues(
    call: Call,
    days: Annotated[int, Query(ge=1, le=366, description="How far ahead")] = 30,
    kind: DueKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[Due]:
    """What falls due in the grids within your reach from today on, the earliest first. Each is an event besides, thirty
    days before."""
    await call.fresh(people, units, territory)
    today = day_in_china(call.now)
    after = decode_cursor(cursor, date, str, str) if cursor else (date.min, "", "")
    rows = await page(call.db, call.grant.sql, today, today + timedelta(days=days), kind, after, limit)
    return Page[Due].of([Due(**row) for row in rows], limit, lambda row: [row.on.isoformat(), row.kind, row.thing])
