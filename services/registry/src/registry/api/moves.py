"""Who moves in, out or within (迁入、迁出、迁移), who dies, and how households split and merge (分户、并户)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from contracts.common import Presence, Residency
from contracts.registry import HouseholdFacts, PersonFacts
from edge import Call, Router
from edge.moments import Day
from events import Refused, Token
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from registry.api.people import PersonView, as_shown
from registry.api.powers import Powers
from registry.api.views import person_of
from registry.domain.entry import Register
from registry.domain.faults import Fault, Why
from registry.domain.history import day_in_china
from registry.domain.household import HOUSEHOLD, NoHouseholdToJoin
from registry.domain.person import PERSON
from registry.domain.references import id_of
from registry.domain.relation import Relation
from registry.domain.sources import DECISION
from registry.read_models.households import grid_of as grid_of_household
from registry.read_models.households import households
from registry.read_models.households import known as known_households
from registry.read_models.people import grid_of, members, people
from registry.read_models.territory import known_addresses, territory

router = Router(tags=["moves"])

MOST = 50
"""People of one household."""


class MoveBody(BaseModel):
    """Where somebody lives from a day on. What is not named stays as it is."""

    model_config = ConfigDict(extra="forbid")

    on: Day = Field(description="The day, in China")
    to: str | None = Field(None, description="Id of the address; none: they leave, and it is not known where to")
    household: str | None = Field(None, description="Id of the household that they belong to there")
    relation: Relation | None = None
    residency: Residency | None = None
    registered_until: Day | None = Field(None, description="Floating residents: when the registration ends")


class DeathBody(BaseModel):
    """The day on which somebody died."""

    model_config = ConfigDict(extra="forbid")

    on: Day


class SplitBody(BaseModel):
    """Who leaves a household together, and forms another one."""

    model_config = ConfigDict(extra="forbid")

    on: Day
    members: dict[str, Relation] = Field(
        description="By their ids, their relations to the head of the new household, who is one of them",
        min_length=1,
        max_length=MOST,
    )
    to: str | None = Field(None, description="Id of their address, if they move")


class MergerBody(BaseModel):
    """Into which household another one is taken."""

    model_config = ConfigDict(extra="forbid")

    on: Day
    into: str
    relations: dict[str, Relation] = Field(
        default_factory=dict[str, Relation],
        description="Of those who come, to its head; whoever is not named is `other`",
        max_length=MOST,
    )


class HouseholdView(BaseModel):
    """A household and who belongs to it."""

    household: str
    address: str
    dissolved: bool
    members: list[str]


@router.post("/people/{person}/moves", power=Powers.KEEP_PEOPLE, response_model=PersonView)
async def move(person: str, body: MoveBody, call: Call) -> Response:
    """Somebody moves in again, within, or out."""
    known = await _within_reach(call, person)
    _not_to_come(call, body.on)
    if body.to is None:
        gone: dict[str, Any] = {"presence": Presence.MOVED_OUT}
        return await _changed(call, known, body.on, gone)
    await _known(call, address=body.to, household=body.household)
    update: dict[str, Any] = {"presence": Presence.HERE, "address": body.to}
    update |= {name: getattr(body, name) for name in body.model_fields_set - {"on", "to"}}
    return await _changed(call, known, body.on, update)


@router.post("/people/{person}/death", power=Powers.KEEP_PEOPLE, response_model=PersonView)
async def die(person: str, body: DeathBody, call: Call) -> Response:
    """Somebody has died."""
    known = await _within_reach(call, person)
    _not_to_come(call, body.on)
    return await _changed(call, known, body.on, {"presence": Presence.DIED})


@router.post("/households/{household}/split", power=Powers.KEEP_PEOPLE, status_code=201, response_model=HouseholdView)
async def split(household: str, body: SplitBody, call: Call) -> Response:
    """Some of a household form another one."""
    held = await _household(call, household)
    _not_to_come(call, body.on)
    await _known(call, address=body.to)
    if list(body.members.values()).count(Relation.HEAD) != 1:
        raise Fault("members", Why.ONE_HEAD)
    own = await members(call.db, household)
    new = id_of("household", f"{household}/{call.request.headers.get('Idempotency-Key')}")
    if not body.members.keys() <= {*own, *await members(call.db, new)}:
        raise Fault("members", Why.NOT_OF_THIS_HOUSEHOLD)
    facts = HouseholdFacts(household=new, address=body.to or held.address, since=body.on, source=DECISION)
    view = HouseholdView(household=new, address=facts.address, dissolved=False, members=sorted(body.members))
    answer = await call.create(
        HOUSEHOLD, new, Register(facts), view=lambda _held, _version: view, location="/households/{id}"
    )
    update = {"household": new, "address": facts.address}
    changes = {it: {**update, "relation": to_head} for it, to_head in body.members.items()}
    token = await _all_change(call, changes, body.on)
    if token is None:  # a repetition: they were changed before
        token = max([await _latest(call, it) for it in body.members], key=lambda it: it.position)
    answer.headers["Consistency-Token"] = str(token)  # they come after the household
    return answer


@router.post("/households/{household}/merger", power=Powers.KEEP_PEOPLE, response_model=HouseholdView)
async def merge(household: str, body: MergerBody, call: Call) -> Response:
    """All of a household join another one, which lives on."""
    held, into = await _household(call, household), await _household(call, body.into)
    _not_to_come(call, body.on)
    if household == body.into or into.dissolved:
        raise NoHouseholdToJoin("name another household that is still there")
    coming = await members(call.db, household)
    update = {"household": body.into, "address": into.address}
    relations = {it: body.relations.get(it, Relation.OTHER) for it in coming}
    await _all_change(call, {it: {**update, "relation": relations[it]} for it in coming}, body.on)
    facts = held.model_copy(update={"dissolved": True, "since": body.on, "source": DECISION, "corrects": False})
    view = HouseholdView(household=household, address=held.address, dissolved=True, members=[])
    return await call.create(HOUSEHOLD, household, Register(facts), view=lambda _held, _version: view, status=200)


async def _within_reach(call: Call, person: str) -> PersonFacts:
    await call.fresh(people, territory)
    call.grant.require(await grid_of(call.db, person))
    return (await person_of(call, person)).known()


async def _household(call: Call, household: str) -> HouseholdFacts:
    await call.fresh(households, people, territory)
    call.grant.require(await grid_of_household(call.db, household))
    held, _ = await call.commands.load(HOUSEHOLD, household)
    if held.facts is None:
        raise Fault("household", Why.UNKNOWN_HOUSEHOLD)
    return held.facts


def _not_to_come(call: Call, day: date) -> None:
    if day > day_in_china(call.now):
        raise Fault("on", Why.IN_FUTURE)


async def _known(call: Call, *, address: str | None = None, household: str | None = None) -> None:
    if address and not await known_addresses(call.db, [address]):
        raise Fault("to", Why.UNKNOWN_ADDRESS)
    if household and not await known_households(call.db, [household]):
        raise Fault("household", Why.UNKNOWN_HOUSEHOLD)


def _register(known: PersonFacts, day: date, update: Mapping[str, Any]) -> Register[PersonFacts]:
    entry = {"since": day, "source": DECISION, "corrects": False}
    return Register(known.model_copy(update={**update, **entry}))


async def _changed(call: Call, known: PersonFacts, day: date, update: Mapping[str, Any]) -> Response:
    return await call.change(PERSON, known.person, _register(known, day, update), view=as_shown)


async def _all_change(call: Call, updates: Mapping[str, Mapping[str, Any]], day: date) -> Token | None:
    """All of them at once; the token by which that can be read, if anything follows. Raises what one of them is refused
    for."""
    commands = {
        person: _register((await person_of(call, person)).known(), day, update) for person, update in updates.items()
    }
    tokens: list[Token] = []
    for answer in (await call.commands.execute_many(PERSON, commands)).values():
        if isinstance(answer, Refused):
            raise answer
        tokens += [answer.token] if answer.token else []
    return max(tokens, key=lambda it: it.position, default=None)


async def _latest(call: Call, person: str) -> Token:
    """The token by which somebody can be read as they are now."""
    last = (await call.commands.history(PERSON, person))[-1].raw
    return Token(call.runtime.service.name, last.stream, last.position)
