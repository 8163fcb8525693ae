"""Who has seen whom in the open (查阅留痕)."""

from collections.abc import Iterable
from datetime import datetime

from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from edge.problems import current_trace_id
from pydantic import BaseModel, Field

from registry.api.powers import Powers
from registry.domain.disclosure import DISCLOSURE, Disclose
from registry.read_models.disclosures import disclosures, page
from registry.read_models.people import grid_of

router = Router(prefix="/people", tags=["people"])


class DisclosureView(BaseModel):
    """Who has seen somebody in the open."""

    disclosure: str
    by: str = Field(description="A member of the roster, or a partner's system")
    client: str | None = Field(description="The partner's system, if it called by itself")
    fields: list[str]
    purpose: str
    trace: str | None
    at: datetime


@router.get("/{person}/disclosures", power=Powers.READ_DISCLOSURES)
async def all_disclosures(person: str, call: Call, cursor: Cursor = None, limit: Limit = 50) -> Page[DisclosureView]:
    """Who has seen this person in the open, when and for what, the latest first (个人信息保护法第四十五条)."""
    await call.fresh(disclosures)
    call.grant.require(await grid_of(call.db, person))
    before, id_ = decode_cursor(cursor, datetime, str) if cursor else (None, "")
    rows = [DisclosureView(**row) for row in await page(call.db, person, before, id_, limit)]
    return Page[DisclosureView].of(rows, limit, lambda row: [row.at, row.disclosure])


async def on_record(call: Call, person: str, fields: Iterable[str], purpose: str) -> dict[str, str]:
    """Puts on record that the caller is to see these fields. Call it before you answer; returns headers for the answer:
    with its Consistency-Token, `all_disclosures` tells of it at once."""
    id_, who = call.new_id(), call.require_caller()
    disclose = Disclose(id_, person, tuple(fields), purpose, who, call.caller.client, current_trace_id(), call.now)
    done = await call.commands.execute(DISCLOSURE, id_, disclose, new=True)
    return {"Consistency-Token": str(done.token)}
