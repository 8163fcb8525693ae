"""A standard address (标准地址)."""

import re
from collections.abc import Sequence

from contracts.registry import AddressChanged, AddressConfirmed, AddressDisputed, AddressFacts, AddressRegistered
from events import Aggregate, Event

from registry.domain.entry import Register
from registry.domain.faults import Fault, Why
from registry.domain.ground import in_china
from registry.domain.sources import Held, Kinds, completed, evolved, told

KINDS = Kinds(AddressRegistered, AddressChanged, AddressDisputed, AddressConfirmed)


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


def written(facts: AddressFacts) -> str:
    """The address as one writes it: 蚕花路6号1幢1单元101室."""
    parts = ((facts.number, "号"), (facts.building, "幢"), (facts.unit, "单元"), (facts.room, "室"))
    return facts.street + "".join(f"{part.removesuffix(mark)}{mark}" for part, mark in parts if part)


def decide(held: Held[AddressFacts], command: Register[AddressFacts]) -> Sequence[Event]:
    """What is known of an address. Raises Fault. That it lies in another grid now is no news: grids say so."""
    check_address(completed(held, command))
    return told(held, command, KINDS, "address", derived=frozenset({"grid"}))


def evolve(held: Held[AddressFacts], event: Event) -> Held[AddressFacts]:
    """What is held after an event."""
    return evolved(held, event)


ADDRESS = Aggregate("address", Held[AddressFacts](), decide, evolve, KINDS)
