"""Who is, or was, in a post: names for the wall. Posts are public functions; e-mail and telephone are not kept here."""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.common import Post
from contracts.registry import MemberAppointed, MemberChanged, MemberDismissed, MemberFacts
from events import Connection, Database, ReadModel, Recorded

members = ReadModel(
    "members",
    tables="""
    create table member (
        id text primary key,
        name text not null,
        post text not null,
        grid text,
        in_post boolean not null
    );
    """,
)

SET = """
insert into member (id, name, post, grid, in_post) values ($1, $2, $3, $4, true)
on conflict (id) do update set name = excluded.name, post = excluded.post, grid = excluded.grid, in_post = true
"""


@dataclass(frozen=True, slots=True)
class Member:
    """Someone on the roster; `in_post` is false after they left, so that their cases keep a name."""

    id: str
    name: str
    post: Post
    grid: str | None
    in_post: bool


@members.each(MemberAppointed)
async def appointed(db: Connection, event: Recorded[MemberAppointed]) -> None:
    await _set(db, event.data)


@members.each(MemberChanged)
async def changed(db: Connection, event: Recorded[MemberChanged]) -> None:
    await _set(db, event.data)


@members.each(MemberDismissed)
async def dismissed(db: Connection, event: Recorded[MemberDismissed]) -> None:
    await db.execute("update member set in_post = false where id = $1", event.data.member)


async def members_for(db: Database, workers: Iterable[str]) -> dict[str, Member]:
    """These workers, and every grid worker in post, by id. Workers that the registry has not told of are left out."""
    rows = await db.fetch(
        """select id, name, post, grid, in_post from member
           where id = any($1) or (in_post and post = $2) order by grid, id""",
        list(workers),
        Post.GRID_WORKER,
    )
    return {row["id"]: Member(row["id"], row["name"], Post(row["post"]), row["grid"], row["in_post"]) for row in rows}


async def _set(db: Connection, member: MemberFacts) -> None:
    await db.execute(SET, member.member, member.name, member.post, member.grid)
