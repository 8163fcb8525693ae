"""Who was erased (删除), on which ground, and which services have said that they hold nothing of them any more."""

from typing import Any

from contracts import assessment, erasure, grid_tasks, notifications, registry
from contracts.registry import PersonErased
from events import Batch, Connection, Database, ReadModel
from events.event import service_of

SERVICES = {
    service_of(it.type_name): it
    for it in (
        registry.ErasureConfirmed,
        grid_tasks.ErasureConfirmed,
        assessment.ErasureConfirmed,
        notifications.ErasureConfirmed,
    )
}
"""Who is to confirm an erasure, by name, with their events of it."""

erasures = ReadModel(
    "erasures",
    tables="""
    create table erasure (
        person text collate "C" primary key,
        ground text not null,
        at timestamptz not null
    );
    create table confirmation (
        person text collate "C" not null,
        service text not null,
        parked int not null,
        answers int not null,
        timers int not null,
        at timestamptz not null,
        primary key (person, service)
    );
    """,
)


@erasures.on(PersonErased)
async def erased(db: Connection, events: Batch[PersonErased]) -> None:
    """Somebody is to be forgotten."""
    await db.execute(
        "insert into erasure (person, ground, at) select * from unnest($1::text[], $2::text[], $3::timestamptz[])",
        *map(events.column, ("person", "ground", "at")),
    )


async def confirmed(db: Connection, events: Batch[erasure.ErasureConfirmed]) -> None:
    """A service has forgotten them."""
    await db.execute(
        """insert into confirmation (service, person, parked, answers, timers, at)
           select $1, * from unnest($2::text[], $3::int[], $4::int[], $5::int[], $6::timestamptz[])""",
        service_of(events.cls.type_name),
        *map(events.column, ("person", "parked", "answers", "timers", "at")),
    )


for _cls in SERVICES.values():
    erasures.on(_cls)(confirmed)


async def report(db: Database, person: str) -> tuple[Any, list[Any]] | None:
    """The erasure of this person and its confirmations; None if they were not erased."""
    row = await db.fetchrow("select person, ground, at from erasure where person = $1", person)
    if row is None:
        return None
    return row, await db.fetch(
        "select service, parked, answers, timers, at from confirmation where person = $1 order by service", person
    )
