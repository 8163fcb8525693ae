"""The day, in China, on which each event was taken."""

from datetime import date
from typing import Any

from events import Batch

from registry.domain.history import CHINA


def days(events: Batch[Any]) -> list[date]:
    """One for each event."""
    return [raw.recorded_at.astimezone(CHINA).date() for raw in events.raws]
