"""The power list (权力清单): who may do what, on which legal basis; and what it said before. Anybody may read it."""

from datetime import datetime
from typing import Literal, cast

from contracts.registry import PowerFacts, PowerWithdrawn
from edge import Call, Page, Router, authority
from edge.authority import listed_powers
from events import NotFound
from fastapi import Response
from pydantic import BaseModel, Field

from registry.api.powers import Powers
from registry.domain.power import POWER, Withdraw

router = Router(prefix="/powers", tags=["powers"])


What = Literal["listed", "changed", "withdrawn"]


class PowerView(BaseModel):
    """A power, on the list or taken off it."""

    power: str
    on_the_list: bool
    facts: PowerFacts | None


class PowerChange(BaseModel):
    """What happened to an entry of the list."""

    what: What
    at: datetime = Field(description="When it was recorded")
    by: str | None = Field(description="Who did it: a member's pseudonymous id, or `founding`")
    facts: PowerFacts | None = Field(description="What the entry said from then on")


@router.get("", power=Powers.READ_POWERS)
async def all_powers(call: Call) -> Page[PowerFacts]:
    """The whole list, by code."""
    await call.fresh(authority)
    return Page[PowerFacts](items=await listed_powers(call.db), next=None)


@router.get("/{power}", power=Powers.READ_POWERS, response_model=PowerView)
async def one_power(power: str, call: Call) -> Response:
    """A power by its code, with the ETag that a change needs."""
    return await call.read(POWER, power, _view)


@router.get("/{power}/history", power=Powers.READ_POWERS)
async def history(power: str, call: Call) -> Page[PowerChange]:
    """What the list has said of it, first to last."""
    recorded = await call.commands.history(POWER, power)
    if not recorded:
        raise NotFound("there is no such power")
    items = [
        PowerChange(
            what=cast("What", event.raw.type.split(".")[3]),
            at=event.recorded_at,
            by=event.raw.actor,
            facts=event.data if isinstance(event.data, PowerFacts) else None,
        )
        for event in recorded
    ]
    return Page[PowerChange](items=items, next=None)


@router.post("/{power}/withdrawal", power=Powers.KEEP_POWERS, response_model=PowerView)
async def withdraw(power: str, call: Call) -> Response:
    """Takes it off the list: within a second nobody has it any more, in any service."""
    return await call.change(POWER, power, Withdraw(), view=_view)


def _view(known: PowerFacts | PowerWithdrawn | None, _version: int) -> PowerView:
    assert known is not None  # noqa: S101  # a power with a version has been listed
    facts = known if isinstance(known, PowerFacts) else None
    return PowerView(power=known.power, on_the_list=facts is not None, facts=facts)
