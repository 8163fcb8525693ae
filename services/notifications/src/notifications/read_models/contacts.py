"""How to reach members of the roster (在岗人员), from the registry's events.

Someone who was dismissed stays as a row without address, so that "not heard of yet" and "has left" are told apart.
"""

from typing import NamedTuple

from contracts.common import Post
from contracts.registry import MemberAppointed, MemberChanged, MemberDismissed
from events import Batch, Connection, Database, ReadModel

contacts = ReadModel(
    "contacts",
    personal=True,
    tables="""
    create table contact (
        member text primary key,
        post text not null,
        grid text,
        email text not null,
        dismissed boolean not null
    );
    create index contact_post on contact (grid, post) where not dismissed;
    """,
)


class Contact(NamedTuple):
    """A member, and the e-mail address if there is one. `dismissed`: not to be told anything any more."""

    member: str
    email: str
    dismissed: bool


async def _enter(db: Connection, events: Batch[MemberAppointed] | Batch[MemberChanged]) -> None:
    await db.execute(
        """insert into contact (member, post, grid, email, dismissed)
           select distinct on (member) member, post, grid, email, false
           from unnest($1::text[], $2::text[], $3::text[], $4::text[])
                with ordinality as n(member, post, grid, email, place)
           order by member, place desc
           on conflict (member) do update
           set post = excluded.post, grid = excluded.grid, email = excluded.email, dismissed = false""",
        events.column("member"),
        events.column("post"),
        events.column("grid"),
        events.column("email"),
    )


@contacts.on(MemberAppointed)
async def appointed(db: Connection, events: Batch[MemberAppointed]) -> None:
    await _enter(db, events)


@contacts.on(MemberChanged)
async def changed(db: Connection, events: Batch[MemberChanged]) -> None:
    await _enter(db, events)


@contacts.on(MemberDismissed)
async def dismissed(db: Connection, events: Batch[MemberDismissed]) -> None:
    await db.execute(
        "update contact set dismissed = true, email = '' where member = any($1)",
        events.column("member"),
    )


async def member(db: Database, id: str) -> Contact | None:
    """The member of this id, also when dismissed; None if nobody has been heard of by it yet."""
    row = await db.fetchrow("select member, email, dismissed from contact where member = $1", id)
    return Contact(*row) if row else None


async def whoever(db: Database, post: Post, grid: str) -> Contact | None:
    """Who is in this post for the grid now, or for the whole community; None if nobody is known to be. In a hand-over
    with two, the first by id."""
    row = await db.fetchrow(
        """select member, email, dismissed from contact
           where (grid = $1 or (grid is null and $2 <> $3)) and post = $2 and not dismissed
           order by grid nulls last, member limit 1""",
        grid,
        post,
        Post.GRID_LEADER,
    )
    return Contact(*row) if row else None
