"""The roster: who is in which post (在岗人员), as it hangs on the wall, and who leaves one."""

from contracts.common import Post
from contracts.registry import MemberDismissed, MemberFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel, Field

from registry.api.powers import Powers
from registry.domain.member import MEMBER, Dismiss
from registry.read_models.roster import page, roster

router = Router(tags=["members"])


class MemberRow(BaseModel):
    """Someone in a post."""

    member: str
    name: str
    post: Post
    grid: str | None = Field(description="None for posts that look after the whole community")
    division_code: str | None = Field(description="The division that the post is for, if not the only community")
    further_posts: list[Post]
    further_grids: list[str]
    hours: str = Field(description="When they are on duty: 1-5 09:00-18:00, Monday being 1")
    skills: list[str]
    body: str = Field(description="The body that sends them")
    team: str = Field(description="The joint office (合室办公) or other team that they work in")


class MemberView(BaseModel):
    """Someone who is or was in a post; of those who left only the reference is shown."""

    member: str
    in_post: bool
    name: str | None = None
    post: Post | None = None
    grid: str | None = None


@router.get("/roster", power=Powers.READ_ROSTER)
async def all_members(
    call: Call,
    grid: str | None = None,
    post: Post | None = None,
    team: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[MemberRow]:
    """Everyone in a post, of one grid, post or team if you name it."""
    await call.fresh(roster)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [MemberRow(**row) for row in await page(call.db, grid, post, team, after, limit)]
    return Page[MemberRow].of(rows, limit, lambda row: [row.member])


@router.get("/members/{member}", power=Powers.READ_ROSTER, response_model=MemberView)
async def one_member(member: str, call: Call) -> Response:
    """Someone by their reference, with the ETag that a change needs."""
    return await call.read(MEMBER, member, _view)


@router.post("/members/{member}/dismissal", power=Powers.DISMISS, response_model=MemberView)
async def dismiss(member: str, call: Call) -> Response:
    """They leave their post. Their open work moves on by itself: other services hear of it."""
    return await call.change(MEMBER, member, Dismiss(), view=_view, grid=_grid)


def _grid(known: MemberFacts | MemberDismissed | None) -> str | None:
    return known.grid if isinstance(known, MemberFacts) else None


def _view(known: MemberFacts | MemberDismissed | None, _version: int) -> MemberView:
    match known:
        case MemberFacts():
            return MemberView(member=known.member, in_post=True, name=known.name, post=known.post, grid=known.grid)
        case _:
            assert known is not None  # noqa: S101  # a member with a version has been appointed
            return MemberView(member=known.member, in_post=False)
