"""The roster (队伍名册): police, and for each grid an instructor, a leader and three workers.

They are not listed among the residents: where somebody lives is no business of the roster.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from faker import Faker

from generator.streets import GRIDS

POSTS = (
    *(("community_officer", "officer", None),) * 2,
    ("auxiliary", "auxiliary", None),
    *(
        post
        for grid in GRIDS
        for post in (
            ("grid_instructor", "grid-instructor", grid.code),
            ("grid_leader", "grid-leader", grid.code),
            *(("grid_worker", "grid-worker", grid.code),) * 3,
        )
    ),
)
"""Post, the beginning of the reference, and the grid; no grid means the whole community."""


class Member(NamedTuple):
    """A row of `roster.csv`."""

    member_ref: str
    name: str
    post: str
    grid_code: str | None
    email: str
    phone: str


def appoint(seed: int, phones: Iterator[str]) -> list[Member]:
    """Fill every post. Mail goes to example.org, which reaches nobody (RFC 2606)."""
    names = Faker("zh_CN")
    names.seed_instance(f"{seed}/roster")
    places: Counter[str] = Counter()
    members: list[Member] = []
    for post, title, grid in POSTS:
        places[post] += 1
        ref = f"{title}-{places[post]}"
        members.append(Member(ref, names.name(), post, grid, f"{ref}@example.org", next(phones)))
    return members
