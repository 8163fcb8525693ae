"""Which partner's system is told of which events, and where. From this service's own events."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from contracts.notifications import SubscriptionEnded, SubscriptionMade
from events import Batch, Connection, Database, ReadModel, Recorded

subscriptions = ReadModel(
    "subscriptions",
    """
    create table subscription (
        id text collate "C" primary key,
        partner text collate "C" not null,
        url text not null,
        types text[] not null,
        made_at timestamptz not null
    );
    create index subscription_of_partner on subscription (partner, id);
    """,
)


class Row(NamedTuple):
    """A subscription that goes on."""

    id: str
    url: str
    types: Sequence[str]
    made_at: datetime


@subscriptions.each(SubscriptionMade)
async def made(db: Connection, event: Recorded[SubscriptionMade]) -> None:
    """Somebody wants to be told."""
    it = event.data
    await db.execute(
        "insert into subscription values ($1, $2, $3, $4, $5)", it.subscription, it.partner, it.url, it.types, it.at
    )


@subscriptions.on(SubscriptionEnded)
async def ended(db: Connection, events: Batch[SubscriptionEnded]) -> None:
    """They do not any more."""
    await db.execute("delete from subscription where id = any($1::text[])", events.column("subscription"))


async def told_of(db: Database, type_name: str) -> list[str]:
    """The ids of those who are told of this type of event."""
    return [row["id"] for row in await db.fetch("select id from subscription where $1 = any(types)", type_name)]


async def of_partner(db: Database, partner: str) -> list[Row]:
    """A partner's subscriptions, by id."""
    rows = await db.fetch("select id, url, types, made_at from subscription where partner = $1 order by id", partner)
    return [Row(*row) for row in rows]
