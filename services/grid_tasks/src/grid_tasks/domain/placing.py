"""To whom a case falls (派遣规则): of those who may, who can and who are there, the one with the least in hand.

Each question narrows the circle, and the answer says by how much: who may (post and grid, or the department's liaison),
who can (skills, or training in date), who is there (hours, leave), who has least to do (open cases weighed by the duty
list). Where nobody is there at the moment their hours do not count: somebody has it when they come. Where nobody can,
it is the leader's. Between equals it is who has gone longest without a case, and then the id decides, so that the same
facts always lead to the same choice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from contracts.common import Post

from grid_tasks.domain.hours import shifts, within
from grid_tasks.domain.working_time import CHINA

TRAINED_FOR = timedelta(days=2 * 365)
"""How long a training counts."""


@dataclass(frozen=True, slots=True)
class Needed:
    """What a case asks of who handles it. With a `body` it is that department's."""

    grid: str
    role: Post = Post.GRID_WORKER
    body: str = ""
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Someone who may have it. `load` is what they have in hand, weighed; `last_case` when they were last given one, if
    ever; `hours` when they are on duty, as the roster writes it (`domain/hours.py`)."""

    member: str
    post: Post
    open_cases: int = 0
    load: int = 0
    last_case: datetime | None = None
    skills: frozenset[str] = frozenset()
    training: Mapping[str, date] = field(default_factory=dict[str, date])
    hours: str = ""
    on_leave_since: date | None = None
    on_leave_until: date | None = None

    def can(self, skills: Sequence[str], today: date) -> bool:
        """Whether they have the skills, or were trained in them not too long ago."""
        trained = {course for course, on in self.training.items() if on >= today - TRAINED_FOR}
        return set(skills) <= self.skills | trained

    def on_leave(self, today: date) -> bool:
        """Through the last day that is named."""
        since, until = self.on_leave_since, self.on_leave_until
        return since is not None and since <= today and (until is None or today <= until)

    def on_duty(self, now: datetime) -> bool:
        """Whether it is within their hours; always, where none are written down."""
        found = shifts(self.hours)
        return not found or within(found, now)


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets it, and why, for people to read."""

    member: str
    why: str


def choose(needed: Needed, in_post: Iterable[Candidate], now: datetime) -> Choice | None:
    """Who of those in post gets the case; None if nobody can have it."""
    candidates = list(in_post)
    role = Post.DEPARTMENT_LIAISON if needed.body else needed.role
    whose = needed.body or needed.grid
    if chosen := _narrowed(needed, whose, [it for it in candidates if it.post is role], now):
        return chosen
    if leaders := [it for it in candidates if it.post is Post.GRID_LEADER and not needed.body]:
        today = now.astimezone(CHINA).date()
        chosen_one = min([it for it in leaders if not it.on_leave(today)] or leaders, key=_least_first)
        return Choice(
            chosen_one.member,
            f"{whose} 无合适的在岗人员，由网格长办理 / nobody in {whose} is in post, able and there: the leader",
        )
    return None


@dataclass(slots=True)
class Spreading:
    """Several cases that are given out one after another: who gets one has more in hand for the next, before anybody
    else can know of it."""

    now: datetime
    _given: dict[str, list[int]] = field(default_factory=dict[str, list[int]], init=False)

    def choose(self, needed: Needed, weight: int, in_post: Iterable[Candidate]) -> Choice | None:
        """As `choose`. `in_post` is as it was before the first one, `weight` what the case weighs."""
        choice = choose(needed, map(self._as_now, in_post), self.now)
        if choice:
            self._given.setdefault(choice.member, []).append(weight)
        return choice

    def _as_now(self, candidate: Candidate) -> Candidate:
        given = self._given.get(candidate.member)
        if not given:
            return candidate
        count, load = candidate.open_cases + len(given), candidate.load + sum(given)
        return replace(candidate, open_cases=count, load=load, last_case=self.now)


def _narrowed(needed: Needed, whose: str, may: Sequence[Candidate], now: datetime) -> Choice | None:
    today = now.astimezone(CHINA).date()
    can = [it for it in may if it.can(needed.skills, today)]
    there = [it for it in can if not it.on_leave(today)]
    if not there:
        return None
    circle = [it for it in there if it.on_duty(now)] or there
    chosen = min(circle, key=_least_first)
    zh = [f"{whose} 在岗 {len(may)} 人"]
    en = [f"{len(may)} in post in {whose}"]
    if needed.skills:
        zh.append(f"具备技能（{'、'.join(needed.skills)}）{len(can)} 人")
        en.append(f"{len(can)} able ({', '.join(needed.skills)})")
    if len(circle) < len(can):
        zh.append(f"当班 {len(circle)} 人")
        en.append(f"{len(circle)} there")
    zh.append(f"在手最少（{chosen.open_cases} 件）")
    en.append(f"least open work: {_cases(chosen.open_cases)}")
    return Choice(chosen.member, f"{'，'.join(zh)} / {', '.join(en)}")


def _least_first(candidate: Candidate) -> tuple[int, bool, float, str]:
    last = candidate.last_case
    return (candidate.load, last is not None, last.timestamp() if last else 0.0, candidate.member)


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count} cases"
