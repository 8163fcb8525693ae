"""History by two clocks: what was so in the world on a day, as far as the register knew at a moment.

A register's events say what is so from a day on (`since`; else from the day on which they were taken), and the log says
when each was learnt. What is learnt later never changes what was known before: that is asked for by an earlier moment.
What is so from a day on holds in the fields in which it differs; so who moved in March keeps the telephone that they
had in May, and a correction (`corrects`) holds for all time.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from contracts.registry import Disputed, Facts

from registry.domain.sources import values

F = TypeVar("F", bound=Facts)

CHINA = ZoneInfo("Asia/Shanghai")
ALWAYS = date.min
FOR_EVER = date.max


class Period(NamedTuple):
    """What was so from a day until before another one."""

    since: date
    until: date
    facts: Mapping[str, Any]


def day_in_china(moment: datetime) -> date:
    """The day that it is in China at a moment: what people there mean by today."""
    return moment.astimezone(CHINA).date()


def day_of(facts: Facts, recorded_at: datetime) -> date:
    """The day from which it is so."""
    return facts.since or day_in_china(recorded_at)


def learnt(periods: Sequence[Period], facts: Mapping[str, Any], since: date, corrects: bool = False) -> list[Period]:
    """The periods of one thing, oldest first and without gaps, once it is learnt that this holds from a day on."""
    if not periods:
        return [Period(since, FOR_EVER, facts)]
    present = periods[-1]
    other = {name: value for name, value in facts.items() if present.facts[name] != value}
    if corrects:
        return _joined(Period(it.since, it.until, {**it.facts, **other}) for it in periods)
    before = [Period(it.since, min(it.until, since), it.facts) for it in periods if it.since < since]
    if not other:
        # It has been so for longer than was known, or less long.
        return _joined([*before, Period(since, FOR_EVER, facts)]) if since < present.since else list(periods)
    after = [
        Period(max(it.since, since), it.until, {**it.facts, **other})
        for it in ([periods[0]._replace(since=since), *periods[1:]] if since < periods[0].since else periods)
        if it.until > since
    ]
    return _joined([*before, *after])


def _joined(periods: Iterable[Period]) -> list[Period]:
    """Neighbours that say the same are one period."""
    joined: list[Period] = []
    for it in periods:
        if joined and joined[-1].facts == it.facts:
            joined[-1] = joined[-1]._replace(until=it.until)
        else:
            joined.append(it)
    return joined


def as_it_was(told: Iterable[tuple[datetime, F]], as_of: date | None, known_at: datetime | None) -> F | None:
    """What was so on a day (None: now) by what was known at a moment (None: now); None if it was not known to be there.

    `told` are the entries of one thing, each with the moment at which it was taken, in their order.
    """
    periods: list[Period] = []
    last: F | None = None
    for recorded_at, facts in told:
        if isinstance(facts, Disputed) or (known_at and recorded_at > known_at):
            continue
        last = facts
        periods = learnt(periods, values(facts), day_of(facts, recorded_at), facts.corrects)
    found = (
        [it for it in periods if it.until == FOR_EVER] if as_of is None else [it for it in periods if holds(it, as_of)]
    )
    if last is None or not found:
        return None
    return last.model_copy(update={**found[0].facts, "since": found[0].since})


def holds(period: Period, day: date) -> bool:
    """Whether it was so on that day."""
    return period.since <= day < period.until
