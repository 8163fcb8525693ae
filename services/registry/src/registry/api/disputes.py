"""Where sources differ (来源分歧): what the register holds, what others say, and who decides."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from contracts.registry import Facts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from edge.preconditions import etag
from events import Aggregate, NotFound
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from registry.api.disclosures import on_record
from registry.api.powers import Powers
from registry.domain.address import ADDRESS
from registry.domain.building import BUILDING
from registry.domain.entry import Register as Command
from registry.domain.household import HOUSEHOLD
from registry.domain.person import PERSON, Person
from registry.domain.sources import DECISION, Held, NotInDispute
from registry.domain.unit import UNIT
from registry.read_models.disputes import disputes, page
from registry.read_models.people import grid_of, people
from registry.read_models.territory import territory

router = Router(prefix="/disputes", tags=["sources"])

PURPOSE = "dispute"
Register = Literal["addresses", "buildings", "households", "people", "units"]
AGGREGATES: Mapping[str, Aggregate[Any, Any]] = {
    "addresses": ADDRESS,
    "buildings": BUILDING,
    "households": HOUSEHOLD,
    "people": PERSON,
    "units": UNIT,
}


class DisputeRow(BaseModel):
    """A thing of which a source says otherwise than the register."""

    of: Register
    id: str
    source: str
    fields: list[str]
    said_at: datetime


class Difference(BaseModel):
    """A field of which sources differ."""

    field: str
    held: Any = Field(description="What the register holds; none where you may not see it")
    held_from: str = Field(description="The source that it is from; empty: whoever keeps the register")
    said: dict[str, Any] = Field(description="What others say, by source; none where you may not see it")


class Dispute(BaseModel):
    """A thing of which sources differ."""

    of: Register
    id: str
    differences: list[Difference]


class Decision(BaseModel):
    """Who is right."""

    model_config = ConfigDict(extra="forbid")

    believe: str | None = Field(description="The source that is right in what is in dispute; none: the register is")
    fields: list[str] | None = Field(None, description="In these fields only; in the others the register is right")


@router.get("", power=Powers.DECIDE_DISPUTES)
async def all_disputes(
    call: Call, register: Register | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[DisputeRow]:
    """What waits for somebody to decide, what was said first before."""
    await call.fresh(disputes)
    after = decode_cursor(cursor, datetime, str, str, str) if cursor else None
    rows = [DisputeRow(**row) for row in await page(call.db, register, after, limit)]
    return Page[DisputeRow].of(rows, limit, lambda row: [row.said_at.isoformat(), row.of, row.id, row.source])


@router.get("/{register}/{id}", power=Powers.DECIDE_DISPUTES, response_model=Dispute)
async def one_dispute(register: Register, id: str, call: Call) -> Response:
    """What the register holds and what others say. Of people you see what the power list gives you for this purpose,
    and it is recorded that you have seen it."""
    held, version = await _held(call, register, id)
    facts = _known(held)
    fields = sorted({field for names in held.disputed.values() for field in names})
    may_see = _of_nobody(facts, fields)
    headers = {"ETag": etag(version)}
    if register == "people":
        grid = await grid_of(call.db, id)
        may_see |= set(fields) & await call.fields(PURPOSE, grid, Powers.DECIDE_DISPUTES)
        if seen := sorted(set(fields) & may_see & facts.personal.keys()):
            headers |= await on_record(call, id, seen, PURPOSE)
    differences = [
        Difference(
            field=field,
            held=getattr(facts, field) if field in may_see else None,
            held_from=held.sources.get(field, held.first),
            said={
                source: getattr(held.said[source], field) if field in may_see else None
                for source, names in held.disputed.items()
                if field in names
            },
        )
        for field in fields
    ]
    view = Dispute(of=register, id=id, differences=differences)
    return Response(view.model_dump_json(), 200, headers, "application/json")


@router.post("/{register}/{id}/decision", power=Powers.DECIDE_DISPUTES, response_model=Dispute)
async def decide(register: Register, id: str, body: Decision, call: Call) -> Response:
    """Says who is right; the register says so from then on, whatever the sources repeat."""
    held, _ = await _held(call, register, id)
    facts = _known(held)
    update: dict[str, Any] = {}
    if body.believe is not None:
        if body.believe not in held.disputed:
            raise NotInDispute("this source says nothing that is in dispute: see GET of the dispute")
        disputed = held.disputed[body.believe]
        if not set(body.fields or ()) <= set(disputed):
            raise NotInDispute("name fields that are in dispute: see GET of the dispute")
        update = {field: getattr(held.said[body.believe], field) for field in body.fields or disputed}
    settled = facts.model_copy(update={**update, "source": DECISION, "since": None, "corrects": False})
    return await call.change(
        AGGREGATES[register],
        id,
        Command(settled),
        view=lambda _state, _version: Dispute(of=register, id=id, differences=[]),
    )


async def _held(call: Call, register: str, id: str) -> tuple[Held[Any], int]:
    """What is held, within the caller's reach. Raises NotFound, OutOfReach."""
    await call.fresh(disputes, people, territory)
    if register == "people":
        call.grant.require(await grid_of(call.db, id))
    state, version = await call.commands.load(AGGREGATES[register], id)
    if version == 0:
        raise NotFound("there is no such thing")
    if isinstance(state, Person):
        state.known()
        return state.register, version
    return state, version


def _known(held: Held[Any]) -> Facts:
    if held.facts is None:
        raise NotFound("there is no such thing")
    return held.facts


def _of_nobody(facts: Facts, fields: list[str]) -> set[str]:
    """The fields that tell of nobody."""
    return {field for field in fields if field not in facts.personal}
