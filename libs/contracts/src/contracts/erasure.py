"""What every service says once it has dropped what it held of somebody who was erased."""

from events import Event
from pydantic import AwareDatetime


class ErasureConfirmed(Event):
    """This service holds nothing of this person any more (删除确认). What its events say of them is sealed for ever."""

    person: str
    parked: int
    """How many events that waited for an operator were dropped."""
    answers: int
    """How many stored answers to commands were dropped."""
    timers: int
    """How many timers were dropped."""
    at: AwareDatetime
