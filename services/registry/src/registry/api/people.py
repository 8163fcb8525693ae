"""People who really live here (实有人口), masked, to those who look after their grid."""

from datetime import date

from contracts.common import Residency
from contracts.registry import PersonFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from fastapi import Response
from pydantic import BaseModel, Field

from registry.api.powers import Powers
from registry.domain.person import PERSON, masked_name, masked_number
from registry.read_models.addresses import addresses
from registry.read_models.people import grid_of, page, people

router = Router(prefix="/people", tags=["people"])


class PersonView(BaseModel):
    """A person, masked."""

    person: str = Field(description="Pseudonymous id")
    name: str = Field(examples=["王**"])
    id_number: str = Field(examples=["9905**********4658"])
    residency: Residency
    household: str | None
    relation: str | None
    address: str
    registered_until: date | None


class PersonRow(PersonView):
    """A person in a list."""

    grid: str | None


@router.get("", power=Powers.READ_PEOPLE)
async def all_people(
    call: Call,
    grid: str | None = None,
    household: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PersonRow]:
    """People within your reach, of one grid or household if you name it."""
    await call.fresh(people, addresses)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [PersonRow(**row) for row in await page(call.db, call.grant.sql, grid, household, after, limit)]
    return Page[PersonRow].of(rows, limit, lambda row: [row.person])


@router.get("/{person}", power=Powers.READ_PEOPLE, response_model=PersonView)
async def one_person(person: str, call: Call) -> Response:
    """A person by their id."""
    await call.fresh(people, addresses)
    call.grant.require(await grid_of(call.db, person))
    return await call.read(PERSON, person, _masked)


def _masked(known: PersonFacts | None, _version: int) -> PersonView:
    assert known is not None  # noqa: S101  # a person with a version has been registered
    return PersonView(
        person=known.person,
        name=masked_name(known.name),
        id_number=masked_number(known.id_number),
        residency=known.residency,
        household=known.household,
        relation=known.relation,
        address=known.address,
        registered_until=known.registered_until,
    )
