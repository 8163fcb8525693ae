"""Who of a grid's workers gets a visit (走访分配): who comes to that building anyway, as long as they have not clearly
more than the others; else who has the fewest. So the rounds stay short, and nobody carries the grid."""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.common import Post

MORE_THAN_OTHERS = 5
"""So many visits more than who has the fewest somebody may have, for the sake of a building."""


@dataclass(frozen=True, slots=True)
class Sharer:
    """Someone in post in the grid, and what they have: visits, and whether one of them is in this building."""

    member: str
    post: Post
    open_visits: int
    there_anyway: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """Who gets it, and why, for people to read."""

    member: str
    why: str


def whose(sharers: Iterable[Sharer], *, for_leader: bool = False) -> Share | None:
    """Who of these gets a visit; None if nobody can have it. Workers before leaders, but for what is the leader's; of
    equals it is who comes first by id."""
    everybody = list(sharers)
    wanted = Post.GRID_LEADER if for_leader else Post.GRID_WORKER
    circle = [it for it in everybody if it.post is wanted] or everybody
    if not circle:
        return None
    fewest = min(circle, key=lambda it: (it.open_visits, it.member))
    near = [it for it in circle if it.there_anyway and it.open_visits < fewest.open_visits + MORE_THAN_OTHERS]
    if near:
        chosen = min(near, key=lambda it: (it.open_visits, it.member))
        return Share(chosen.member, "本就要去该楼 / comes to this building anyway")
    if for_leader and fewest.post is Post.GRID_LEADER:
        return Share(fewest.member, "多次无人在家，由网格长走访 / nobody home too often: the leader's")
    return Share(fewest.member, f"待走访最少（{fewest.open_visits} 户） / fewest open visits: {fewest.open_visits}")
