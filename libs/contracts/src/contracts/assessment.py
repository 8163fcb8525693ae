"""What assessment publishes: the board of a month, once it is posted on the wall (上墙公示).

A published board explains itself for ever: it carries the method that it was calculated by, so that a later change of
weights makes no old score a riddle.
"""

from enum import StrEnum
from typing import Annotated

from contracts import erasure
from contracts.audit import ActDone, ActRefused
from events import Event
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Points = Annotated[float, Field(ge=0, le=100)]


class Indicator(StrEnum):
    """What a score is made of: outcomes only."""

    ON_TIME = "on_time"  # 按时办结
    FIRST_ATTEMPT = "first_attempt"  # 一次核查通过
    SATISFACTION = "satisfaction"  # 群众满意度


class Weight(BaseModel):
    """What one indicator can give, and how the whole community did in it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    indicator: Indicator
    points: Points
    """The most that this indicator can give; all weights together make 100."""
    average: Share
    """The community's share in that month: of all cases, or of all ratings."""


class Method(BaseModel):
    """How the scores of a month were calculated."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    weights: list[Weight]
    """An indicator on which nothing is known in the whole community (nobody rated) has no weight."""
    anchor: Annotated[int, Field(ge=0)]
    """With so many cases (ratings) at the community's average each worker's own are counted together."""


class Score(BaseModel):
    """A grid worker's score of a month and the outcomes that it follows from."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    worker: str
    grid: str | None = None
    closed: Annotated[int, Field(ge=1)]
    on_time: Share
    first_attempt: Share
    ratings: Annotated[int, Field(ge=0)]
    satisfaction: Share | None = None
    """Mean rating, 0 for 1 of 5 and 1 for 5 of 5; none where nobody rated this worker."""
    by_indicator: dict[Indicator, Points]
    """Which indicator gave how many points, each to one decimal; they add up to `points`."""
    points: Points
    stars: Annotated[int, Field(ge=1, le=5)]


class PeriodPublished(Event, type="commongrid.assessment.period.published.v1"):
    """The scores of a month were posted; what comes later does not change them."""

    period: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    """The month: 2026-11."""
    method: Method
    scores: list[Score]
    at: AwareDatetime


class AuditRefused(ActRefused, type="commongrid.assessment.audit.refused.v1"):
    """The service refused an act."""


class AuditDone(ActDone, type="commongrid.assessment.audit.done.v1"):
    """A privileged act that no other event of the service tells of."""


class ErasureConfirmed(erasure.ErasureConfirmed, type="commongrid.assessment.erasure.confirmed.v1"):
    """It holds nothing of this person any more."""
