"""Households (户), to those who look after their grid."""

from contracts.registry import HouseholdFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel, Field

from registry.api.history import Moment, When, as_known
from registry.api.powers import Powers
from registry.api.views import as_held
from registry.domain.history import day_in_china
from registry.domain.household import HOUSEHOLD
from registry.domain.person import PERSON, masked_name
from registry.read_models.households import grid_of, households, page
from registry.read_models.past import members, past
from registry.read_models.people import people
from registry.read_models.territory import territory

router = Router(prefix="/households", tags=["households"])


class HouseholdRow(BaseModel):
    """A household in a list, with its address as one writes it and how many live in it."""

    household: str
    address: str
    written: str | None
    grid: str | None
    people: int


@router.get("", power=Powers.READ_HOUSEHOLDS)
async def all_households(
    call: Call, grid: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[HouseholdRow]:
    """Households within your reach, of one grid if you name it."""
    await call.fresh(households, territory, people)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [HouseholdRow(**row) for row in await page(call.db, call.grant.sql, grid, after, limit)]
    return Page[HouseholdRow].of(rows, limit, lambda row: [row.household])


@router.get("/{household}", power=Powers.READ_HOUSEHOLDS, response_model=HouseholdFacts)
async def one_household(household: str, call: Call, when: When) -> Response:
    """A household by its id, now or as it was."""
    await call.fresh(households, territory)
    call.grant.require(await grid_of(call.db, household))
    if when.now:
        return await call.read(HOUSEHOLD, household, as_held)
    found = await as_known(call, HOUSEHOLD, household, when)
    return Response(found.model_dump_json(), media_type="application/json")


class Member(BaseModel):
    """Somebody who belongs to a household."""

    person: str
    name: str = Field(examples=["王**"])
    relation: str | None = Field(description="To the head (户主): head, spouse, child, parent, other")


@router.get("/{household}/members", power=Powers.READ_PEOPLE)
async def members_of(household: str, call: Call, when: When) -> list[Member]:
    """Who belongs to a household, now or on a past day; the head first."""
    await call.fresh(past, households, territory)
    call.grant.require(await grid_of(call.db, household))
    day = when.as_of or day_in_china(call.now)
    found = [
        await as_known(call, PERSON, person, Moment(as_of=day, known_at=when.known_at))
        for person in await members(call.db, household, day, when.known_at)
    ]
    shown = [Member(person=it.person, name=masked_name(it.name), relation=it.relation) for it in found]
    return sorted(shown, key=lambda it: (it.relation != "head", it.person))
