"""A standard address (标准地址), and the names that it had or has besides."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date

from contracts.registry import (
    AddressChanged,
    AddressConfirmed,
    AddressDisputed,
    AddressFacts,
    AddressName,
    AddressRegistered,
    NameKind,
)
from events import Aggregate, Event, NotFound

from registry.domain.entry import Register
from registry.domain.faults import Fault, Why
from registry.domain.ground import in_china
from registry.domain.sources import Held, Kinds, completed, evolved, told
from registry.domain.writing import Parts, folded, key, normalised, part, spelling, writing

KINDS = Kinds(AddressRegistered, AddressChanged, AddressDisputed, AddressConfirmed)


@dataclass(frozen=True, slots=True)
class Name:
    """The address is, or was, called so too."""

    name: AddressName


@dataclass(frozen=True, slots=True)
class Rename:
    """Its street has another name from that day on."""

    street: str
    renamed: str
    on: date


def check_division_code(code: str) -> None:
    """Raises Fault unless it is 12 digits: province, city, district (GB/T 2260), then subdistrict and community; the
    last three are not 000, which would be the whole subdistrict."""
    if not re.fullmatch(r"[0-9]{12}", code) or code.endswith("000"):
        raise Fault("division_code", Why.DIVISION_CODE)


def check_address(facts: AddressFacts) -> None:
    """Raises Fault."""
    check_division_code(facts.division_code)
    if not in_china(facts.place.longitude, facts.place.latitude):
        raise Fault("longitude", Why.COORDINATES)


def parts_of(facts: AddressFacts) -> Parts:
    """Its parts, normalised: addresses of the same division with the same `writing.key` of them are one place."""
    return normalised(Parts(facts.street, facts.number, facts.building, facts.unit, floor=facts.floor, room=facts.room))


def written(facts: AddressFacts) -> str:
    """The address as one writes it: 蚕花路6号1幢1单元101室."""
    return writing(parts_of(facts))


def decide(held: Held[AddressFacts], command: Register[AddressFacts] | Name | Rename) -> Sequence[Event]:
    """What is known of an address. Raises Fault. That it lies in another grid now is no news: grids say so."""
    match command:
        case Register():
            command = _by_its_names(held, command)
            check_address(completed(held, command))
            return told(held, command, KINDS, "address", derived=frozenset({"grid", "names"}))
        case Name(name):
            return _changed(held, _named(_known(held), name))
        case Rename(street, renamed, on):
            return _changed(held, _renamed(_known(held), street, renamed, on))


def _known(held: Held[AddressFacts]) -> AddressFacts:
    if held.facts is None:
        raise NotFound("there is no such address")
    return held.facts


def _changed(held: Held[AddressFacts], facts: AddressFacts) -> Sequence[Event]:
    return [] if facts == held.facts else [AddressChanged(**dict(facts))]


def _by_its_names(held: Held[AddressFacts], command: Register[AddressFacts]) -> Register[AddressFacts]:
    """Files know nothing of names: those that there are stay, and whoever still writes a former one means the present
    one."""
    if held.facts is None:
        return command
    known, facts = held.facts, command.facts
    former = {spelling(it.name) for it in known.names if it.kind is NameKind.FORMER}
    now = {name: getattr(known, name) for name in asdict(parts_of(known))}
    meant = now if former and key(parts_of(facts)) in former else {}
    return replace(command, facts=facts.model_copy(update={**meant, "names": known.names}))


def _named(facts: AddressFacts, name: AddressName) -> AddressFacts:
    """With this name besides. Raises Fault."""
    if not folded(name.name):
        raise Fault("name", Why.MISSING)
    called = spelling(name.name)
    if name in facts.names or called == key(parts_of(facts)):
        return facts
    others = tuple(it for it in facts.names if spelling(it.name) != called)
    return facts.model_copy(update={"names": (*others, name), "since": None, "source": "", "corrects": False})


def _renamed(facts: AddressFacts, street: str, renamed: str, on: date) -> AddressFacts:
    if parts_of(facts).street != part("street", street):
        return facts  # it has been renamed before, or moved
    former = AddressName(name=written(facts), kind=NameKind.FORMER, until=on)
    return _named(facts.model_copy(update={"street": part("street", renamed)}), former).model_copy(update={"since": on})


ADDRESS = Aggregate("address", Held[AddressFacts](), decide, evolved, KINDS)
