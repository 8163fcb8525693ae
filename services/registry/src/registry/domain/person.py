"""A person who really lives here (实有人口), permanently (常住) or for a time (流动).

What others may see of a person is masked. Who is erased (删除) is known to have been here, and nothing else; whom the
law asks to be kept (依法留存) cannot be erased meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.common import ErasureGround, Presence, Residency
from contracts.registry import (
    PersonChanged,
    PersonConfirmed,
    PersonDisputed,
    PersonErased,
    PersonFacts,
    PersonHeld,
    PersonMerged,
    PersonRegistered,
    PersonReleased,
    PersonUnmerged,
)
from events import Aggregate, Event, Refused
from events.privacy.data import Erased

from registry.domain.contact import HOURS_OF_A_WEEK, is_phone
from registry.domain.entry import Register
from registry.domain.faults import Fault, Why
from registry.domain.identity_document import check_document
from registry.domain.sources import Held, Kinds, completed, evolved, told

KINDS = Kinds(PersonRegistered, PersonChanged, PersonDisputed, PersonConfirmed)


def check_person(facts: PersonFacts) -> None:
    """Raises Fault unless the number of the document is right and date of birth and sex agree with it; a permanent
    resident has a household and a place in it, a floating one has a day when the registration ends."""
    check_document(facts)
    if facts.phone and not is_phone(facts.phone):
        raise Fault("phone", Why.PHONE)
    if facts.home_hours and not HOURS_OF_A_WEEK.fullmatch(facts.home_hours):
        raise Fault("home_hours", Why.HOURS)
    if facts.since and facts.since < facts.birth_date:
        raise Fault("since", Why.BEFORE_BIRTH)
    if facts.presence is not Presence.HERE:
        return
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
    """An identity number is shown by its first and last four characters, a shorter one by less."""
    if len(number) < 15:
        return f"{number[:1]}****{number[-2:]}" if number else ""
    return f"{number[:4]}**********{number[-4:]}"


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of somebody. `same_as` is whom they were found to be, entered twice; `apart_from` whom they were
    found not to be."""

    register: Held[PersonFacts] = field(default_factory=Held[PersonFacts])
    held: PersonHeld | None = None
    same_as: str | None = None
    apart_from: frozenset[str] = frozenset()
    erased: PersonErased | None = None

    def known(self) -> PersonFacts:
        """What the register knows; raises Erased."""
        if self.erased or self.register.facts is None:
            raise Erased
        return self.register.facts


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


@dataclass(frozen=True, slots=True)
class Merge:
    """They are the same as somebody else, says a person who has looked at both."""

    into: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Unmerge:
    """They are not the same as somebody whom they were merged with or look like."""

    other: str
    by: str
    at: datetime


class NotKnown(Refused):
    """Nobody of this id was ever entered."""

    reason = "not-found"


class LegalHold(Refused):
    """The law asks that they be kept."""

    reason = "legal-hold"


class NotMerged(Refused):
    """They were not merged with this one."""

    reason = "not-merged"


class Merged(Refused):
    """They are spoken of as somebody else."""

    reason = "merged"


Command = Register[PersonFacts] | Erase | Hold | Release | Merge | Unmerge


def decide(person: Person, command: Command) -> Sequence[Event]:
    """What is known of a person. Raises Fault, Erased, LegalHold, NotKnown, Merged, NotMerged."""
    if isinstance(command, Register):
        if person.erased:
            raise Erased
        check_person(completed(person.register, command))
        return told(person.register, command, KINDS, "person")
    if person.register.facts is None:
        raise NotKnown("there is nobody of this id")
    id_ = person.register.facts.person
    if isinstance(command, Erase):
        if person.erased:
            return []
        if person.held and command.at < person.held.until:
            raise LegalHold("the law asks that this be kept for the present", until=person.held.until.isoformat())
        return [PersonErased(person=id_, ground=command.ground, at=command.at)]
    person.known()
    match command:
        case Merge(into, by, at):
            return _merged(person, id_, into, by, at)
        case Unmerge(other, by, at):
            if person.same_as not in (None, other):
                raise NotMerged("they were merged with somebody else", into=person.same_as)
            if person.same_as is None and other in person.apart_from:
                return []
            return [PersonUnmerged(person=id_, apart_from=other, by=by, at=at)]
        case Hold(legal_basis, until, at):
            return [PersonHeld(person=id_, legal_basis=legal_basis, until=until, at=at)]
        case Release(at):
            return [PersonReleased(person=id_, at=at)] if person.held else []


def _merged(person: Person, id_: str, into: str, by: str, at: datetime) -> Sequence[Event]:
    if into == id_:
        raise Merged("nobody is merged with themselves")
    if person.same_as == into:
        return []
    if person.same_as:
        raise Merged("they were merged with somebody else: part them first", into=person.same_as)
    return [PersonMerged(person=id_, into=into, by=by, at=at)]


def evolve(person: Person, event: Event) -> Person:
    """The person after an event."""
    match event:
        case PersonHeld():
            return replace(person, held=event)
        case PersonReleased():
            return replace(person, held=None)
        case PersonErased():
            return replace(person, erased=event)
        case PersonMerged():
            return replace(person, same_as=event.into, apart_from=person.apart_from - {event.into})
        case PersonUnmerged():
            return replace(person, same_as=None, apart_from=person.apart_from | {event.apart_from})
        case _:
            return replace(person, register=evolved(person.register, event))


PERSON = Aggregate(
    "person",
    Person(),
    decide,
    evolve,
    (*KINDS, PersonErased, PersonHeld, PersonReleased, PersonMerged, PersonUnmerged),
)
