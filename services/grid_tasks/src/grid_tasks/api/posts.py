"""Who may call what, by the post (岗位) that they hold. Powers of their own will take this place."""

from contracts.common import Post
from edge import Caller, HttpProblem

LEADING = (Post.GRID_LEADER, Post.GRID_INSTRUCTOR, Post.COMMUNITY_OFFICER)
"""Those who dispatch, and verify what others have done."""


def on_the_roster(caller: Caller) -> bool:
    """Whether the caller holds any post."""
    return caller.post in set(Post)


def require_leading(caller: Caller) -> None:
    """Raises the 403 problem unless the caller's post is one of LEADING."""
    if caller.post not in LEADING:
        raise HttpProblem("not-allowed", f"this is for whoever is {', '.join(LEADING[:-1])} or {LEADING[-1]}")
