"""What is so is entered once; what differs is a change; what is wrong is refused."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from contracts.common import Holder, HolderKind, Place, Post, Residency, Scope, Title
from contracts.registry import (
    AddressChanged,
    AddressRegistered,
    BuildingChanged,
    BuildingRegistered,
    DutyChanged,
    DutyListed,
    HouseholdChanged,
    HouseholdRegistered,
    MapRedrawn,
    MemberAppointed,
    MemberChanged,
    MemberDismissed,
    MemberFacts,
    PersonChanged,
    PersonRegistered,
    PowerFacts,
    PowerListed,
    UnitChanged,
    UnitRegistered,
)
from events import Aggregate, Event
from events.testing import given
from pydantic import ValidationError
from registry.domain.address import ADDRESS, written
from registry.domain.building import BUILDING
from registry.domain.contact import is_phone
from registry.domain.duty import DUTY
from registry.domain.entry import Register
from registry.domain.faults import WORDS, Fault, Why
from registry.domain.grid_map import MAP, Draw
from registry.domain.household import HOUSEHOLD
from registry.domain.member import MEMBER, Dismiss, NotInPost
from registry.domain.person import PERSON, masked_name, masked_number
from registry.domain.power import POWER
from registry.domain.references import check_code, check_reference, id_of
from registry.domain.unit import UNIT

from .facts import BLOCK, FAMILY, FLAT, GROUND, LI, LIGHT, SHOP, SQUARE, TAN

REGISTERS: list[tuple[Aggregate[Any, Any], Event, type[Event], type[Event], dict[str, Any]]] = [
    (ADDRESS, FLAT, AddressRegistered, AddressChanged, {"room": "102"}),
    (BUILDING, BLOCK, BuildingRegistered, BuildingChanged, {"floors": 7}),
    (HOUSEHOLD, FAMILY, HouseholdRegistered, HouseholdChanged, {"address": "other-flat"}),
    (PERSON, TAN, PersonRegistered, PersonChanged, {"phone": "15496301248"}),
    (UNIT, SHOP, UnitRegistered, UnitChanged, {"name": "万家茶室"}),
    (MEMBER, LI, MemberAppointed, MemberChanged, {"grid": "G2"}),
    (DUTY, LIGHT, DutyListed, DutyChanged, {"deadline_minutes": 720}),
]


@pytest.mark.parametrize(
    ("register", "facts", "first", "changed", "other"), REGISTERS, ids=lambda it: getattr(it, "name", "")
)
def test_an_entry_is_made_once_and_changed_if_it_says_something_else(
    register: Aggregate[Any, Any], facts: Event, first: type[Event], changed: type[Event], other: dict[str, Any]
) -> None:
    entered = first(**dict(facts))
    given(register).when(Register(facts)).then(entered)
    given(register, entered).when(Register(facts)).then()
    differing = facts.model_copy(update=other)
    given(register, entered).when(Register(differing)).then(changed(**dict(differing)))
    given(register, entered, changed(**dict(differing))).when(Register(differing)).then()
    given(register, entered, changed(**dict(differing))).when(Register(facts)).then(changed(**dict(facts)))


def refused(register: Aggregate[Any, Any], facts: Event, field: str, why: Why) -> None:
    when = given(register).when(Register(facts))
    when.refused(Fault, WORDS[why].en)
    assert isinstance(when.refusal, Fault)
    assert (when.refusal.field, when.refusal.why) == (field, why)


def test_a_fault_names_the_field_and_never_the_value() -> None:
    when = given(PERSON).when(Register(TAN.model_copy(update={"id_number": "990502196503154657"})))
    when.refused(Fault, "id_number")
    assert "9905021965031546" not in f"{when.refusal} {when.refusal and when.refusal.details}"


def test_every_reason_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(Why)


# people


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"id_number": "99050219650315465"}, "id_number", Why.IDENTITY_NUMBER),
        ({"id_number": "990502196503154657"}, "id_number", Why.CHECKSUM),
        ({"birth_date": date(1965, 3, 16)}, "birth_date", Why.BIRTH_DATE),
        ({"sex": "2"}, "sex", Why.SEX),
        ({"phone": "12345"}, "phone", Why.PHONE),
        ({"household": None}, "household", Why.MISSING),
        ({"relation": None}, "relation", Why.MISSING),
        ({"residency": Residency.FLOATING}, "registered_until", Why.MISSING),
    ],
)
def test_a_person_is_refused_with_the_field_that_is_wrong(changes: dict[str, Any], field: str, why: Why) -> None:
    refused(PERSON, TAN.model_copy(update=changes), field, why)


def test_a_sex_that_is_not_stated_contradicts_nothing() -> None:
    facts = TAN.model_copy(update={"sex": "9"})
    given(PERSON).when(Register(facts)).then(PersonRegistered(**dict(facts)))


def test_a_floating_resident_needs_no_household() -> None:
    floating = {"residency": Residency.FLOATING, "household": None, "relation": None}
    facts = TAN.model_copy(update=floating | {"registered_until": date(2027, 6, 30)})
    given(PERSON).when(Register(facts)).then(PersonRegistered(**dict(facts)))


def test_others_see_a_masked_name_and_number() -> None:
    assert masked_name("王小明") == "王**"
    assert masked_name("王明") == "王**"
    assert masked_number("330502196503154658") == "3305**********4658"


# addresses and grids


@pytest.mark.parametrize("code", ["99050200100", "990502001000", "99050200100X", "９９0502001001"])
def test_a_division_code_goes_down_to_the_community(code: str) -> None:
    refused(ADDRESS, FLAT.model_copy(update={"division_code": code}), "division_code", Why.DIVISION_CODE)


def test_an_address_lies_in_china() -> None:
    exchanged = Place(longitude=30.87, latitude=84.0)
    refused(ADDRESS, FLAT.model_copy(update={"place": exchanged}), "longitude", Why.COORDINATES)


def test_an_address_is_written_as_in_the_street() -> None:
    assert written(FLAT) == "蚕花路6号1幢1单元101室"
    front = {"number": "8号", "building": "", "unit": "", "room": ""}
    assert written(FLAT.model_copy(update={**front, "floor": ""})) == "蚕花路8号"
    assert written(FLAT.model_copy(update={**front, "floor": "2楼"})) == "蚕花路8号2层"


def test_a_grid_needs_a_boundary_that_is_one() -> None:
    a, b, c, d, _ = SQUARE
    when = given(MAP).when(Draw("all", [GROUND.model_copy(update={"boundary": [a, c, b, d, a]})]))
    when.refused(Fault, WORDS[Why.SELF_CROSSING].en)


def test_a_map_is_drawn_at_once_and_says_what_differs() -> None:
    east = GROUND.model_copy(update={"grid": "G2", "boundary": [(x + 0.001, y) for x, y in SQUARE]})
    first = MapRedrawn(map="all", drawn=(GROUND, east))
    given(MAP).when(Draw("all", [GROUND, east])).then(first)
    given(MAP, first).when(Draw("all", [GROUND, east])).then()
    renamed = east.model_copy(update={"title": Title(zh="新风网格", en="Xinfeng grid")})
    given(MAP, first).when(Draw("all", [GROUND, renamed])).then(MapRedrawn(map="all", drawn=(renamed,)))


def test_a_grid_that_is_merged_into_another_is_given_up_with_it() -> None:
    east = GROUND.model_copy(update={"grid": "G2", "boundary": [(x + 0.001, y) for x, y in SQUARE]})
    first = MapRedrawn(map="all", drawn=(GROUND, east))
    (x, y), *_ = SQUARE
    wide = [(x, y), (x + 0.002, y), (x + 0.002, y + 0.001), (x, y + 0.001), (x, y)]
    both = GROUND.model_copy(update={"boundary": wide, "took_from": ("G1", "G2")})
    merged = MapRedrawn(map="all", drawn=(both,), given_up=("G2",), since=date(2026, 12, 1))
    given(MAP, first).when(Draw("all", [both], frozenset({"G2"}), date(2026, 12, 1))).then(merged)
    given(MAP, first, merged).when(Draw("all", [both])).then()
    given(MAP, first, merged).when(Draw("all", [east])).then(MapRedrawn(map="all", drawn=(east,)))


# units, posts, duties


def test_a_unit_has_a_credit_code_that_checks() -> None:
    refused(UNIT, SHOP.model_copy(update={"credit_code": "92990502MA9K4MJ71T"}), "credit_code", Why.CHECKSUM)
    refused(UNIT, SHOP.model_copy(update={"credit_code": "92990502MA9K4MJ7IU"}), "credit_code", Why.CREDIT_CODE)
    refused(UNIT, SHOP.model_copy(update={"phone": "1"}), "phone", Why.PHONE)


def test_a_grid_worker_has_a_grid_and_an_officer_need_not() -> None:
    refused(MEMBER, LI.model_copy(update={"grid": None}), "grid", Why.MISSING)
    officer = LI.model_copy(update={"post": Post.COMMUNITY_OFFICER, "grid": None})
    given(MEMBER).when(Register(officer)).then(MemberAppointed(**dict(officer)))


def test_a_member_can_be_reached() -> None:
    refused(MEMBER, LI.model_copy(update={"email": "li at example"}), "email", Why.EMAIL)
    refused(MEMBER, LI.model_copy(update={"phone": "8"}), "phone", Why.PHONE)


SINCE = datetime(2026, 1, 1, tzinfo=UTC)
ANYONE = Holder(kind=HolderKind.ANYONE, scope=Scope.ALL)
FIRE = Holder(kind=HolderKind.PARTNER, name="fire", scope=Scope.ALL)


@pytest.mark.parametrize(
    ("power", "holder", "why"),
    [
        ("units.read", Holder(kind=HolderKind.POST, name="emperor", scope=Scope.ALL), Why.UNKNOWN_POST),
        ("units.read", ANYONE.model_copy(update={"scope": Scope.OWN_GRID}), Why.BEYOND_THEM),
        ("units.read", ANYONE.model_copy(update={"name": "fire"}), Why.NOT_A_POWER),
        ("units.read", ANYONE.model_copy(update={"quota": "60/20"}), Why.NO_QUOTA),
        ("topics.registry.unit", ANYONE, Why.NOT_TO_FOLLOW),
    ],
)
def test_a_power_is_given_only_to_whoever_can_have_it(power: str, holder: Holder, why: Why) -> None:
    facts = PowerFacts(
        power=power, title=Title(zh="试", en="A trial"), legal_basis="《行政处罚法》", holders=(FIRE,), since=SINCE
    )
    given(POWER).when(Register(facts)).then(PowerListed(**facts.model_dump()))
    refused(POWER, facts.model_copy(update={"holders": (FIRE, holder)}), "holders", why)


def test_a_partner_has_a_quota_of_its_own_and_follows_topics() -> None:
    holder = FIRE.model_copy(update={"quota": "60/20"})
    facts = PowerFacts(
        power="topics.registry.unit",
        title=Title(zh="试", en="A trial"),
        legal_basis="《政务数据共享条例》",
        holders=(holder,),
        since=SINCE,
    )
    given(POWER).when(Register(facts)).then(PowerListed(**facts.model_dump()))
    with pytest.raises(ValidationError, match="quota"):
        Holder(kind=HolderKind.PARTNER, name="fire", scope=Scope.ALL, quota="often")


def test_who_leaves_a_post_leaves_it_once_and_may_come_back() -> None:
    appointed, gone = MemberAppointed(**dict(LI)), MemberDismissed(member="li")
    given(MEMBER, appointed).when(Dismiss()).then(gone)
    given(MEMBER, appointed, gone).when(Dismiss()).refused(NotInPost)
    given(MEMBER).when(Dismiss()).refused(NotInPost)
    given(MEMBER, appointed, gone).when(Register(LI)).then(appointed)


def test_what_grid_workers_must_do_has_a_deadline() -> None:
    refused(DUTY, LIGHT.model_copy(update={"deadline_minutes": None}), "deadline_minutes", Why.MISSING)
    elsewhere = LIGHT.model_copy(update={"deadline_minutes": None, "grid_duty": False})
    given(DUTY).when(Register(elsewhere)).then(DutyListed(**dict(elsewhere)))


@pytest.mark.parametrize("number", ["15496301248", "+8613812345678", "057288888888", "01088888888", "4008123123"])
def test_plausible_telephones(number: str) -> None:
    assert is_phone(number)


@pytest.mark.parametrize("number", ["1234567890", "12812345678", "88888888", "138123456789", "１3812345678", "110"])
def test_implausible_telephones(number: str) -> None:
    assert not is_phone(number)


# ids


def test_an_id_follows_from_the_sources_reference_and_from_nothing_else() -> None:
    assert id_of("person", "P0001") == id_of("person", "P0001") == "9fb57447-f282-55b6-96bd-abb285c9f72d"
    assert len({id_of("person", "P0001"), id_of("person", "P0002"), id_of("household", "P0001")}) == 3


def test_an_identity_number_is_no_reference() -> None:
    with pytest.raises(Fault) as fault:
        check_reference("person_ref", "11010519491231002x")
    assert fault.value.why is Why.REFERENCE


@pytest.mark.parametrize("code", ["G1", "网格-1", "grid_worker.7"])
def test_codes_that_can_be_ids(code: str) -> None:
    check_code("code", code)


@pytest.mark.parametrize("code", ["G 1", "a/b", "", "x" * 65, "G1\n"])
def test_codes_that_cannot_be_ids(code: str) -> None:
    with pytest.raises(Fault):
        check_code("code", code)


def test_a_roster_that_does_not_speak_of_skills_takes_none_away() -> None:
    skilled = LI.model_copy(update={"skills": ("mediation",), "further_posts": (Post.BUILDING_HEAD,)})
    moved = skilled.model_copy(update={"grid": "G2"})
    said = frozenset(MemberFacts.model_fields) - {"skills", "further_posts"}
    given(MEMBER, MemberAppointed(**dict(skilled))).when(
        Register(LI.model_copy(update={"grid": "G2"}), said=said)
    ).then(MemberChanged(**dict(moved)))


def test_a_leave_begins_before_it_ends_and_hours_are_hours() -> None:
    refused(MEMBER, LI.model_copy(update={"on_leave_until": date(2026, 12, 1)}), "on_leave_since", Why.MISSING)
    refused(MEMBER, LI.model_copy(update={"hours": "every day"}), "hours", Why.HOURS)
    on_duty = LI.model_copy(update={"hours": "1-5 09:00-18:00; 6 09:00-12:00"})
    given(MEMBER).when(Register(on_duty)).then(MemberAppointed(**dict(on_duty)))
