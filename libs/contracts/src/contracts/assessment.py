"""What assessment publishes: the board of a month, once it is posted on the wall (上墙公示)."""

from typing import Annotated

from events import Event
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Score(BaseModel):
    """A grid worker's score of a month and the outcomes that it follows from."""

    model_config = ConfigDict(frozen=True)

    worker: str
    grid: str
    closed: int
    on_time: Share
    first_attempt: Share
    satisfaction: Share | None = None
    """None where nobody rated."""
    points: Annotated[float, Field(ge=0, le=100)]
    stars: Annotated[int, Field(ge=0, le=5)]


class PeriodPublished(Event, type="commongrid.assessment.period.published.v1"):
    """The scores of a month were posted; what comes later does not change them."""

    period: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    """The month: 2026-11."""
    scores: list[Score]
    at: AwareDatetime
