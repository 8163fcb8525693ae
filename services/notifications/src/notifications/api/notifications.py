"""Notifications, as operators see them: metadata only, no address and no text. A parked one can be tried again."""

from datetime import datetime
from typing import Annotated

from contracts.notifications import Channel, Occasion
from edge import Call, Page, Router
from edge.pages import Cursor, Limit, decode_cursor
from fastapi import Query, Response
from pydantic import BaseModel, Field

from notifications.api.powers import Powers
from notifications.domain.notification import NOTIFICATION, Notification, Retry, Stage
from notifications.read_models.notification_board import newest, notification_board

router = Router(prefix="/notifications", tags=["notifications"])

CaseId = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="About this case only")]


class NotificationView(BaseModel):
    """One message to one recipient by one channel, and what became of it. All times are the trade's."""

    id: str
    occasion: Occasion
    channel: Channel
    case: str
    recipient: str = Field(description="A member's id; grid_leader:<grid>; or reporter")
    state: Stage
    attempts: int
    error: str | None = Field(description="Why the last attempt failed, or why nobody is told")
    requested_at: datetime
    next_attempt: datetime | None = Field(description="When it will be sent, if it waits")


def view(state: Notification, version: int) -> NotificationView:
    """The notification as it is now."""
    asked = state.asked
    assert asked is not None, f"a notification at version {version} was requested"  # noqa: S101
    return NotificationView(
        id=asked.notification,
        occasion=asked.occasion,
        channel=asked.channel,
        case=asked.case,
        recipient=asked.recipient,
        state=state.stage,
        attempts=state.attempts,
        error=state.error,
        requested_at=asked.send_at,
        next_attempt=state.next_attempt,
    )


@router.get("", power=Powers.READ)
async def notifications(
    call: Call,
    state: Stage | None = None,
    channel: Channel | None = None,
    occasion: Occasion | None = None,
    case: CaseId = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[NotificationView]:
    """Notifications, newest first: all of them, or those that stand so, or concern this case."""
    await call.fresh(notification_board)
    before = decode_cursor(cursor, datetime, str) if cursor else None
    rows = await newest(
        call.db, state=state, channel=channel, occasion=occasion, case=case, before=before, limit=limit + 1
    )
    items = [NotificationView.model_validate(row._asdict()) for row in rows]
    return Page[NotificationView].of(items, limit, key=lambda it: (it.requested_at, it.id))


@router.get("/{notification}", power=Powers.READ, response_model=NotificationView)
async def notification(notification: str, call: Call) -> Response:
    """One notification, with its ETag."""
    return await call.read(NOTIFICATION, notification, view)


@router.post("/{notification}/retry", power=Powers.RETRY, response_model=NotificationView)
async def retry(notification: str, call: Call) -> Response:
    """Tries a parked one again, at once, with all its attempts."""
    return await call.change(NOTIFICATION, notification, Retry(at=call.now), view=view)
