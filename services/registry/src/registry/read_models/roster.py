"""Who is in which post (在岗人员), as it hangs on the wall of the community office: no telephone and no e-mail, and
neither who is on leave nor which courses anybody took."""

from typing import Any

from contracts.registry import MemberAppointed, MemberChanged, MemberDismissed, MemberFacts
from events import Batch, Connection, Database, ReadModel, Recorded

roster = ReadModel(
    "roster",
    version=2,
    tables="""
    create table member (
        id text collate "C" primary key,
        name text not null,
        post text not null,
        grid text,
        division_code text,
        further_posts text[] not null,
        further_grids text[] not null,
        hours text not null,
        skills text[] not null,
        body text not null,
        team text not null
    );
    """,
)


async def _put(db: Connection, facts: MemberFacts) -> None:
    await db.execute(
        """insert into member values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           on conflict (id) do update set name = excluded.name, post = excluded.post, grid = excluded.grid,
               division_code = excluded.division_code, further_posts = excluded.further_posts,
               further_grids = excluded.further_grids, hours = excluded.hours, skills = excluded.skills,
               body = excluded.body, team = excluded.team""",
        facts.member,
        facts.name,
        facts.post,
        facts.grid,
        facts.division_code,
        facts.further_posts,
        facts.further_grids,
        facts.hours,
        facts.skills,
        facts.body,
        facts.team,
    )


@roster.each(MemberAppointed)
async def appointed(db: Connection, event: Recorded[MemberAppointed]) -> None:
    """Someone takes up a post."""
    await _put(db, event.data)


@roster.each(MemberChanged)
async def changed(db: Connection, event: Recorded[MemberChanged]) -> None:
    """They have another post or grid."""
    await _put(db, event.data)


@roster.on(MemberDismissed)
async def dismissed(db: Connection, events: Batch[MemberDismissed]) -> None:
    """They have left it."""
    await db.execute("delete from member where id = any($1::text[])", events.column("member"))


async def page(db: Database, grid: str | None, post: str | None, team: str | None, after: str, limit: int) -> list[Any]:
    """Members by reference, of one grid, post or team if it is named, also of those that they have besides: one more
    than `limit`, if there are more."""
    return await db.fetch(
        """select id as member, name, post, grid, division_code, further_posts, further_grids, hours, skills, body, team
           from member
           where ($1::text is null or grid = $1 or $1 = any(further_grids))
                 and ($2::text is null or post = $2 or $2 = any(further_posts))
                 and ($3::text is null or team = $3) and id > $4
           order by id limit $5 + 1""",
        grid,
        post,
        team,
        after,
        limit,
    )
