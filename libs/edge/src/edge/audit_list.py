"""GET /audit: what was refused, and which privileged acts were done, in this service."""

from datetime import datetime
from typing import Annotated

from events import ReadModel
from fastapi import Query

from edge.audit import READ, Entry, entries
from edge.call import Call
from edge.moments import Moment
from edge.pages import Cursor, Limit, Page, decode_cursor
from edge.routing import Router

Time = Annotated[Moment | None, Query()]


def router(read_model: ReadModel) -> Router:
    """The operation that shows this read model."""
    made = Router(prefix="/audit", tags=["audit"])

    @made.get("", power=READ)
    async def audit(
        call: Call,
        actor: Annotated[str | None, Query(max_length=200)] = None,
        since: Time = None,
        until: Time = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[Entry]:
        """The audit log: acts that were refused and privileged ones, newest first, by time and by actor."""
        await call.fresh(read_model)
        before = decode_cursor(cursor, datetime, str) if cursor else None
        found = await entries(call.db, actor, since, until, before, limit + 1)
        return Page[Entry].of(found, limit, lambda it: (it.at, it.id))

    return made
