"""Who is in post (在岗) where, for what department, with which skills, and who is on leave: from the registry's roster.
Names and contacts are not kept here."""

from collections.abc import Sequence

from contracts.common import Post
from contracts.registry import MemberAppointed, MemberChanged, MemberDismissed, Training
from events import Batch, Connection, Database, ReadModel

from grid_tasks.read_models.arrays import array_of

workers = ReadModel(
    "workers",
    version=2,
    tables="""
    create table member (
        member text collate "C" primary key,
        post text not null,
        grid text,
        body text not null,
        skills text[] not null,
        trained text[] not null, -- courses, and in trained_on the day of each
        trained_on date[] not null,
        hours text not null,
        on_leave_since date,
        on_leave_until date
    );
    create table in_post ( -- also the further posts and grids of whoever has several
        member text collate "C" not null,
        post text not null,
        grid text,
        body text not null,
        unique nulls not distinct (member, post, grid)
    );
    create index in_post_grid on in_post (grid, post);
    create index in_post_body on in_post (body) where post = 'department_liaison';
    """,
)

HANDLING = (Post.GRID_WORKER, Post.GRID_LEADER)
"""The posts that handle cases: workers, and leaders where no worker is in post."""

ON_LEAVE = """(
    m.on_leave_since is not null and m.on_leave_since <= {0} and (m.on_leave_until is null or {0} <= m.on_leave_until)
)"""
"""Of a `member m`, on a day; as `Candidate.on_leave`."""


@workers.on(MemberAppointed)
async def appointed(db: Connection, events: Batch[MemberAppointed]) -> None:
    await _set(db, events)


@workers.on(MemberChanged)
async def changed(db: Connection, events: Batch[MemberChanged]) -> None:
    await _set(db, events)


@workers.on(MemberDismissed)
async def dismissed(db: Connection, events: Batch[MemberDismissed]) -> None:
    members = events.column("member")
    await db.execute("delete from member where member = any($1)", members)
    await db.execute("delete from in_post where member = any($1)", members)


async def _set(db: Connection, events: Batch[MemberAppointed] | Batch[MemberChanged]) -> None:
    members: list[str] = events.column("member")
    skills: list[Sequence[str]] = events.column("skills")
    trained: list[Sequence[Training]] = events.column("training")
    await db.execute(
        """insert into member (member, post, grid, body, skills, trained, trained_on, hours, on_leave_since,
                               on_leave_until)
           select distinct on (member) member, post, grid, body, skills::text[], trained::text[], trained_on::date[],
                  hours, since, until
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                       $9::date[], $10::date[])
                with ordinality
                as new (member, post, grid, body, skills, trained, trained_on, hours, since, until, place)
           order by member, place desc
           on conflict (member) do update set post = excluded.post, grid = excluded.grid, body = excluded.body,
               skills = excluded.skills, trained = excluded.trained, trained_on = excluded.trained_on,
               hours = excluded.hours, on_leave_since = excluded.on_leave_since,
               on_leave_until = excluded.on_leave_until""",
        members,
        *map(events.column, ("post", "grid", "body")),
        [array_of(it) for it in skills],
        [array_of([course.course for course in it]) for it in trained],
        [array_of([course.on.isoformat() for course in it]) for it in trained],
        *map(events.column, ("hours", "on_leave_since", "on_leave_until")),
    )
    await db.execute("delete from in_post where member = any($1)", members)
    await db.executemany(
        "insert into in_post (member, post, grid, body) values ($1, $2, $3, $4) on conflict do nothing",
        list(dict.fromkeys(_places(events))),
    )


def _places(events: Batch[MemberAppointed] | Batch[MemberChanged]) -> list[tuple[str, str, str | None, str]]:
    """Each post in each grid, by what was told last of a member."""
    latest = {it.data.member: it.data for it in events}
    return [
        (it.member, post, grid, it.body)
        for it in latest.values()
        for post in (it.post, *it.further_posts)
        for grid in (it.grid, *it.further_grids)
    ]


async def grid_for(db: Database, member: str, grid: str, role: Post, body: str) -> str | None:
    """The grid, if this member may handle a case of this kind in it; None otherwise."""
    if body:
        found = await db.fetchval(
            "select exists (select from in_post where member = $1 and post = $2 and body = $3)",
            member,
            Post.DEPARTMENT_LIAISON,
            body,
        )
    else:
        found = await db.fetchval(
            "select exists (select from in_post where member = $1 and grid = $2 and post = any($3))",
            member,
            grid,
            [*HANDLING, role],
        )
    return grid if found else None


async def body_of_liaison(db: Database, member: str) -> str | None:
    """The department that this member speaks for; None if for none."""
    return await db.fetchval(
        "select min(body) from in_post where member = $1 and post = $2 and body <> ''", member, Post.DEPARTMENT_LIAISON
    )


async def is_member(db: Database, member: str) -> bool:
    """Whether this member is in post anywhere."""
    return await db.fetchval("select exists (select from member where member = $1)", member)


async def anybody_of(db: Database, body: str) -> bool:
    """Whether somebody of this department takes cases here."""
    return await db.fetchval(
        "select exists (select from in_post where post = $1 and body = $2)", Post.DEPARTMENT_LIAISON, body
    )
