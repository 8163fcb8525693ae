"""The powers that the registry's operations need."""

from enum import StrEnum


class Powers(StrEnum):
    """Their codes on the power list."""

    READ_POWERS = "powers.read"
    KEEP_POWERS = "powers.keep"
    KEEP_REGISTERS = "registers.keep"
    READ_COUNTS = "counts.read"
    EXACT_COUNTS = "counts.exact"
    READ_GRIDS = "grids.read"
    READ_ADDRESSES = "addresses.read"
    READ_BUILDINGS = "buildings.read"
    READ_HOUSEHOLDS = "households.read"
    READ_PEOPLE = "people.read"
    SEE_PEOPLE = "people.see"
    IDENTIFY_PEOPLE = "people.identify"
    FIND_PEOPLE = "people.find"
    ERASE_PEOPLE = "people.erase"
    HOLD_PEOPLE = "people.hold"
    COPY_PEOPLE = "people.copy"
    READ_DISCLOSURES = "disclosures.read"
    ASK_CORRECTIONS = "corrections.ask"
    REVIEW_CORRECTIONS = "corrections.review"
    READ_UNITS = "units.read"
    READ_ROSTER = "roster.read"
    DISMISS = "members.dismiss"
    READ_DUTIES = "duties.read"
