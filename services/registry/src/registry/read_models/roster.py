"""Who is in which post (在岗人员), as it hangs on the wall of the community office: no telephone and no e-mail."""

from typing import Any

from contracts.registry import MemberAppointed, MemberChanged, MemberDismissed, MemberFacts
from events import Batch, Connection, Database, ReadModel

roster = ReadModel(
    "roster",
    tables="""
    create table member (
        id text collate "C" primary key,
        name text not null,
        post text not null,
        grid text
    );
    """,
)


async def _put(db: Connection, events: Batch[MemberFacts]) -> None:
    await db.execute(
        """insert into member (id, name, post, grid)
           select distinct on (id) id, name, post, grid
           from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as m(id, name, post, grid, nth)
           order by id, nth desc
           on conflict (id) do update set name = excluded.name, post = excluded.post, grid = excluded.grid""",
        *map(events.column, ("member", "name", "post", "grid")),
    )


@roster.on(MemberAppointed)
async def appointed(db: Connection, events: Batch[MemberAppointed]) -> None:
    """Someone takes up a post."""
    await _put(db, events)


@roster.on(MemberChanged)
async def changed(db: Connection, events: Batch[MemberChanged]) -> None:
    """They have another post or grid."""
    await _put(db, events)


@roster.on(MemberDismissed)
async def dismissed(db: Connection, events: Batch[MemberDismissed]) -> None:
    """They have left it."""
    await db.execute("delete from member where id = any($1::text[])", events.column("member"))


async def page(db: Database, grid: str | None, post: str | None, after: str, limit: int) -> list[Any]:
    """Members by reference, of one grid or post if it is named: one more than `limit`, if there are more."""
    return await db.fetch(
        """select id as member, name, post, grid from member
           where ($1::text is null or grid = $1) and ($2::text is null or post = $2) and id > $3
           order by id limit $4 + 1""",
        grid,
        post,
        after,
        limit,
    )
