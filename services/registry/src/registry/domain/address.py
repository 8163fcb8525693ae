"""A standard address (标准地址), the grid that it lies in, and the names that it had or has besides."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from contracts.registry import AddressChanged, AddressFacts, AddressName, AddressRegistered, NameKind
from events import Aggregate, Event, NotFound

from registry.domain.entry import Register, entered, latest
from registry.domain.faults import Fault, Why
from registry.domain.ground import in_china
from registry.domain.writing import Parts, folded, key, normalised, part, spelling, writing


@dataclass(frozen=True, slots=True)
class Locate:
    """Now that grids were drawn anew, the address lies in this one, or in none."""

    grid: str | None


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


def decide(known: AddressFacts | None, command: Register[AddressFacts] | Locate | Name | Rename) -> Sequence[Event]:
    """What is known of an address."""
    match command:
        case Register(facts):
            check_address(facts)
            facts = _with_its_names(known, facts) if known else facts
        case Locate(grid):
            facts = _known(known).model_copy(update={"grid": grid})
        case Name(name):
            facts = _named(_known(known), name)
        case Rename(street, renamed, on):
            facts = _renamed(_known(known), street, renamed, on)
    return entered(known, facts, AddressRegistered, AddressChanged)


def _known(known: AddressFacts | None) -> AddressFacts:
    if known is None:
        raise NotFound("there is no such address")
    return known


def _with_its_names(known: AddressFacts, facts: AddressFacts) -> AddressFacts:
    """What a file says that knows nothing of names: they stay, and whoever still writes a former name means the present
    one."""
    for name in facts.names:
        known = _named(known, name)
    former = {spelling(it.name) for it in known.names if it.kind is NameKind.FORMER}
    now = asdict(parts_of(known)) if former and key(parts_of(facts)) in former else {}
    return facts.model_copy(update={**now, "names": known.names})


def _named(facts: AddressFacts, name: AddressName) -> AddressFacts:
    """With this name besides. Raises Fault."""
    if not folded(name.name):
        raise Fault("name", Why.MISSING)
    called = spelling(name.name)
    if called == key(parts_of(facts)):
        return facts
    others = tuple(it for it in facts.names if spelling(it.name) != called)
    return facts if name in facts.names else facts.model_copy(update={"names": (*others, name)})


def _renamed(facts: AddressFacts, street: str, renamed: str, on: date) -> AddressFacts:
    if parts_of(facts).street != part("street", street):
        return facts  # it has been renamed before, or moved
    former = AddressName(name=written(facts), kind=NameKind.FORMER, until=on)
    return _named(facts.model_copy(update={"street": part("street", renamed)}), former)


ADDRESS = Aggregate("address", None, decide, latest, (AddressRegistered, AddressChanged))
