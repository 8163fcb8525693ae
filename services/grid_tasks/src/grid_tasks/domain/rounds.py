"""A worker's rounds (走访路线): which of their open visits on which day, in which order, at what time, and why.

Grouped by building, short on foot (`walking`), only when people can be met (`meeting`), what is due first. A day has at
most `A_DAY` of it. What the worker has changed counts before all: a visit put on a day is on that day, an own order is
kept within the hours in which people can be met. Pure: the same visits give the same rounds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from math import ceil

from contracts.common import Place
from contracts.visits import PartOfWeek, VisitKind

from grid_tasks.domain.hours import Window
from grid_tasks.domain.meeting import WALKING, at_another_time, said, windows
from grid_tasks.domain.walking import metres, short_way
from grid_tasks.domain.working_time import Calendar

A_DAY = 240
"""Minutes of a day for visits, with the ways between them: a worker has cases besides."""
A_VISIT = 10
"""Minutes for one visit."""
METRES_A_MINUTE = 70
"""On foot, 4.2 km an hour."""
DETOUR = 1.3
"""How much longer the way is than the line: what is usual in built-up areas."""
PASSED_OVER = 8
"""So many may not fit in before a session of a day counts as full."""
FAR = date.max


@dataclass(frozen=True, slots=True)
class Task:
    """An open visit of a worker, with what is known of where and when."""

    visit: str
    kind: VisitKind
    of: str
    site: str | None
    place: Place | None
    hours: str
    planned_at: datetime
    until: date | None = None
    tried: tuple[PartOfWeek, ...] = ()
    not_before: date | None = None
    put_on: date | None = None


@dataclass(frozen=True, slots=True)
class Knock:
    """A visit in a round: at what time (minutes after midnight), and why then."""

    visit: str
    kind: VisitKind
    at: int
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A building in a round. `metres` on foot from the one before."""

    site: str
    place: Place
    metres: int
    knocks: tuple[Knock, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """A day's way."""

    day: date
    stops: tuple[Stop, ...] = ()
    minutes: int = 0
    """On the way and at doors; without waiting."""

    @property
    def visits(self) -> list[str]:
        """Those in it, first to last."""
        return [knock.visit for stop in self.stops for knock in stop.knocks]


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A visit that is in none of the rounds, and why."""

    visit: str
    why: str


@dataclass(frozen=True, slots=True)
class Rounds:
    """All days that were asked for, and what none of them has."""

    days: Mapping[date, Round]
    unplanned: tuple[Unplanned, ...]


@dataclass(frozen=True, slots=True)
class _Open:
    """A visit that can be made on the day in hand, in these windows."""

    task: Task
    windows: tuple[Window, ...]

    def within(self, session: Window) -> Window | None:
        """The window in this session of the day, if it is long enough."""
        return next(
            (
                it
                for it in self.windows
                if session.opens <= it.opens and it.closes <= session.closes and it.closes - it.opens >= A_VISIT
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class _Way:
    """How a session of a day goes."""

    stops: tuple[Stop, ...] = ()
    minutes: int = 0


@dataclass
class _Day:
    """A day as it fills."""

    day: date
    own: Mapping[str, int]
    """Places in the worker's own order, by visit."""
    stops: list[Stop] = field(default_factory=list[Stop])
    minutes: int = 0


def plan(
    tasks: Iterable[Task], days: Sequence[date], calendar: Calendar, own: Mapping[date, Sequence[str]] | None = None
) -> Rounds:
    """The rounds of these days, first to last; each visit is in one of them, or among the unplanned. `own` is the order
    that the worker gave a day."""
    left = sorted(tasks, key=_urgency)
    found: dict[date, Round] = {}
    for day in days:
        found[day] = _round(left, day, calendar, (own or {}).get(day, ()))
        made = set(found[day].visits)
        left = [it for it in left if it.visit not in made]
    return Rounds(found, tuple(Unplanned(it.visit, _why_not(it, days, calendar)) for it in left))


def _urgency(task: Task) -> tuple[bool, date, datetime, str]:
    """What the worker has put on a day first, then what is due first, then what waits longest."""
    return (task.put_on is None, task.until or FAR, task.planned_at, task.visit)


def _round(tasks: Sequence[Task], day: date, calendar: Calendar, own: Sequence[str]) -> Round:
    filling = _Day(day, {visit: nth for nth, visit in enumerate(own)})
    open_ = [_Open(it, _windows(it, day, calendar)) for it in tasks if _may_be_on(it, day)]
    for session in WALKING:
        fitting = [it for it in open_ if it.within(session)]
        if not fitting:
            continue
        way = _session(fitting, session, A_DAY - filling.minutes, filling.own)
        filling.stops += way.stops
        filling.minutes += way.minutes
        made = {knock.visit for stop in way.stops for knock in stop.knocks}
        open_ = [it for it in open_ if it.task.visit not in made]
    return Round(day, tuple(filling.stops), filling.minutes)


def _may_be_on(task: Task, day: date) -> bool:
    if task.place is None or task.site is None:
        return False
    if task.put_on is not None and task.put_on >= day:
        return task.put_on == day
    return task.not_before is None or task.not_before <= day


def _windows(task: Task, day: date, calendar: Calendar) -> tuple[Window, ...]:
    """When they can be met, at other times than before; a worker who has chosen the day knows better."""
    found = windows(task.of, task.hours, day, calendar)
    return found if task.put_on == day else at_another_time(found, task.tried, day, calendar)


def _session(fitting: Sequence[_Open], session: Window, minutes: int, own: Mapping[str, int]) -> _Way:
    """The way through as many of these as there is time for, the most urgent first: several at once as long as that
    goes, then fewer, and who does not fit in is passed over."""
    taken, left, best, passed_over = list[_Open](), list(fitting), _Way(), 0
    while left and passed_over < PASSED_OVER and (some := (minutes - best.minutes) // A_VISIT):
        way: _Way | None = None
        while some and way is None:
            way = _walked([*taken, *left[:some]], session, minutes, own)
            some = some if way else min(some, len(left)) // 2
        if way:
            taken, left, best = [*taken, *left[:some]], left[some:], way
        else:
            left, passed_over = left[1:], passed_over + 1
    return best


def _walked(chosen: Sequence[_Open], session: Window, minutes: int, own: Mapping[str, int]) -> _Way | None:
    """The way through all of these; None if somebody would be met outside their window, or there is not the time."""
    now, busy = session.opens, 0
    stops: list[Stop] = []
    for group in _in_order(chosen, own):
        site, place = group[0].task.site or "", group[0].task.place
        assert place is not None  # noqa: S101  # those without are not chosen
        way = ceil(metres(stops[-1].place, place) * DETOUR) if stops else 0
        now, busy = now + ceil(way / METRES_A_MINUTE), busy + ceil(way / METRES_A_MINUTE)
        knocks: list[Knock] = []
        for it in group:
            window = it.within(session)
            assert window is not None  # noqa: S101  # likewise
            now = max(now, window.opens)
            if now + A_VISIT > window.closes:
                return None
            knocks.append(Knock(it.task.visit, it.task.kind, now, _why(it, len(group), own)))
            now, busy = now + A_VISIT, busy + A_VISIT
        stops.append(Stop(site, place, way, tuple(knocks)))
    return _Way(tuple(stops), busy) if busy <= minutes else None


def _in_order(chosen: Sequence[_Open], own: Mapping[str, int]) -> list[list[_Open]]:
    """By building: first in the worker's own order, then in one that is short on foot; at a door who leaves first."""
    mine = sorted((it for it in chosen if it.task.visit in own), key=lambda it: own[it.task.visit])
    first = [list(group) for _, group in groupby(mine, key=lambda it: it.task.site)]
    others: dict[str, list[_Open]] = {}
    for it in chosen:
        if it.task.visit not in own:
            others.setdefault(it.task.site or "", []).append(it)
    groups = [sorted(others[site], key=_leaves_first) for site in sorted(others)]
    places = [group[0].task.place for group in groups if group[0].task.place]
    return first + [groups[nth] for nth in short_way(places)]


def _leaves_first(it: _Open) -> tuple[int, int, str]:
    return (it.windows[0].closes, it.windows[0].opens, it.task.visit)


def _why(it: _Open, here: int, own: Mapping[str, int]) -> str:
    task = it.task
    zh, en = [f"{said(it.windows)} 可访"], [f"can be met {said(it.windows)}"]
    if here > 1:
        zh.append(f"同楼 {here} 户")
        en.append(f"{here} visits in this building")
    if task.visit in own:
        zh.append("按本人次序")
        en.append("in your own order")
    if task.put_on is not None:
        zh.append("本人改期")
        en.append("put on this day by you")
    if task.tried:
        zh.append(f"第 {len(task.tried) + 1} 次上门，换一时段")
        en.append(f"try {len(task.tried) + 1}, at another time")
    if task.until:
        zh.append(f"{task.until} 到期")
        en.append(f"due {task.until}")
    return f"{'，'.join(zh)} / {', '.join(en)}"


def _why_not(task: Task, days: Sequence[date], calendar: Calendar) -> str:
    if task.place is None or task.site is None:
        return "地址未知 / nobody knows where"
    if task.put_on is not None and days and task.put_on > days[-1]:
        return f"本人改到 {task.put_on} / put on {task.put_on} by you"
    if not any(_may_be_on(task, day) and _windows(task, day, calendar) for day in days):
        return "这些日子没有可访时段 / cannot be met on these days"
    return "这些日子排不下 / no time left on these days"
