"""A standard address (标准地址), and the grid that it lies in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.registry import AddressChanged, AddressFacts, AddressRegistered
from events import Aggregate, Event, NotFound

from registry.domain.entry import Register, entered, latest
from registry.domain.faults import Fault, Why
from registry.domain.ground import in_china


@dataclass(frozen=True, slots=True)
class Locate:
    """Now that grids were drawn anew, the address lies in this one, or in none."""

    grid: str | None


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


def decide(known: AddressFacts | None, command: Register[AddressFacts] | Locate) -> Sequence[Event]:
    """What is known of an address."""
    match command:
        case Register(facts):
            check_address(facts)
        case Locate(grid):
            if known is None:
                raise NotFound("there is no such address")
            facts = known.model_copy(update={"grid": grid})
    return entered(known, facts, AddressRegistered, AddressChanged)


ADDRESS = Aggregate("address", None, decide, latest, (AddressRegistered, AddressChanged))
