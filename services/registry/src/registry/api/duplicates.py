"""People who may have been entered twice (疑似重复人员): shown with the reasons, and decided by a person.

Merged, one of the two is spoken of as the other from then on; parted, they are two again, and are not shown as a pair
any more. Both are events, which other services follow.
"""

from typing import Annotated

from contracts.common import Title
from contracts.registry import PersonFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from events.privacy.data import Erased
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from registry.api.people import PersonView, as_shown, masked
from registry.api.powers import Powers
from registry.api.views import person_of
from registry.domain.entry import Register
from registry.domain.likeness import WORDS, WORTH_SHOWING, compared
from registry.domain.person import PERSON, Merge, Unmerge
from registry.domain.sources import DECISION
from registry.read_models.people import grid_of, look_alike, people
from registry.read_models.territory import territory

router = Router(tags=["duplicates"])


class Reason(BaseModel):
    """Something that speaks for it, or against it if the weight is below 0."""

    code: str = Field(examples=["sounds_alike"])
    words: Title
    weight: float


class Pair(BaseModel):
    """Two entries that may be one person."""

    one: PersonView
    other: PersonView
    score: Annotated[float, Field(ge=0, le=1)] = Field(description="How likely it is that they are one; no more")
    reasons: list[Reason]


class MergerBody(BaseModel):
    """As whom somebody is spoken of from now on."""

    model_config = ConfigDict(extra="forbid")

    into: str = Field(description="The entry that stays")
    take: list[str] = Field(
        default_factory=list[str],
        description="Fields in which the entry that goes is right",
        examples=[["phone"]],
        max_length=20,
    )


class PartingBody(BaseModel):
    """With whom somebody is not one."""

    model_config = ConfigDict(extra="forbid")

    other: str


@router.get("/duplicates", power=Powers.MERGE_PEOPLE)
async def duplicates(call: Call, grid: str | None = None, cursor: Cursor = None, limit: Limit = 20) -> Page[Pair]:
    """Pairs within your reach that are worth a look, of one grid if you name it. A page may have fewer than `limit`:
    pairs that turn out to be unlike are left out."""
    await call.fresh(people, territory)
    first, second = decode_cursor(cursor, str, str) if cursor else ("", "")
    ids = await look_alike(call.db, call.grant.sql, grid, (first, second), limit)
    page = Page[tuple[str, str]].of(ids, limit, lambda pair: list(pair))
    pairs = [pair for one, other in page.items if (pair := await _pair(call, one, other))]
    return Page[Pair](items=pairs, next=page.next)


@router.post("/people/{person}/merger", power=Powers.MERGE_PEOPLE, response_model=PersonView)
async def merge(person: str, body: MergerBody, call: Call) -> Response:
    """Somebody is the same as another entry, which stays: every service speaks of them as that from now on."""
    going, staying = await _known(call, person), await _known(call, body.into)
    answer = await call.change(PERSON, person, Merge(body.into, call.require_caller(), call.now), view=as_shown)
    if taken := {field: getattr(going, field) for field in body.take if field in going.personal}:
        entry = {"source": DECISION, "since": None, "corrects": False}
        await call.commands.execute(PERSON, body.into, Register(staying.model_copy(update={**taken, **entry})))
    return answer


@router.post("/people/{person}/parting", power=Powers.MERGE_PEOPLE, response_model=PersonView)
async def part(person: str, body: PartingBody, call: Call) -> Response:
    """Somebody is not the same as another entry, though they look alike or were merged."""
    await _known(call, person)
    await _known(call, body.other)
    command = Unmerge(body.other, call.require_caller(), call.now)
    return await call.change(PERSON, person, command, view=as_shown)


async def _known(call: Call, person: str) -> PersonFacts:
    await call.fresh(people, territory)
    call.grant.require(await grid_of(call.db, person))
    return (await person_of(call, person)).known()


async def _pair(call: Call, one: str, other: str) -> Pair | None:
    try:
        left, right = (await person_of(call, one)).known(), (await person_of(call, other)).known()
    except Erased:  # the table does not know it yet
        return None
    score, reasons = compared(left, right)
    if score < WORTH_SHOWING:
        return None
    return Pair(
        one=masked(left),
        other=masked(right),
        score=round(score, 2),
        reasons=[Reason(code=it.code, words=WORDS[it.code], weight=it.weight) for it in reasons],
    )
