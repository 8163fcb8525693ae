"""Who may do what: what is not granted is forbidden (法无授权不可为).

A token says only who calls; what they may do follows from the power list (权力清单) and the roster. Every route names
the power that it needs. There is no other way in, and nobody passes by the list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.common import Holder, HolderKind, Post, Scope
from contracts.registry import PowerFacts
from events import NotFound

from edge.authority import Lists, PostHolder
from edge.callers import Caller, not_signed_in
from edge.problems import HttpProblem
from edge.rates import Rate

NOWHERE = ""
"""Stands for the grid of what lies in no grid: it is seen by whoever looks after more than their own."""

PROCESS = "process"
"""In a power's place at routes that show nothing but the process itself: health, metrics, its documents. They are on no
list, since they must answer before there is one."""


class OutOfReach(NotFound):
    """There is such a thing, but not for this caller, who is told what they would be if there were none."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A power that the caller holds now, and how far it reaches. `grids` is None where it reaches everywhere."""

    facts: PowerFacts
    post: Post | None
    grids: frozenset[str] | None
    quota: Rate | None = None
    """How often a partner may use it; None where only the rates of all callers count."""

    @property
    def purposes(self) -> Mapping[str, frozenset[str]]:
        """By purpose, the personal fields that may be seen for it."""
        return {it.purpose: frozenset(it.fields) for it in self.facts.purposes}

    def reaches(self, grid: str | None) -> bool:
        """Whether it reaches what lies in this grid (None: in no grid)."""
        return self.grids is None or (grid or NOWHERE) in self.grids

    def require(self, grid: str | None) -> None:
        """Raises OutOfReach for what is out of reach: it is not even said that it exists."""
        if not self.reaches(grid):
            raise OutOfReach("there is no such thing")

    @property
    def sql(self) -> list[str] | None:
        """For `where ($1::text[] is null or coalesce(grid, '') = any($1))`: lists, counts and pages are cut there."""
        return None if self.grids is None else sorted(self.grids)


def granted(lists: Lists, power: str, caller: Caller, at: datetime) -> Grant | None:
    """What the lists give the caller of this power at this moment; None if nothing."""
    facts = lists.powers.get(power)
    if facts is None or not in_force(facts, at):
        return None
    in_post = lists.roster.get(caller.id) if caller.id else None
    held = [holder for holder in facts.holders if _is(holder, caller, in_post)]
    if not held:
        return None
    reach: frozenset[str] | None = frozenset()
    for holder in held:
        further = _grids(holder.scope, in_post, lists.ground)
        reach = None if reach is None or further is None else reach | further
    post = Post(in_post.post) if in_post else None
    quotas = [Rate.parse(holder.quota) for holder in held if holder.quota]
    return Grant(facts, post, reach, max(quotas) if len(quotas) == len(held) else None)


def in_force(facts: PowerFacts, at: datetime) -> bool:
    """Whether the entry counts at this moment."""
    return facts.since <= at and (facts.until is None or at < facts.until)


def refusal(power: str, caller: Caller, lists: Lists) -> HttpProblem:
    """The answer to somebody who has not the power."""
    if not lists.powers:
        return HttpProblem(
            "not-ready",
            "the power list has not arrived here yet; repeat the request in a moment",
            headers={"Retry-After": "1"},
        )
    if caller.id is None:
        return not_signed_in()
    return HttpProblem("not-allowed", f"the power list does not give you {power}: see GET /powers/{power}", power=power)


def _is(holder: Holder, caller: Caller, in_post: PostHolder | None) -> bool:
    match holder.kind:
        case HolderKind.ANYONE:
            return True
        case HolderKind.POST:
            return in_post is not None and holder.name in (in_post.post, *in_post.further_posts)
        case HolderKind.PARTNER:
            return caller.client is not None and caller.client == holder.name


def _grids(scope: Scope, in_post: PostHolder | None, ground: Mapping[str, str | None]) -> frozenset[str] | None:
    """The grids that a scope reaches for whoever is in this post; a partner's reaches all or nothing."""
    if scope is Scope.ALL:
        return None
    if in_post is None:
        return frozenset()
    match scope:
        case Scope.OWN_GRID:
            return in_post.grids
        case Scope.COMMUNITY:
            mine = in_post.division_code or (ground.get(in_post.grid) if in_post.grid else None)
            community = frozenset([NOWHERE, *(grid for grid, division in ground.items() if division == mine)])
            return community | in_post.further_grids
        case Scope.DIVISION:
            mine = _level(in_post.division_code or "")
            return frozenset([NOWHERE, *(it for it, division in ground.items() if (division or "").startswith(mine))])


def _level(code: str) -> str:
    """The part of a division code that all within it share: province, city, county, street, community (GB/T 2260)."""
    return next(code[:digits] for digits in (0, 2, 4, 6, 9, 12) if not code[digits:].strip("0"))
