"""What was so on a day, as known at a moment: `?as_of=2026-03-01&known_at=2026-04-01T00:00:00Z`."""

from typing import Annotated, Any, TypeAlias

from contracts.registry import Facts
from edge import Call
from edge import moments as written
from events import Aggregate, NotFound
from fastapi import Depends, Query
from pydantic import BaseModel, Field

from registry.domain.history import as_it_was


class Moment(BaseModel):
    """The two clocks of a question."""

    as_of: written.Day | None = Field(None, description="The day that is asked for, in China; else how it is now")
    known_at: written.Moment | None = Field(
        None, description="By what was known at that moment, RFC 3339; else by what is known now"
    )

    @property
    def now(self) -> bool:
        """Whether it is simply the present that is asked for."""
        return self.as_of is None and self.known_at is None


def _moment(query: Annotated[Moment, Query()]) -> Moment:
    return query


When: TypeAlias = Annotated[Moment, Depends(_moment)]


async def as_known(call: Call, aggregate: Aggregate[Any, Any], id: str, when: Moment) -> Any:
    """What was so of a thing; raises NotFound where the register did not know of it."""
    history = await call.commands.history(aggregate, id)
    if not history:
        raise NotFound("there is no such thing")
    told = [(it.recorded_at, it.data) for it in history if isinstance(it.data, Facts)]
    found = as_it_was(told, when.as_of, when.known_at)
    if found is None:
        raise NotFound("by what was known at that moment there was no such thing on that day")
    return found
