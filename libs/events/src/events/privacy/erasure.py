"""What is left of somebody in a service's log beside the events, once their key is destroyed, and its removal.

Events stay, and cannot be read. Parked ones are sealed as well, but somebody may yet wait for them; stored answers are
sealed too, where they told of a person; timers hold only names and times. A service removes them when its own event of
the erasure says so. Read models are the service's own: their handlers drop the rows.
"""

from collections.abc import Collection
from typing import NamedTuple

from events import parking
from events.parking import Parked
from events.read_model import Database


class Forgotten(NamedTuple):
    """How much was removed."""

    parked: int
    answers: int
    timers: int


async def forget_all(db: Database, stream: str) -> Forgotten:
    """Removes all that is left of whom or what this stream is about. A second time removes nothing."""
    return await forget(db, [stream], [it.id for it in await parked_of(db, [stream])])


async def parked_of(db: Database, subjects: Collection[str]) -> list[Parked]:
    """What is parked of these persons: events of the streams that they give the name to, and all that holds anything
    sealed for one of them."""
    rows = await db.fetch(
        f"""{parking.SELECT} where stream = any($1) or exists (
                select from unnest($1::text[]) as n(subject)
                where position(convert_to('.' || n.subject || '.', 'UTF8') in data) > 0
            ) order by id""",
        list(subjects),
    )
    return [parking.parked_of(row) for row in rows]


async def forget(db: Database, streams: Collection[str], parked: Collection[int] = ()) -> Forgotten:
    """Removes the stored answers and the timers of these streams, and what is parked under these ids. A second time
    removes nothing."""
    row = await db.fetchrow(
        """with p as (delete from log.parked where id = any($2) returning id),
                a as (delete from log.commands where stream = any($1) returning key),
                t as (delete from log.timers where stream = any($1) returning id)
           select (select count(*) from p), (select count(*) from a), (select count(*) from t)""",
        list(streams),
        list(parked),
    )
    return Forgotten(*(row or ()))
