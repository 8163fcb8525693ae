"""A person who really lives here (实有人口), permanently (常住) or for a time (流动).

What others may see of a person is masked. Who is erased (删除) is known to have been here, and nothing else; whom the
law asks to be kept (依法留存) cannot be erased meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.common import ErasureGround, Residency
from contracts.registry import PersonChanged, PersonErased, PersonFacts, PersonHeld, PersonRegistered, PersonReleased
from events import Aggregate, Event, Refused
from events.privacy.data import Erased

from registry.domain import identity_number
from registry.domain.contact import is_phone
from registry.domain.entry import Register, entered
from registry.domain.faults import Fault, Why
from registry.domain.identity_number import FEMALE, MALE


def check_person(facts: PersonFacts) -> None:
    """Raises Fault unless the identity number is right and date of birth and sex agree with it; a permanent resident
    has a household and a place in it, a floating one has a day when the registration ends."""
    number = facts.id_number
    if not identity_number.is_well_formed(number):
        raise Fault("id_number", Why.IDENTITY_NUMBER)
    if not identity_number.checks(number):
        raise Fault("id_number", Why.CHECKSUM)
    if facts.birth_date != identity_number.birth_date_in(number):
        raise Fault("birth_date", Why.BIRTH_DATE)
    if facts.sex in (MALE, FEMALE) and facts.sex != identity_number.sex_in(number):
        raise Fault("sex", Why.SEX)
    if facts.phone and not is_phone(facts.phone):
        raise Fault("phone", Why.PHONE)
    if facts.residency is Residency.PERMANENT and not facts.household:
        raise Fault("household", Why.MISSING)
    if facts.household and not facts.relation:
        raise Fault("relation", Why.MISSING)
    if facts.residency is Residency.FLOATING and not facts.registered_until:
        raise Fault("registered_until", Why.MISSING)


def masked_name(name: str) -> str:
    """王小明 is shown as 王**, whatever the name's length."""
    return f"{name[:1]}**"


def masked_number(number: str) -> str:
    """An identity number is shown by its first and last four characters."""
    return f"{number[:4]}**********{number[-4:]}"


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of somebody."""

    facts: PersonFacts | None = None
    held: PersonHeld | None = None
    erased: PersonErased | None = None

    def known(self) -> PersonFacts:
        """What the register knows; raises Erased."""
        if self.erased or self.facts is None:
            raise Erased
        return self.facts


@dataclass(frozen=True, slots=True)
class Erase:
    """Nothing is to be known of them any more."""

    ground: ErasureGround
    at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """The law asks that they be kept until then."""

    legal_basis: str
    until: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """It does so no longer."""

    at: datetime


class NotKnown(Refused):
    """Nobody of this id was ever entered."""

    reason = "not-found"


class LegalHold(Refused):
    """The law asks that they be kept."""

    reason = "legal-hold"


def decide(person: Person, command: Register[PersonFacts] | Erase | Hold | Release) -> Sequence[Event]:
    """What is known of a person. Raises Fault, Erased, LegalHold, NotKnown."""
    if isinstance(command, Register):
        check_person(command.facts)
        if person.erased:
            raise Erased
        return entered(person.facts, command.facts, PersonRegistered, PersonChanged)
    if person.facts is None:
        raise NotKnown("there is nobody of this id")
    id_ = person.facts.person
    if isinstance(command, Erase):
        if person.erased:
            return []
        if person.held and command.at < person.held.until:
            raise LegalHold("the law asks that this be kept for the present", until=person.held.until.isoformat())
        return [PersonErased(person=id_, ground=command.ground, at=command.at)]
    person.known()
    if isinstance(command, Hold):
        return [PersonHeld(person=id_, legal_basis=command.legal_basis, until=command.until, at=command.at)]
    return [PersonReleased(person=id_, at=command.at)] if person.held else []


def evolve(person: Person, event: Event) -> Person:
    """The person after an event."""
    match event:
        case PersonFacts():
            return replace(person, facts=event)
        case PersonHeld():
            return replace(person, held=event)
        case PersonReleased():
            return replace(person, held=None)
        case PersonErased():
            return replace(person, erased=event)
        case _:
            return person


PERSON = Aggregate(
    "person",
    Person(),
    decide,
    evolve,
    (PersonRegistered, PersonChanged, PersonErased, PersonHeld, PersonReleased),
)
