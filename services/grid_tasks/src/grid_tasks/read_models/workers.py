"""Who is in post (在岗) in which grid, from the registry's roster. Names and contacts are not kept here."""

from contracts.common import Post
from contracts.registry import MemberAppointed, MemberChanged, MemberDismissed
from events import Batch, Connection, Database, ReadModel

workers = ReadModel(
    "workers",
    tables="""
    create table member (
        member text primary key,
        post text not null,
        grid text
    );
    create index member_grid on member (grid, post);
    """,
)

HANDLING = (Post.GRID_WORKER, Post.GRID_LEADER)
"""The posts that handle cases: workers, and leaders where no worker is in post."""


@workers.on(MemberAppointed)
async def appointed(db: Connection, events: Batch[MemberAppointed]) -> None:
    await _set(db, events)


@workers.on(MemberChanged)
async def changed(db: Connection, events: Batch[MemberChanged]) -> None:
    await _set(db, events)


@workers.on(MemberDismissed)
async def dismissed(db: Connection, events: Batch[MemberDismissed]) -> None:
    await db.execute("delete from member where member = any($1)", events.column("member"))


async def _set(db: Connection, events: Batch[MemberAppointed] | Batch[MemberChanged]) -> None:
    await db.execute(
        """insert into member (member, post, grid)
           select distinct on (member) member, post, grid
           from unnest($1::text[], $2::text[], $3::text[]) with ordinality as new (member, post, grid, place)
           order by member, place desc
           on conflict (member) do update set post = excluded.post, grid = excluded.grid""",
        events.column("member"),
        events.column("post"),
        events.column("grid"),
    )


async def grid_of(db: Database, member: str) -> str | None:
    """The grid in which this member handles cases, as worker or leader; None if in none."""
    return await db.fetchval("select grid from member where member = $1 and post = any($2)", member, HANDLING)
