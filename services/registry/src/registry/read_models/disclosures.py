"""Who has seen whom (查阅留痕): for the person concerned, and for whoever looks into a complaint of theirs."""

from datetime import datetime
from typing import Any

from contracts.registry import DisclosureMade
from events import Batch, Connection, Database, ReadModel

disclosures = ReadModel(
    "disclosures",
    tables="""
    create table disclosure (
        id text collate "C" primary key,
        person text collate "C" not null,
        fields text not null,
        purpose text not null,
        seen_by text not null,
        client text,
        trace text,
        at timestamptz not null
    );
    create index disclosure_of_person on disclosure (person, at, id);
    """,
)


@disclosures.on(DisclosureMade)
async def made(db: Connection, events: Batch[DisclosureMade]) -> None:
    """Somebody looked."""
    await db.execute(
        """insert into disclosure (id, person, fields, purpose, seen_by, client, trace, at)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                                $8::timestamptz[])""",
        events.column("disclosure"),
        events.column("person"),
        [" ".join(fields) for fields in events.column("fields")],
        *map(events.column, ("purpose", "by", "client", "trace", "at")),
    )


async def page(db: Database, person: str, before: datetime | None, before_id: str, limit: int) -> list[Any]:
    """Who has seen this person, the latest first: one more than `limit`, if there are more."""
    return await db.fetch(
        """select id as disclosure, string_to_array(fields, ' ') as fields, purpose, seen_by as by, client, trace, at
           from disclosure
           where person = $1 and ($2::timestamptz is null or (at, id) < ($2, $3))
           order by at desc, id desc limit $4 + 1""",
        person,
        before,
        before_id,
        limit,
    )
