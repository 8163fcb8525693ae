"""People who really live here (实有人口), to those who look after their grid: masked, and in the open for a purpose.

Whoever sees somebody in the open is on record before they do.
"""

from datetime import date
from typing import Annotated, Literal

from contracts.common import IdentityDocument, Presence, Residency
from contracts.registry import PersonFacts
from edge import Call, Cursor, Limit, Page, Router, decode_cursor
from events.privacy.blind_index import blind_index
from fastapi import Header, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from registry.api.disclosures import on_record
from registry.api.history import When, as_known
from registry.api.powers import Powers
from registry.api.views import person_of
from registry.domain.names import looked_for
from registry.domain.person import PERSON, Person, masked_name, masked_number
from registry.read_models.people import found, found_by_words, grid_of, page, people, word
from registry.read_models.territory import territory

router = Router(prefix="/people", tags=["people"])

PURPOSE = r"^[a-z][a-z_]{0,63}$"


class Masked(BaseModel):
    """What is shown of a person to whoever may see that they are there."""

    person: str = Field(description="Pseudonymous id")
    name: str = Field(examples=["王**"])
    id_number: str = Field(examples=["9905**********4658"])
    residency: Residency
    household: str | None
    relation: str | None
    address: str
    registered_until: date | None


class PersonView(Masked):
    """A person; masked, but for what is `disclosed`."""

    document: IdentityDocument
    presence: Presence
    no_contact: bool = Field(description="They asked not to be contacted")
    since: date | None = Field(description="The day from which this is so, where that is known")
    same_as: str | None = Field(description="Whom they were found to be, entered twice")
    home_hours: str | None = Field(description="When they can be met at home; only if disclosed")

    sex: str | None = Field(description="GB/T 2261.1; only if disclosed")
    birth_date: date | None = Field(description="Only if disclosed")
    phone: str | None = Field(description="Only if disclosed")
    disclosed: list[str] = Field(description="The fields that are shown in the open, for your purpose")


class PersonRow(Masked):
    """A person in a list, masked."""

    grid: str | None


class Number(BaseModel):
    """A number that somebody has."""

    model_config = ConfigDict(extra="forbid")

    of: Literal["id_number", "phone"]
    number: Annotated[str, StringConstraints(min_length=5, max_length=40, pattern=r"[0-9０-９]")]


class Words(BaseModel):
    """What is remembered of somebody; all of it must be so."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(
        None,
        description="The name or its beginning, the given name, pinyin, surname and initials, or initials",
        examples=["王小明", "小明", "wangxiaoming", "wangxm", "wxm"],
        min_length=1,
        max_length=40,
    )
    phone_tail: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = None
    grid: str | None = None


@router.get("", power=Powers.READ_PEOPLE)
async def all_people(
    call: Call,
    grid: str | None = None,
    household: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PersonRow]:
    """People within your reach, of one grid or household if you name it."""
    await call.fresh(people, territory)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    rows = [PersonRow(**row) for row in await page(call.db, call.grant.sql, grid, household, after, limit)]
    return Page[PersonRow].of(rows, limit, lambda row: [row.person])


@router.post("/search", power=Powers.FIND_PEOPLE, asks=True)
async def search(call: Call, number: Number) -> list[PersonRow]:
    """Those within your reach whose number this is, however it is written. Numbers are sent in the body, for
    addresses are kept in many places. That you have searched is on record, and not for whom."""
    await call.fresh(people, territory)
    index = blind_index(await call.runtime.personal.keys.index_key(), number.of, number.number)
    await call.put_on_record()
    return [PersonRow(**row) for row in await found(call.db, call.grant.sql, number.of, index)]


@router.post("/find", power=Powers.FIND_PEOPLE, asks=True)
async def find(call: Call, sought: Words, cursor: Cursor = None, limit: Limit = 50) -> Page[PersonRow]:
    """Those within your reach of whom this is remembered: name, pinyin, initials, the last four digits of a telephone
    number; nobody, if it is nothing. That you have searched is on record, and not for whom."""
    await call.fresh(people, territory)
    key = await call.runtime.personal.keys.index_key()
    name = looked_for(sought.name) if sought.name else ""
    words = [word(key, "name", name)] if name else []
    words += [word(key, "phone tail", sought.phone_tail)] if sought.phone_tail else []
    if not words:  # nothing is remembered: that is nobody, and not everybody
        return Page[PersonRow](items=[], next=None)
    after = decode_cursor(cursor, str)[0] if cursor else ""
    await call.put_on_record()
    rows = await found_by_words(call.db, call.grant.sql, sought.grid, words, after, limit)
    return Page[PersonRow].of([PersonRow(**row) for row in rows], limit, lambda row: [row.person])


@router.get("/{person}", power=Powers.READ_PEOPLE, response_model=PersonView)
async def one_person(
    person: str,
    call: Call,
    when: When,
    purpose: Annotated[
        str | None,
        Header(pattern=PURPOSE, description="What you need to see more for, by people.see or people.identify"),
    ] = None,
) -> Response:
    """A person by their id, now or as they were. With a `Purpose`, the fields that the power list gives you for it are
    shown in the open, and it is recorded that you have seen them."""
    await call.fresh(people, territory)
    grid = await grid_of(call.db, person)
    call.grant.require(grid)
    if purpose is None and when.now:
        return await call.read(PERSON, person, as_shown)
    known = await person_of(call, person)
    facts = known.known() if when.now else await as_known(call, PERSON, person, when)
    view = masked(facts).model_copy(update={"same_as": known.same_as})
    if purpose is None:
        return Response(view.model_dump_json(), media_type="application/json")
    fields = await call.fields(purpose, grid, Powers.SEE_PEOPLE, Powers.IDENTIFY_PEOPLE)
    view = _opened(view, facts, fields)
    headers = await on_record(call, person, view.disclosed, purpose)
    return Response(view.model_dump_json(), 200, headers, "application/json")


def as_shown(person: Person, _version: int) -> PersonView:
    """What is shown of somebody who is known."""
    return masked(person.known()).model_copy(update={"same_as": person.same_as})


def masked(known: PersonFacts) -> PersonView:
    """What is shown of somebody to whoever may see that they are there."""
    return PersonView(
        person=known.person,
        name=masked_name(known.name),
        id_number=masked_number(known.id_number),
        residency=known.residency,
        household=known.household,
        relation=known.relation,
        address=known.address,
        registered_until=known.registered_until,
        document=known.document,
        presence=known.presence,
        no_contact=known.no_contact,
        since=known.since,
        same_as=None,
        home_hours=None,
        sex=None,
        birth_date=None,
        phone=None,
        disclosed=[],
    )


def _opened(view: PersonView, known: PersonFacts, fields: frozenset[str]) -> PersonView:
    names = fields & known.personal.keys() & PersonView.model_fields.keys()
    shown = {name: getattr(known, name) for name in sorted(names)}
    return view.model_copy(update={**shown, "disclosed": list(shown)})
