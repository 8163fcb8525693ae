"""Erasing a person (删除), and keeping one whom the law asks to be kept (依法留存)."""

from datetime import datetime
from typing import Annotated

from contracts.common import ErasureGround
from edge import Call, Router
from edge.moments import Moment
from events import NotFound
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from registry.api.powers import Powers
from registry.domain.person import PERSON, Erase, Hold, Person, Release
from registry.read_models.erasures import SERVICES, erasures, report
from registry.read_models.people import grid_of, people

router = Router(prefix="/people", tags=["erasures"])


class ErasureAsked(BaseModel):
    """Why somebody is to be erased."""

    model_config = ConfigDict(extra="forbid")

    ground: ErasureGround = Field(description="By article 47 of the Personal Information Protection Law")


class HoldAsked(BaseModel):
    """Why, and until when, the law asks that somebody's data be kept."""

    model_config = ConfigDict(extra="forbid")

    legal_basis: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
    until: Moment


class Standing(BaseModel):
    """How it stands with somebody's data."""

    person: str
    held_until: datetime | None
    erased_at: datetime | None


class Confirmation(BaseModel):
    """What a service has said: it holds nothing of them any more."""

    service: str
    parked: int = Field(description="Events that waited for an operator, and were dropped")
    answers: int = Field(description="Stored answers to commands that were dropped")
    timers: int = Field(description="Timers that were dropped")
    at: datetime


class ErasureReport(BaseModel):
    """An erasure, and who has confirmed it."""

    person: str
    ground: ErasureGround
    at: datetime
    confirmed: list[Confirmation]
    waiting_for: list[str] = Field(description="Services that have not confirmed it yet")


@router.post("/{person}/erasure", power=Powers.ERASE_PEOPLE, response_model=Standing, status_code=202)
async def erase(person: str, asked: ErasureAsked, call: Call) -> Response:
    """Destroys the person's key, for ever: no event can be read any more, and every service drops what it derived.
    GET the same address for what they have confirmed."""
    await call.fresh(people)
    call.grant.require(await grid_of(call.db, person))
    return await call.change(PERSON, person, Erase(asked.ground, call.now), view=_standing, status=202)


@router.get("/{person}/erasure", power=Powers.ERASE_PEOPLE)
async def erasure_report(person: str, call: Call) -> ErasureReport:
    """What became of an erasure."""
    await call.fresh(erasures)
    found = await report(call.db, person)
    if found is None:
        raise NotFound("this person was not erased")
    row, rows = found
    confirmed = [Confirmation(**it) for it in rows]
    waiting = sorted(SERVICES.keys() - {it.service for it in confirmed})
    return ErasureReport(**row, confirmed=confirmed, waiting_for=waiting)


@router.post("/{person}/hold", power=Powers.HOLD_PEOPLE, response_model=Standing)
async def hold(person: str, asked: HoldAsked, call: Call) -> Response:
    """Keeps somebody's data from being erased, until then at the latest."""
    await call.fresh(people)
    call.grant.require(await grid_of(call.db, person))
    return await call.change(PERSON, person, Hold(asked.legal_basis, asked.until, call.now), view=_standing)


@router.post("/{person}/release", power=Powers.HOLD_PEOPLE, response_model=Standing)
async def release(person: str, call: Call) -> Response:
    """The law no longer asks that it be kept."""
    await call.fresh(people)
    call.grant.require(await grid_of(call.db, person))
    return await call.change(PERSON, person, Release(call.now), view=_standing)


def _standing(person: Person, _version: int) -> Standing:
    assert person.register.facts is not None  # noqa: S101  # a person with a version has been registered
    return Standing(
        person=person.register.facts.person,
        held_until=person.held.until if person.held else None,
        erased_at=person.erased.at if person.erased else None,
    )
