"""The day, in China, on which each event was taken, and until when a thing counts as confirmed."""

from datetime import date
from typing import Any

from events import Batch, Connection

from registry.domain.history import day_in_china


def days(events: Batch[Any]) -> list[date]:
    """One for each event."""
    return [day_in_china(raw.recorded_at) for raw in events.raws]


async def confirm(db: Connection, table: str, ids: list[str], events: Batch[Any]) -> None:
    """Whoever says the same of a thing makes it as fresh as that day."""
    await db.execute(
        f"""update {table} t set confirmed_on = greatest(t.confirmed_on, c.day)
            from unnest($1::text[], $2::date[]) as c(id, day) where t.id = c.id""",  # noqa: S608
        ids,
        days(events),
    )
