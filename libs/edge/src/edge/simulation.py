"""A simulated trade clock, so that a day can be played in a minute (local mode only).

From the real moment `anchor` on, the trade's time runs from `start` at `speed` until it reaches `until`, and then as
fast as real time. It never jumps and never goes back, and every service given the same words tells the same time.
"""

from datetime import datetime, timedelta

from events import Clock, system_clock
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator


class Simulation(BaseModel):
    """COMMONGRID_CLOCK, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: AwareDatetime = Field(description="The trade's time at the anchor, RFC 3339")
    anchor: float = Field(description="A real moment, in seconds since 1970", ge=0, le=2**33, allow_inf_nan=False)
    speed: float = Field(description="Seconds of the trade in one real second", gt=0, le=100_000, allow_inf_nan=False)
    until: AwareDatetime = Field(description="The trade's time from which on it runs at 1, RFC 3339")

    @model_validator(mode="after")
    def _until_is_after_start(self) -> "Simulation":
        if self.until < self.start:
            raise ValueError("until must not be before start")
        return self


def trade_time(simulation: Simulation, real: datetime) -> datetime:
    """What the trade's clock shows at this real moment. Before the anchor it shows the anchor's time."""
    elapsed = max(real.timestamp() - simulation.anchor, 0.0)
    span = (simulation.until - simulation.start).total_seconds()
    played = min(elapsed * simulation.speed, span)
    afterwards = max(elapsed - span / simulation.speed, 0.0)
    return simulation.start + timedelta(seconds=played) + timedelta(seconds=afterwards)


def simulated(simulation: Simulation, real: Clock = system_clock) -> Clock:
    """The trade's clock, driven by a real one."""
    return lambda: trade_time(simulation, real())
