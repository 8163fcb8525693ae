"""By when a case is to be handed in (办理时限), when to warn of it, and when to escalate it: one pure function.

A case has a clock of its own. It runs in clock hours or in working hours, from the start on, and stands while the case
is paused or waits for its reporter. The warning, the deadline and each rung of the escalation are moments at which that
clock shows so much time; so none of them comes while it stands, and whatever changes later (more minutes, another
calendar) keeps the time that it stood.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.common import DeadlineClock
from contracts.grid_tasks import Rung

from grid_tasks.domain.reckoning_steps import (
    MINUTE,
    Allowed,
    Begun,
    Cause,
    Ends,
    NotKnown,
    OffWork,
    Stands,
    Step,
    Stood,
    Worked,
)
from grid_tasks.domain.working_time import DAY, NONE, Calendar, Counting, RoundTheClock

LADDER: Mapping[Rung, int] = {
    Rung.WORKER: 0,
    Rung.LEADER: 0,
    Rung.INSTRUCTOR: 240,
    Rung.OFFICER_OR_SECRETARY: 450,
    Rung.STREET: 900,
}
"""Minutes after the deadline, where nobody has laid down others: the worker, who was warned, and the leader are told at
once; 450 are a working day. No rule prescribes them."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much time is given, in which clock, and who is told when.

    Raises ValueError for no time, for a warning after the deadline, and for a ladder that does not go up.
    """

    clock: DeadlineClock
    minutes: int
    warn_percent: int = 25
    """The warning comes when so much of the time is left."""
    warn_minutes: int | None = None
    """The warning comes so many minutes before the deadline instead."""
    ladder: Mapping[Rung, int] | None = None
    """Minutes after the deadline for each rung; rungs may be left out. None is `LADDER`."""

    def __post_init__(self) -> None:
        if self.minutes < 1:
            raise ValueError("a limit gives at least a minute")
        if not 0 <= self.warn_percent <= 100 or (self.warn_minutes or 0) < 0:
            raise ValueError("a warning comes before the deadline, and after the start")
        after = [self.rungs[rung] for rung in Rung if rung in self.rungs]
        if after != sorted(after) or min(after, default=0) < 0:
            raise ValueError("a ladder goes up: no rung is reached before the one below it, or before the deadline")

    @property
    def allowed(self) -> timedelta:
        """The time that is given."""
        return self.minutes * MINUTE

    @property
    def warning(self) -> timedelta:
        """How long before the deadline the warning comes: at the start, if it would come before."""
        if self.warn_minutes is None:
            return self.allowed * self.warn_percent / 100
        return min(self.warn_minutes * MINUTE, self.allowed)

    @property
    def rungs(self) -> Mapping[Rung, int]:
        """Minutes after the deadline."""
        return LADDER if self.ladder is None else self.ladder


@dataclass(frozen=True, slots=True)
class Stop:
    """The clock stands from `since` until `until`, or still. Raises ValueError for one that ends before it begins."""

    since: datetime
    until: datetime | None = None
    cause: Cause = Cause.PAUSED

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or (self.until and self.until.tzinfo is None):
            raise ValueError("a time without a zone is not a moment")
        if self.until and self.until < self.since:
            raise ValueError("a stop ends after it begins")


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What came out, in the calendar's zone. A moment that the clock does not reach, because it stands, is None."""

    due: datetime | None
    left: timedelta | None
    """What is left of the time while the clock stands before the deadline; None otherwise."""
    warn_at: datetime | None
    rungs: Mapping[Rung, datetime | None]
    """When each rung is told, the lowest first."""
    why: tuple[Step, ...]
    """How the deadline came about."""

    @property
    def left_minutes(self) -> int | None:
        """The same in whole minutes, cut off."""
        return None if self.left is None else self.left // MINUTE


def reckon(limit: Limit, start: datetime, stops: Iterable[Stop], calendar: Calendar) -> Reckoning:
    """The deadline of a case whose clock began at `start` and stood as `stops` say, in any order, also overlapping.

    In working hours the deadline and the rungs come while it is open, closing included; the warning comes while it is
    open, closing excluded, so that somebody is there to be warned. Raises ValueError for times without a zone.
    """
    if start.tzinfo is None:
        raise ValueError("a time without a zone is not a moment")
    begun = start.astimezone(calendar.zone)
    time = calendar if limit.clock is DeadlineClock.WORKING_HOURS else RoundTheClock()
    apart = _apart(stops, begun)
    clock = _CaseClock(time, tuple(_runs(begun, apart)))
    due = clock.shows(limit.allowed)
    left = None if due else limit.allowed - clock.shown()
    end = Ends(due) if due else Stands(apart[-1].cause, apart[-1].since, left or NONE)
    return Reckoning(
        due=due,
        left=left,
        warn_at=clock.passes(limit.allowed - limit.warning) if limit.warning else due,
        rungs={rung: clock.shows(limit.allowed + limit.rungs[rung] * MINUTE) for rung in Rung if rung in limit.rungs},
        why=(
            Allowed(limit.clock, limit.minutes),
            Begun(begun, time.next_opening(begun)),
            *_on_the_way(time, begun, due or apart[-1].since, apart),
            end,
        ),
    )


def earliest(reckonings: Iterable[Reckoning]) -> Reckoning:
    """The one that counts where a case has several limits: which ends first; one that stands never puts off another.

    Where all stand, the one with the least time left. Raises ValueError for none at all.
    """
    several = list(reckonings)
    if ending := [(it.due, nth) for nth, it in enumerate(several) if it.due]:
        return several[min(ending)[1]]
    return min(several, key=lambda it: it.left or NONE)


@dataclass(frozen=True, slots=True)
class _CaseClock:
    """The clock of a case, which counts while it runs: from when until when; None is for good."""

    time: Counting
    runs: tuple[tuple[datetime, datetime | None], ...]

    def shows(self, amount: timedelta) -> datetime | None:
        """The first moment at which it shows so much, which is more than nothing; None if it stands before that."""
        for since, until in self.runs:
            within = self.time.between(since, until) if until else amount
            if amount <= within:
                return self.time.add(since, amount)
            amount -= within
        return None

    def passes(self, amount: timedelta) -> datetime | None:
        """The last moment at which it shows so much: when it goes on. None if it stands."""
        for since, until in self.runs:
            within = self.time.between(since, until) if until else None
            if within is None or amount < within:
                return self.time.next_opening(self.time.add(since, amount))
            amount -= within
        return None

    def shown(self) -> timedelta:
        """What it shows where it stands in the end."""
        return sum((self.time.between(since, until) for since, until in self.runs if until), NONE)


def _apart(stops: Iterable[Stop], start: datetime) -> list[Stop]:
    """The same time as stops that come one after another, from the start on. Where two lie over each other the time is
    the earlier one's; those that follow at once for the same cause are one."""
    apart: list[Stop] = []
    end = start
    for stop in sorted(stops, key=lambda it: (it.since, it.cause)):
        since = max(stop.since.astimezone(start.tzinfo), end)
        until = stop.until.astimezone(start.tzinfo) if stop.until else None
        if until and until <= since:
            continue
        if apart and apart[-1].until == since and apart[-1].cause is stop.cause:
            since = apart.pop().since
        apart.append(Stop(since, until, stop.cause))
        if until is None:
            break
        end = until
    return apart


def _runs(start: datetime, apart: Sequence[Stop]) -> Iterator[tuple[datetime, datetime | None]]:
    """What lies between the stops."""
    since: datetime | None = start
    for stop in apart:
        if since and stop.since > since:
            yield since, stop.since
        since = stop.until
    if since:
        yield since, None


def _on_the_way(time: Counting, start: datetime, end: datetime, apart: Sequence[Stop]) -> Iterator[Step]:
    """What lies between start and end and has a say in it, in its order; then the years that are not known."""
    steps: list[tuple[date, datetime, Step]] = []
    for stop in apart:
        if stop.until and stop.since < end:
            counted = time.between(stop.since, stop.until)
            steps.append((stop.since.date(), stop.since, Stood(stop.cause, stop.since, stop.until, counted)))
    if isinstance(time, Calendar):
        steps += [(first, start, step) for first, step in _days(time, start.date(), end.date())]
    yield from (step for _, _, step in sorted(steps, key=lambda it: it[:2]))
    if isinstance(time, Calendar):
        yield from (NotKnown(year) for year in range(start.year, end.year + 1) if year not in time.years)


def _days(calendar: Calendar, first: date, last: date) -> Iterator[tuple[date, Step]]:
    """The holidays, whole, and the days of weekends that are worked, which the days from first to last touch."""
    day = first
    while day <= last:
        if name := calendar.days_off.get(day):
            begins = day
            while calendar.days_off.get(begins - DAY) == name:
                begins -= DAY
            while calendar.days_off.get(day + DAY) == name:
                day += DAY
            yield begins, OffWork(begins, day, name)
        elif day in calendar.moved:
            yield day, Worked(day)
        day += DAY
