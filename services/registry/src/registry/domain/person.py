"""A person who really lives here (实有人口), permanently (常住) or for a time (流动).

What others may see of a person is masked.
"""

from collections.abc import Sequence

from contracts.common import Residency
from contracts.registry import PersonChanged, PersonFacts, PersonRegistered
from events import Aggregate, Event

from registry.domain import identity_number
from registry.domain.contact import is_phone
from registry.domain.entry import Register, entered, latest
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


def decide(known: PersonFacts | None, command: Register[PersonFacts]) -> Sequence[Event]:
    """What is known of a person."""
    check_person(command.facts)
    return entered(known, command.facts, PersonRegistered, PersonChanged)


PERSON = Aggregate("person", None, decide, latest, (PersonRegistered, PersonChanged))
