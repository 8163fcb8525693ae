"""To whom a case falls (派遣规则): the grid worker with the least open work; the leader where no worker is in post.

Open cases count one each. Between equals it is who has gone longest without a case, and then the id decides, so that
the same facts always lead to the same choice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.common import Post


@dataclass(frozen=True, slots=True)
class Candidate:
    """Someone in post in the case's grid. `last_case` is when they were last given one, if ever."""

    member: str
    post: Post
    open_cases: int = 0
    last_case: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets it, and why, for people to read."""

    member: str
    why: str


def choose(grid: str, in_post: Iterable[Candidate]) -> Choice | None:
    """Who of those in post gets a case of the grid; None if nobody can."""
    candidates = list(in_post)
    if workers := [candidate for candidate in candidates if candidate.post is Post.GRID_WORKER]:
        chosen = min(workers, key=_least_first)
        count = chosen.open_cases
        return Choice(chosen.member, f"{grid} 在手事件最少（{count} 件） / least open work in {grid}: {_cases(count)}")
    if leaders := [candidate for candidate in candidates if candidate.post is Post.GRID_LEADER]:
        chosen = min(leaders, key=_least_first)
        return Choice(
            chosen.member, f"{grid} 无在岗网格员，由网格长办理 / no grid worker in post in {grid}: the leader"
        )
    return None


def _least_first(candidate: Candidate) -> tuple[int, bool, float, str]:
    last = candidate.last_case
    return (candidate.open_cases, last is not None, last.timestamp() if last else 0.0, candidate.member)


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"
