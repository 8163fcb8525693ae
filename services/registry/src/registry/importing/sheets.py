"""How each register's file is read: its columns, and what a row says."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from contracts.common import (
    DeadlineClock,
    IdentityDocument,
    Place,
    Post,
    Presence,
    Residency,
    Tenure,
    Title,
    UnitCategory,
)
from contracts.registry import (
    AddressFacts,
    BuildingFacts,
    DueKind,
    DutyFacts,
    HouseholdFacts,
    MemberFacts,
    PersonFacts,
    Training,
    UnitFacts,
)
from events import Aggregate, Database, Event, ReadModel

from registry.domain.address import ADDRESS, check_division_code
from registry.domain.building import BUILDING
from registry.domain.duty import DUTY
from registry.domain.faults import Fault, Why
from registry.domain.household import HOUSEHOLD
from registry.domain.member import MEMBER
from registry.domain.person import PERSON
from registry.domain.references import check_code, check_reference, id_of
from registry.domain.relation import Relation
from registry.domain.unit import UNIT
from registry.domain.writing import Parts, normalised
from registry.importing.cells import (
    Cells,
    choice,
    day,
    degrees,
    digits,
    needed,
    needed_digits,
    several,
    text,
    whole,
)
from registry.importing.places import Sought, sought
from registry.read_models import households
from registry.read_models.territory import known_addresses, known_grids, territory


@dataclass(frozen=True)
class Reference:
    """Things of another register that a row may refer to."""

    read_model: ReadModel
    known: Callable[[Database, Sequence[str]], Awaitable[set[str]]]
    why: Why


AN_ADDRESS = Reference(territory, known_addresses, Why.UNKNOWN_ADDRESS)
A_HOUSEHOLD = Reference(households.households, households.known, Why.UNKNOWN_HOUSEHOLD)
A_GRID = Reference(territory, known_grids, Why.UNKNOWN_GRID)


@dataclass(frozen=True)
class Entry:
    """What a row says: the thing's id and all that is known of it. `refers` holds, by column, ids that must exist;
    `said` are the fields that the file speaks of, None: all. `sought`: the address is named by how it is written, and
    is yet to be found."""

    id: str
    facts: Event
    refers: Mapping[str, str] = field(default_factory=dict[str, str])
    sought: Sought | None = None
    said: frozenset[str] | None = None


@dataclass(frozen=True)
class Sheet:
    """A register's file: the head of its table, and what to make of a row. The first column is the reference by which
    a row is known again; `references` says, by column, what must exist; `more` are columns that may be left out."""

    head: str
    aggregate: Aggregate[Any, Any]
    read: Callable[[Cells], Entry]
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])
    more: str = ""

    @property
    def columns(self) -> list[str]:
        return self.head.split()

    @property
    def optional(self) -> list[str]:
        return self.more.split()


class Sex(StrEnum):
    """GB/T 2261.1."""

    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    NOT_STATED = "9"


class YesNo(StrEnum):
    """Whether."""

    YES = "yes"
    NO = "no"


def _id(cells: Cells, column: str, register: str) -> str:
    return _checked_id(needed(cells, column), column, register)


@lru_cache(maxsize=256)
def _checked_id(reference: str, column: str, register: str) -> str:
    """Those of a household stand together, and refer to the same."""
    check_reference(column, reference)
    return id_of(register, reference)


def _code(cells: Cells, column: str) -> str:
    code = needed(cells, column)
    check_code(column, code)
    return code


def _yes(cells: Cells, column: str) -> bool:
    return bool(text(cells, column)) and choice(cells, column, YesNo) is YesNo.YES


def _title(cells: Cells, name: str) -> Title:
    return Title(zh=needed(cells, f"{name}_zh"), en=needed(cells, f"{name}_en"))


def address(cells: Cells) -> Entry:
    """A standard address; its grid follows from its place."""
    id_ = _id(cells, "address_ref", "address")
    division_code = needed(cells, "division_code")
    check_division_code(division_code)
    parts = Parts(
        street=needed(cells, "street"),
        number=needed(cells, "number"),
        building=text(cells, "building"),
        unit=text(cells, "unit"),
        floor=text(cells, "floor"),
        room=text(cells, "room"),
    )
    facts = AddressFacts(
        address=id_,
        division_code=division_code,
        **asdict(normalised(parts)),
        place=_place(cells),
        since=day(cells, "since"),
    )
    return Entry(id_, facts)


def _place(cells: Cells) -> Place:
    longitude, latitude = degrees(cells, "longitude"), degrees(cells, "latitude")
    if not -90 <= latitude <= 90:
        raise Fault("latitude", Why.COORDINATES)
    return Place(longitude=longitude, latitude=latitude)


def _at(cells: Cells) -> tuple[str, Mapping[str, str], Sought | None]:
    """The address of something, what the row refers to by it, and what is to be looked for if it is only written."""
    if not text(cells, "address_ref") and (wanted := sought(cells)):
        return "", {}, wanted
    id_ = _id(cells, "address_ref", "address")
    return id_, {"address_ref": id_}, None


def building(cells: Cells) -> Entry:
    """A building."""
    id_ = _id(cells, "building_ref", "building")
    address_id, refers, wanted = _at(cells)
    floors = whole(cells, "floors", 1, 200)
    if floors is None:
        raise Fault("floors", Why.MISSING)
    facts = BuildingFacts(
        building=id_,
        address=address_id,
        name=needed(cells, "name"),
        kind=needed(cells, "kind"),
        floors=floors,
        built_year=whole(cells, "built_year", 1000, 2200),
        rooms=whole(cells, "rooms", 1, 10_000),
        beds=whole(cells, "beds", 0, 10_000),
        tenure=choice(cells, "tenure", Tenure) if text(cells, "tenure") else None,
        tenants=whole(cells, "tenants", 0, 10_000),
        since=day(cells, "since"),
    )
    return Entry(id_, facts, refers, wanted)


def household(cells: Cells) -> Entry:
    """A household."""
    id_ = _id(cells, "household_ref", "household")
    address_id, refers, wanted = _at(cells)
    facts = HouseholdFacts(
        household=id_, address=address_id, dissolved=_yes(cells, "dissolved"), since=day(cells, "since")
    )
    return Entry(id_, facts, refers, wanted)


def person(cells: Cells) -> Entry:
    """A person who really lives here."""
    id_ = _id(cells, "person_ref", "person")
    address_id, at, wanted = _at(cells)
    refers = dict(at)
    if text(cells, "household_ref"):
        refers["household_ref"] = _id(cells, "household_ref", "household")
    born = day(cells, "birth_date")
    if born is None:
        raise Fault("birth_date", Why.MISSING)
    document = (
        choice(cells, "document", IdentityDocument) if text(cells, "document") else IdentityDocument.IDENTITY_CARD
    )
    facts = PersonFacts(
        person=id_,
        name=needed(cells, "name"),
        id_number=(digits if document is IdentityDocument.NONE else needed_digits)(cells, "id_number"),
        sex=choice(cells, "sex", Sex),
        birth_date=born,
        phone=digits(cells, "phone"),
        residency=choice(cells, "residency", Residency),
        household=refers.get("household_ref"),
        relation=choice(cells, "relation", Relation) if text(cells, "relation") else None,
        address=address_id,
        registered_until=day(cells, "registered_until"),
        document=document,
        presence=choice(cells, "presence", Presence) if text(cells, "presence") else Presence.HERE,
        home_hours=text(cells, "home_hours"),
        no_contact=_yes(cells, "no_contact"),
        since=day(cells, "since"),
    )
    return Entry(id_, facts, refers, wanted)


def unit(cells: Cells) -> Entry:
    """A shop, a hotel, a chess room, a foot-bath shop."""
    id_ = _id(cells, "unit_ref", "unit")
    address_id, refers, wanted = _at(cells)
    facts = UnitFacts(
        unit=id_,
        name=needed(cells, "name"),
        category=choice(cells, "category", UnitCategory, Why.UNKNOWN_CATEGORY),
        address=address_id,
        credit_code=needed_digits(cells, "credit_code"),
        phone=digits(cells, "phone"),
        licence=text(cells, "licence"),
        licence_until=day(cells, "licence_until"),
        person_in_charge=text(cells, "person_in_charge"),
        staff=whole(cells, "staff", 0, 1_000_000),
        beds=whole(cells, "beds", 0, 100_000),
        fire_check_due=day(cells, "fire_check_due"),
        safety_check_due=day(cells, "safety_check_due"),
        closed=_yes(cells, "closed"),
        since=day(cells, "since"),
    )
    return Entry(id_, facts, refers, wanted)


def member(cells: Cells) -> Entry:
    """Someone in a post."""
    id_ = _code(cells, "member_ref")
    grid, posts = text(cells, "grid_code"), several(cells, "further_posts")
    facts = MemberFacts(
        member=id_,
        name=needed(cells, "name"),
        post=choice(cells, "post", Post, Why.UNKNOWN_POST),
        grid=grid or None,
        division_code=_division(cells),
        email=needed(cells, "email"),
        phone=digits(cells, "phone"),
        further_posts=tuple(choice({"further_posts": it}, "further_posts", Post, Why.UNKNOWN_POST) for it in posts),
        further_grids=several(cells, "further_grids"),
        hours=text(cells, "hours"),
        skills=several(cells, "skills"),
        training=tuple(_training(it) for it in several(cells, "training")),
        on_leave_since=day(cells, "on_leave_since"),
        on_leave_until=day(cells, "on_leave_until"),
        body=text(cells, "body"),
        team=text(cells, "team"),
    )
    return Entry(id_, facts, {"grid_code": grid} if grid else {})


def _training(written: str) -> Training:
    """`mediation 2026-03-01`."""
    course, _, taken = written.rpartition(" ")
    on = day({"training": taken}, "training")
    if not course or on is None:
        raise Fault("training", Why.NOT_A_DATE)
    return Training(course=course, on=on)


def _division(cells: Cells) -> str | None:
    """The column may be left out where there is only one community."""
    code = text(cells, "division_code") if "division_code" in cells else ""
    if code and not re.fullmatch("[0-9]{2,12}", code):
        raise Fault("division_code", Why.DIVISION_CODE)
    return code or None


def duty(cells: Cells) -> Entry:
    """An entry of the duty list."""
    category = _code(cells, "category")
    facts = DutyFacts(
        category=category,
        title=_title(cells, "title"),
        department=_title(cells, "department"),
        grid_duty=choice(cells, "grid_duty", YesNo) is YesNo.YES,
        deadline_minutes=whole(cells, "deadline_minutes", 1, 525_600),
        standard=_title(cells, "standard"),
        legal_basis=needed(cells, "legal_basis"),
        clock=choice(cells, "clock", DeadlineClock) if text(cells, "clock") else DeadlineClock.CLOCK_HOURS,
        role=choice(cells, "role", Post, Why.UNKNOWN_POST) if text(cells, "role") else Post.GRID_WORKER,
        skills=several(cells, "skills"),
        photos=whole(cells, "photos", 0, 20) or 0,
        weight=whole(cells, "weight", 1, 100) or 1,
        look_percent=whole(cells, "look_percent", 0, 100) or 0,
        urgent=_yes(cells, "urgent"),
        rule=choice(cells, "rule", DueKind) if text(cells, "rule") else None,
    )
    return Entry(category, facts)


AT_AN_ADDRESS = {"address_ref": AN_ADDRESS}

SHEETS: Mapping[str, Sheet] = {
    "addresses": Sheet(
        "address_ref division_code street number building unit floor room longitude latitude",
        ADDRESS,
        address,
        more="since",
    ),
    "buildings": Sheet(
        "building_ref address_ref name kind floors built_year",
        BUILDING,
        building,
        AT_AN_ADDRESS,
        more="rooms beds tenure tenants since",
    ),
    "households": Sheet("household_ref address_ref", HOUSEHOLD, household, AT_AN_ADDRESS, more="dissolved since"),
    "people": Sheet(
        "person_ref name id_number sex birth_date phone residency household_ref relation address_ref registered_until",
        PERSON,
        person,
        {"address_ref": AN_ADDRESS, "household_ref": A_HOUSEHOLD},
        more="document presence home_hours no_contact since",
    ),
    "units": Sheet(
        "unit_ref name category address_ref credit_code phone",
        UNIT,
        unit,
        AT_AN_ADDRESS,
        more="licence licence_until person_in_charge staff beds fire_check_due safety_check_due closed since",
    ),
    "roster": Sheet(
        "member_ref name post grid_code email phone",
        MEMBER,
        member,
        {"grid_code": A_GRID},
        more="further_posts further_grids hours skills training on_leave_since on_leave_until body team",
    ),
    "duties": Sheet(
        "category title_zh title_en department_zh department_en grid_duty deadline_minutes standard_zh standard_en "
        "legal_basis",
        DUTY,
        duty,
        more="clock role skills photos weight look_percent urgent rule",
    ),
}
"""By register, in the order in which they are to be imported, after the grids."""
