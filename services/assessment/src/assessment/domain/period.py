"""A month of assessment (考核周期) and its publication (公示): once, for ever.

Until then the board is a preview that changes with every case. A month can be published when it is over, by the trade's
clock in China: a score that can still change is no score. What comes later (a late rating) changes nothing that hangs
on the wall.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from contracts.assessment import PeriodPublished
from events import Aggregate, Refused

from assessment.domain.indicators import Outcome, board

CHINA = ZoneInfo("Asia/Shanghai")


def month_of(at: datetime) -> str:
    """The month that a moment belongs to, in China: `2026-11`."""
    return at.astimezone(CHINA).strftime("%Y-%m")


class AlreadyPublished(Refused):
    """This month hangs on the wall already; it is published once."""

    reason = "already-published"


class MonthNotOver(Refused):
    """The month still runs: its scores can still change."""

    reason = "month-not-over"


class NothingToPublish(Refused):
    """No case of this month was closed, as far as assessment knows."""

    reason = "nothing-to-publish"


@dataclass(frozen=True, slots=True)
class Publish:
    """Post the scores that follow from these outcomes."""

    period: str
    """`2026-11`."""
    outcomes: tuple[Outcome, ...]
    at: datetime


Period: TypeAlias = PeriodPublished | None
"""The state of a month: its publication, once there is one."""


def decide(published: Period, command: Publish) -> Sequence[PeriodPublished]:
    """The publication, or why it cannot be."""
    if published:
        raise AlreadyPublished(
            f"the scores of {command.period} were published at {published.at.isoformat()} and stay as they are"
        )
    # Months written as YYYY-MM sort as text.
    if command.period >= month_of(command.at):
        raise MonthNotOver(
            f"{command.period} is not over in China at {command.at.astimezone(CHINA).isoformat()}; "
            "until then look at the preview, GET /board"
        )
    posted = board(command.outcomes)
    if not posted.scores:
        raise NothingToPublish(f"assessment knows of no case that was closed in {command.period}")
    return [PeriodPublished(period=command.period, method=posted.method, scores=list(posted.scores), at=command.at)]


def evolve(_: Period, event: PeriodPublished) -> Period:
    """The month after its publication."""
    return event


PERIOD: Aggregate[Period, Publish] = Aggregate(
    "period", initial=None, decide=decide, evolve=evolve, events=(PeriodPublished,)
)
