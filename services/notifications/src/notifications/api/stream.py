"""Notifications as they are requested, delivered, delayed and parked: a stream for a browser (server-sent events).

Each event's id is its position in this service's store. A browser that was cut off sends the last one it had as
`Last-Event-ID`, and goes on from there without a gap.
"""

from collections.abc import AsyncIterable
from typing import Annotated

from edge import Call, Router
from edge.problems import FieldError, invalid_input
from events import Pool, Position
from events.event import aggregate_of
from events.store import read_after
from fastapi import Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from notifications.api.powers import Powers
from notifications.domain.notification import NOTIFICATION

router = Router(tags=["stream"])

CHUNK = 200
LOOK_AFTER = 1.0
"""Seconds after which to look again, if nobody in this process says that there is something new."""


def position(last_event_id: Annotated[str | None, Header()] = None) -> Position | None:
    """Where the browser was; raises the 422 problem on anything that was no id of this stream."""
    if last_event_id is None:
        return None
    try:
        found = Position.parse(last_event_id)
        if not all(0 <= number < limit for number, limit in zip(found, (2**31, 2**64, 2**63), strict=True)):
            raise ValueError(found)
        return found
    except ValueError:
        wrong = FieldError(place="header", field="Last-Event-ID", message="send back the id of an event of this stream")
        raise invalid_input([wrong]) from None


@router.get("/stream", power=Powers.WATCH, response_class=EventSourceResponse)
async def stream(call: Call, after: Annotated[Position | None, Depends(position)]) -> AsyncIterable[ServerSentEvent]:
    """What happens to notifications from now on, or from `Last-Event-ID`: metadata only. It ends with the power."""
    wake, decode = call.runtime.wake, call.runtime.service.catalogue.decode
    at = after or await _newest(call.db)
    yield ServerSentEvent(comment="listening", id=str(at), retry=2000)
    while await call.still_may():
        seen = wake.count
        raws = await read_after(call.db, at, CHUNK)
        for raw in raws:
            at = raw.position
            if aggregate_of(raw.type) != NOTIFICATION.name:
                continue  # what else the service records is not for everybody
            yield ServerSentEvent(event=raw.type.split(".")[3], id=str(at), data=decode(raw).model_dump(mode="json"))
        if not raws:
            await wake.wait(seen, LOOK_AFTER)


async def _newest(db: Pool) -> Position:
    row = await db.fetchrow(
        """select incarnation, tx, position from log.events
           order by incarnation desc, tx desc, position desc limit 1"""
    )
    return Position(*row) if row else Position(0, 0, 0)
