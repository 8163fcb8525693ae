"""The judge of a year: from the raw events alone, by tables and a calendar of its own.

Each case's path is legal, each deadline is right, who should have been told was told when it was time, nobody verified
their own work, and nothing is open that nobody owns.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from shapely import Point, Polygon

from .own_calendar import BEIJING, runs, shows

Raw = tuple[str, Mapping[str, Any]]
"""The last word of an event's type, and what it says."""

IN_HAND = ("dispatched", "started")
TO_CHECK = ("handed_in", "verified")
ENDS = ("closed", "refused", "withdrawn", "merged")
PATHS: Mapping[str, tuple[tuple[str, ...], str | None]] = {
    "reported": (("",), "reported"),
    "placed": (("reported", "accepted", *IN_HAND, "paused", "handed_in", "verified"), None),
    "place_corrected": (("accepted", *IN_HAND, "paused"), None),
    "accepted": (("reported",), "accepted"),
    "refused": (("reported", "accepted", "dispatched"), "refused"),
    "withdrawn": (("reported", "accepted", *IN_HAND, "paused"), "withdrawn"),
    "merged": (("reported", "accepted", "dispatched"), "merged"),
    "taken_up": (("merged",), None),
    "dispatched": (("accepted", *IN_HAND), "dispatched"),
    "taken_over": (("paused",), None),
    "handed_over": (("accepted", *IN_HAND), "accepted"),
    "returned": (IN_HAND, "accepted"),
    "started": (("dispatched",), "started"),
    "help_asked": (IN_HAND, None),
    "help_given": ((*IN_HAND, "paused", "handed_in"), None),
    "time_asked": (IN_HAND, None),
    "time_given": ((*IN_HAND, "paused"), None),
    "time_refused": ((*IN_HAND, "paused"), None),
    "urgency_changed": (("accepted", *IN_HAND, "paused"), None),
    "paused": (IN_HAND, "paused"),
    "resumed": (("paused",), "started"),
    "answered": (("reported", "accepted", *IN_HAND, "paused", "handed_in"), None),
    "handed_in": (("started",), "handed_in"),
    "paper_done": (("handed_in", "verified"), None),
    "sent_back": (("handed_in", "verified"), "dispatched"),
    "verified": (("handed_in",), "verified"),
    "look_asked": (("verified",), None),
    "looked": (("verified",), None),
    "closed": (("verified",), "closed"),
    "rated": (("closed",), None),
    "reopened": (("closed",), "accepted"),
    "warned": (IN_HAND, None),
    "escalated": (("accepted", *IN_HAND, *TO_CHECK), None),
    "text_erased": (ENDS, None),
}
"""After which steps each may come, and to which it leads: GB/T 34300's flow, and what happens on the way."""

LADDER = {"worker": 0, "leader": 0, "instructor": 240, "officer_or_secretary": 450, "street": 900}
RUNGS = tuple(LADDER)
CHECKED, LOOKED_AT = 450, 3 * 450
"""Minutes of work in which somebody is to say whether it is done, and, of what is drawn, a second one."""
HANDLING = ("grid_worker", "grid_leader")
WARNED_BEFORE = 0.25


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass
class Followed:
    """A case as the judge has followed it, and what is wrong with it."""

    case: str
    step: str = ""
    grid: str = ""
    place: tuple[float, float] = (0, 0)
    body: str = ""
    """The department that has it; empty: the grid."""
    into: str | None = None
    """The case that goes on for it."""
    worker: str | None = None
    clock: str = "clock_hours"
    minutes: int = 0
    more: int = 0
    """Minutes that whoever has it was given besides."""
    begun: datetime | None = None
    stops: list[tuple[datetime, datetime | None]] = field(default_factory=list[tuple[datetime, datetime | None]])
    due: datetime | None = None
    since: datetime | None = None
    """Since when it is due then: whatever would have been told before is told at once."""
    told: str | None = None
    """How high its present deadline was told."""
    check: tuple[datetime, int] | None = None
    """Since when it is to be verified, or looked at, and within how many minutes."""
    check_by: datetime | None = None
    warned: bool = False
    handled: set[str] = field(default_factory=set[str])
    helping: set[str] = field(default_factory=set[str])
    joint: bool = False
    nobody_told: bool = False
    """Somebody heard that nobody was there for it, since whoever had it last got it."""
    given_back: bool = False
    """By its worker: it waits for a person."""
    past: list[str] = field(default_factory=list[str])
    wrong: list[str] = field(default_factory=list[str])

    @property
    def open(self) -> bool:
        return self.step not in ENDS

    def expect(self, right: bool, what: str) -> None:
        if not right:
            self.wrong.append(f"case {self.case}, {self.step}: {what}; after {', '.join(self.past)}")

    def reached(self, amount: timedelta, *, last: bool = False) -> datetime | None:
        assert self.begun
        return shows(runs(self.clock, self.begun, self.stops), amount, last=last)

    def due_by_us(self) -> datetime | None:
        return self.reached(timedelta(minutes=self.minutes + self.more))

    def warn_by_us(self) -> datetime | None:
        return self.reached(timedelta(minutes=self.minutes + self.more) * (1 - WARNED_BEFORE), last=True)

    def rung_by_us(self, rung: str) -> datetime | None:
        if self.step in TO_CHECK:
            return None if rung == "worker" else self.checked_by_us(LADDER[rung])
        return self.reached(timedelta(minutes=self.minutes + self.more + LADDER[rung]))

    def checked_by_us(self, later: int = 0) -> datetime | None:
        assert self.check
        since, minutes = self.check
        return shows(runs("working_hours", since, []), timedelta(minutes=minutes + later))

    @property
    def owed(self) -> datetime | None:
        """By when somebody is to do something about it."""
        return self.check_by if self.step in TO_CHECK else self.due


def followed(case: str, events: Sequence[Raw], away: Sequence[tuple[datetime, datetime]], now: datetime) -> Followed:
    """What became of a case until now; `away`: when no rule could do anything."""
    it = Followed(case)
    for name, data in events:
        at = moment(data["at"])
        assert at
        _told_in_time(it, at, away)
        since, to = PATHS[name]
        it.expect(it.step in since, f"{name} came after it")
        _follow(it, name, data, at, away)
        it.step = to or it.step
        it.past.append(f"{name} {at.astimezone(BEIJING):%m-%d %H:%M:%S}")
    _told_in_time(it, now, away)
    return it


def _told_in_time(it: Followed, until: datetime, away: Sequence[tuple[datetime, datetime]]) -> None:
    """By the moment of the next event, whatever had to be told before was told."""
    if it.owed is None or it.step not in ("accepted", *IN_HAND, *TO_CHECK):
        return
    reached = [rung for rung in RUNGS if (when := it.rung_by_us(rung)) and _heard(it, when, away) < until]
    if reached:
        it.expect(it.told is not None and RUNGS.index(it.told) >= RUNGS.index(reached[-1]), f"{reached[-1]} not told")


def _heard(it: Followed, when: datetime, away: Sequence[tuple[datetime, datetime]]) -> datetime:
    """When a rule could do at the earliest what was to be done at that moment."""
    when = max(when, it.since or when)
    return next((back for gone, back in away if gone <= when < back), when)


def _follow(
    it: Followed, name: str, data: Mapping[str, Any], at: datetime, away: Sequence[tuple[datetime, datetime]]
) -> None:
    match name:
        case "reported":
            it.grid = data["grid"]
            it.place = (data["place"]["longitude"], data["place"]["latitude"])
        case "place_corrected":
            it.place = (data["place"]["longitude"], data["place"]["latitude"])
        case "placed":
            it.grid, it.given_back = data["grid"], False
        case "accepted":
            it.minutes, it.clock, it.body = data["deadline_minutes"], data["clock"], data["body"]
            _begins(it, at)
            _check_due(it, data)
        case "dispatched":
            it.expect(data["worker"] != it.worker or it.step == "accepted", "dispatched to who has it")
            it.worker = data["worker"]
            _begins(it, at)
            _check_due(it, data, warns=True)
        case "taken_over":
            it.worker = data["worker"]
            _begins(it, at)
            it.stops = [(at, None)]
        case "handed_over" | "reopened":
            it.worker, it.joint, it.body = None, False, data["body"]
            it.helping.clear()
            _begins(it, at)
            _check_due(it, data)
        case "merged":
            it.into = data["into"]
        case "taken_up":
            it.expect(data["into"] == it.into, "taken up from another")
            it.into, it.worker, it.joint = None, None, False
            it.helping.clear()
            it.step = "accepted" if it.begun else "reported"
            it.expect((data["due"] is None) == (it.begun is None), "due before it was accepted, or not after")
            if it.begun:
                _begins(it, at)
                _check_due(it, data)
        case "returned":
            it.expect(data["worker"] == it.worker, "given back by another")
            it.worker, it.joint, it.given_back = None, False, True
            it.helping.clear()
        case "started":
            it.expect(data["worker"] == it.worker, "begun by another")
            it.handled.add(data["worker"])
        case "help_asked":
            it.helping |= set(data["helpers"])
            it.joint = it.joint or data["joint"]
        case "help_given":
            it.expect(data["helper"] in it.helping, "help of somebody who was not asked")
            it.helping.discard(data["helper"])
            it.handled |= {data["helper"]} if data["done"] else set()
        case "time_given":
            it.more += data["minutes"]
            it.since, it.told, it.warned = at, None, False
            _check_due(it, data, warns=True)
        case "urgency_changed":
            it.minutes, it.more = data["minutes"], 0
            it.since, it.told, it.warned = at, None, False
            _check_due(it, data, warns=it.worker is not None)
        case "paused":
            it.stops.append((at, None))
            it.due = None
        case "resumed":
            it.stops[-1], it.since = (it.stops[-1][0], at), at
            _check_due(it, data, warns=True)
        case "handed_in":
            done = moment(data["done_at"]) or at
            it.expect(data["worker"] == it.worker, "handed in by another")
            it.expect(data["on_time"] == (it.due is not None and done <= it.due), "on time or not")
            it.expect(not (it.joint and it.helping), "handed in before all had answered")
            it.handled.add(data["worker"])
            _to_be_checked(it, CHECKED, at, data["check_by"])
        case "look_asked":
            _to_be_checked(it, LOOKED_AT, at, data["due"])
        case "verified" | "sent_back":
            it.expect(data["verifier"] not in it.handled | it.helping, "looked at by who handled it")
            if name == "sent_back":
                _begins(it, at)
                _check_due(it, data, warns=True)
        case "looked":
            it.expect(data["by"] not in it.handled | {data["verifier"]}, "looked at twice by one")
        case "warned":
            when = it.warn_by_us()
            in_time = when is not None and at == _heard(it, when, away)
            it.expect(in_time and not it.warned, f"warned at {at}, by our calendar {when}")
            it.warned = True
        case "escalated":
            _escalated(it, data, at, away)
        case _:
            pass


def _to_be_checked(it: Followed, minutes: int, at: datetime, by: str) -> None:
    it.check, it.check_by, it.since, it.told = (at, minutes), moment(by), at, None
    it.expect(
        it.check_by == it.checked_by_us(), f"to be checked by {it.check_by}, by our calendar {it.checked_by_us()}"
    )


def _begins(it: Followed, at: datetime) -> None:
    it.begun, it.since, it.stops, it.more, it.told, it.warned = at, at, [], 0, None, False
    it.nobody_told, it.given_back = False, False


def _check_due(it: Followed, data: Mapping[str, Any], *, warns: bool = False) -> None:
    it.due = moment(data["due"])
    it.expect(it.due == it.due_by_us(), f"due {it.due}, by our calendar {it.due_by_us()}")
    if warns and it.due:
        warn_at = moment(data.get("warn_at"))
        it.expect(warn_at == it.warn_by_us(), f"to be warned at {warn_at}, by our calendar {it.warn_by_us()}")


def _escalated(it: Followed, data: Mapping[str, Any], at: datetime, away: Sequence[tuple[datetime, datetime]]) -> None:
    rung = data["rung"]
    higher = it.told is None or RUNGS.index(rung) > RUNGS.index(it.told)
    it.expect(higher, f"{rung} told after {it.told}")
    it.told = rung
    if data["cause"] == "nobody_in_post":
        it.nobody_told = True
        return
    when = it.rung_by_us(rung)
    it.expect((data["cause"] == "unchecked") == (it.step in TO_CHECK), f"told as {data['cause']}")
    it.expect(data["worker"] is None or it.step in IN_HAND, "told of a worker who does not have it")
    it.expect(moment(data["due"]) == it.owed, "another deadline was told")
    it.expect(when is not None and at == _heard(it, when, away), f"{rung} told at {at}, by our calendar {when}")


def _handling(team: Mapping[str, Any], grid: str) -> list[str]:
    return [who for who, is_ in team.items() if is_.grid == grid and is_.post in HANDLING]


def _liaisons(team: Mapping[str, Any]) -> list[str]:
    return [who for who, is_ in team.items() if is_.post == "department_liaison"]


def _could_have_it(team: Mapping[str, Any], them: Sequence[str], day: date) -> list[str]:
    """Who of them is there for a new case: whoever is on leave is not, but for the leader of a grid."""
    return [it for it in them if team[it].there(day) or team[it].post == "grid_leader"]


def callers(
    visits: Sequence[Mapping[str, Any]],
    places: Mapping[str, tuple[float, float]],
    team: Mapping[str, Any],
    map_: Mapping[str, Polygon],
    day: date,
) -> Iterator[str]:
    """Each open visit that nobody makes, though somebody is there for the grid in which it lies."""
    for it in visits:
        here = [code for code in sorted(map_) if map_[code].covers(Point(places[it["visit"]]))]
        if it["grid"] not in here:
            yield f"visit {it['visit']} is {it['grid']}'s, and lies in {here}"
        theirs = _handling(team, it["grid"])
        if it["worker"] not in theirs and any(team[who].there(day) for who in theirs):
            yield f"visit {it['visit']} in {it['grid']} is with {it['worker']}, who is not there for it"


def _goes_on_nowhere(it: Followed, known: Mapping[str, Followed]) -> bool:
    """The last of those that were merged one into another was not dealt with; or there is none, as they go round."""
    way: list[str] = []
    while it.into and it.into not in way:
        way.append(it.into)
        it = known[it.into]
    return bool(it.into) or it.step in ("refused", "withdrawn")


def owners(
    cases: Sequence[Followed],
    team: Mapping[str, Any],
    map_: Mapping[str, Polygon],
    officers: Sequence[str],
    day: date,
) -> Iterator[str]:
    """Each open case that is with nobody though somebody could have it and its worker has not given it back; each that
    nobody could have, and says so to nobody; and each that was merged, and is not dealt with any more."""
    known = {it.case: it for it in cases}
    for it in cases:
        if it.into and _goes_on_nowhere(it, known):
            yield f"case {it.case} was merged into {it.into}, which does not go on for it"
        if not it.open:
            continue
        here = [code for code in sorted(map_) if map_[code].covers(Point(it.place))]
        if it.step == "reported":
            if it.grid or here:
                yield f"case {it.case} waits at the desk, and lies in {here}"
            continue
        if it.grid not in (here or map_):
            yield f"case {it.case} is {it.grid}'s, and lies in {here}"
        theirs = _liaisons(team) if it.body else _handling(team, it.grid)
        could = _could_have_it(team, theirs, day)
        told = it.told is not None or it.nobody_told
        if it.step in (*IN_HAND, "paused"):
            if it.worker not in theirs and (could or (it.step != "paused" and not told)):
                yield f"case {it.case} ({it.step}) is with {it.worker}, who is not there for {it.body or it.grid}"
            if gone := it.helping - team.keys():
                yield f"case {it.case} waits for {gone}, who are gone"
        elif it.step == "accepted":
            past = ", ".join(it.past)
            if could and not it.given_back:
                yield f"case {it.case} of {it.body or it.grid} is with nobody, {could} could have it; after {past}"
            elif not (could or told):
                yield f"case {it.case} is with nobody, and nobody was told; after {past}"
        elif not officers:
            yield f"case {it.case} is to be verified by nobody"
