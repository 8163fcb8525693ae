"""Households (户), to those who look after their grid."""

from contracts.registry import HouseholdFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel

from registry.api.powers import Powers
from registry.api.views import as_known
from registry.domain.household import HOUSEHOLD
from registry.read_models.addresses import addresses
from registry.read_models.households import grid_of, households, page
from registry.read_models.people import people

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
    await call.fresh(households, addresses, people)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [HouseholdRow(**row) for row in await page(call.db, call.grant.sql, grid, after, limit)]
    return Page[HouseholdRow].of(rows, limit, lambda row: [row.household])


@router.get("/{household}", power=Powers.READ_HOUSEHOLDS, response_model=HouseholdFacts)
async def one_household(household: str, call: Call) -> Response:
    """A household by its id."""
    await call.fresh(households, addresses)
    call.grant.require(await grid_of(call.db, household))
    return await call.read(HOUSEHOLD, household, as_known)
