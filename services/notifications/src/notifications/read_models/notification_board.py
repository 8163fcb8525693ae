"""What became of each notification, for operators: no addresses, no texts. From this service's own events."""

from datetime import datetime
from typing import NamedTuple

from contracts.notifications import (
    NotificationDelayed,
    NotificationDelivered,
    NotificationParked,
    NotificationRequested,
    NotificationResumed,
    NotificationWithdrawn,
)
from events import Batch, Connection, Database, ReadModel, Recorded

from notifications.domain.notification import Stage

notification_board = ReadModel(
    "notification_board",
    version=2,
    tables="""
    create table notification (
        id text primary key,
        occasion text not null,
        channel text not null,
        case_id text not null,
        recipient text not null,
        state text not null,
        attempts integer not null,
        error text,
        requested_at timestamptz not null,
        changed_at timestamptz not null,
        next_attempt timestamptz
    );
    create index notification_newest on notification (requested_at desc, id desc);
    create index notification_by_case on notification (case_id, requested_at desc, id desc);
    create index notification_by_recipient on notification (recipient, requested_at desc, id desc);
    create index notification_by_state on notification (state, requested_at desc, id desc);
    """,
)


class Row(NamedTuple):
    """A notification on the board; all times are the trade's."""

    id: str
    occasion: str
    channel: str
    case: str
    recipient: str
    state: str
    attempts: int
    error: str | None
    requested_at: datetime
    changed_at: datetime
    next_attempt: datetime | None


@notification_board.on(NotificationRequested)
async def requested(db: Connection, events: Batch[NotificationRequested]) -> None:
    await db.execute(
        """insert into notification (id, occasion, channel, case_id, recipient, state, attempts,
                                     requested_at, changed_at, next_attempt)
           select id, occasion, channel, case_id, recipient, $7, 0, send_at, send_at, send_at
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
                as n(id, occasion, channel, case_id, recipient, send_at)""",
        events.column("notification"),
        events.column("occasion"),
        events.column("channel"),
        events.column("case"),
        events.column("recipient"),
        events.column("send_at"),
        Stage.WAITING,
    )


MOVE = """update notification
    set state = $2, attempts = coalesce($3, attempts), error = $4, changed_at = $5, next_attempt = $6 where id = $1"""


@notification_board.each(NotificationDelivered)
async def delivered(db: Connection, event: Recorded[NotificationDelivered]) -> None:
    it = event.data
    await db.execute(MOVE, it.notification, Stage.DELIVERED, it.attempts, None, it.at, None)


@notification_board.each(NotificationDelayed)
async def delayed(db: Connection, event: Recorded[NotificationDelayed]) -> None:
    it = event.data
    await db.execute(MOVE, it.notification, Stage.WAITING, it.attempts, it.error, it.at, it.retry_at)


@notification_board.each(NotificationParked)
async def parked(db: Connection, event: Recorded[NotificationParked]) -> None:
    it = event.data
    await db.execute(MOVE, it.notification, Stage.PARKED, it.attempts, it.error, it.at, None)


@notification_board.each(NotificationResumed)
async def resumed(db: Connection, event: Recorded[NotificationResumed]) -> None:
    it = event.data
    await db.execute(MOVE, it.notification, Stage.WAITING, 0, None, it.at, it.at)


@notification_board.each(NotificationWithdrawn)
async def withdrawn(db: Connection, event: Recorded[NotificationWithdrawn]) -> None:
    it = event.data
    await db.execute(MOVE, it.notification, Stage.WITHDRAWN, None, it.reason, it.at, None)


async def newest(
    db: Database,
    *,
    state: str | None = None,
    channel: str | None = None,
    occasion: str | None = None,
    case: str | None = None,
    recipient: str | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int,
) -> list[Row]:
    """Notifications, newest first, that stand behind `before` (requested_at, id)."""
    rows = await db.fetch(
        """select id, occasion, channel, case_id, recipient, state, attempts, error, requested_at, changed_at,
                  next_attempt
           from notification
           where ($1::text is null or state = $1) and ($2::text is null or channel = $2)
             and ($3::text is null or occasion = $3) and ($4::text is null or case_id = $4)
             and ($5::text is null or recipient = $5)
             and ($6::timestamptz is null or (requested_at, id) < ($6, $7))
           order by requested_at desc, id desc limit $8""",
        state,
        channel,
        occasion,
        case,
        recipient,
        *(before or (None, None)),
        limit,
    )
    return [Row(*row) for row in rows]


async def counts(db: Database) -> dict[tuple[str, str], int]:
    """How many notifications stand where, by (channel, state)."""
    rows = await db.fetch("select channel, state, count(*) from notification group by channel, state")
    return {(row[0], row[1]): row[2] for row in rows}
