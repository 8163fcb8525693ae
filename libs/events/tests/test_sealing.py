"""Sealing a value for one person, in one place (promise 8): what comes of it, and what does not open."""

import json
import re
from base64 import urlsafe_b64decode
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from events import Event, personal
from events.event import START, Catalogue, Raw
from events.privacy.codec import SealedEvent, seal_event, subjects_of
from events.privacy.sealing import HEAD, PATTERN, DoesNotOpen, PersonKey, Sealed, parsed
from front_desk import NOON
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

SECRET = bytes(range(32))
WANG = PersonKey("person-P0001", SECRET)
LI = PersonKey("person-P0002", bytes(32))
subjects = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
keys = st.builds(PersonKey, subjects, st.binary(min_size=32, max_size=32))


def taken_apart(text: str) -> Sealed:
    sealed = parsed(text)
    assert sealed
    return sealed


@given(keys, st.text(), st.binary())
def test_what_was_sealed_opens_with_the_key_in_its_place(key: PersonKey, place: str, value: bytes) -> None:
    text = key.seal(place, value)
    assert re.fullmatch(PATTERN, text, re.DOTALL)
    sealed = taken_apart(text)
    assert (sealed.subject, sealed.key_id) == (key.subject, key.id)
    assert key.open(place, sealed) == value


@given(keys, st.text(), st.text(), st.binary())
def test_what_was_moved_never_opens(key: PersonKey, here: str, there: str, value: bytes) -> None:
    assume(here != there)
    with pytest.raises(DoesNotOpen):
        key.open(there, taken_apart(key.seal(here, value)))


@given(keys, subjects, st.binary())
def test_what_is_put_under_another_name_never_opens_though_the_key_be_the_same(
    key: PersonKey, other: str, value: bytes
) -> None:
    assume(other != key.subject)
    with pytest.raises(DoesNotOpen):
        PersonKey(other, key.secret).open("here", taken_apart(key.seal("here", value)))


@given(st.data(), st.binary())
def test_what_was_changed_never_opens(data: st.DataObject, value: bytes) -> None:
    text = WANG.seal("here", value)
    head, _, box = text.rpartition(".")
    at = data.draw(st.integers(0, len(box) - 2))  # the last character holds bits that stand for nothing
    instead = data.draw(st.sampled_from("ABab01-_").filter(lambda it: it != box[at]))
    with pytest.raises(DoesNotOpen):
        WANG.open("here", taken_apart(f"{head}.{box[:at]}{instead}{box[at + 1 :]}"))


@pytest.mark.parametrize("box", ["", "AAAA", "A", "谭瑞"])
def test_what_is_no_ciphertext_at_all_does_not_open(box: str) -> None:
    with pytest.raises(DoesNotOpen):
        WANG.open("here", Sealed(WANG.id, WANG.subject, box))


def test_the_same_value_never_looks_the_same_twice() -> None:
    assert len({WANG.seal("here", b"1") for _ in range(100)}) == 100


def test_the_randomness_may_be_given_and_stands_first_in_the_box() -> None:
    sealed = taken_apart(WANG.seal("here", b"1", lambda count: b"n" * count))
    assert urlsafe_b64decode(sealed.box + "==")[:12] == b"n" * 12


def test_whoever_has_the_key_opens_a_value_by_what_is_documented_alone() -> None:
    before, _, text = WANG.seal("here", b"1").rpartition(".")
    box = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert AESGCM(WANG.secret).decrypt(box[:12], box[12:], f"{before}.\0here".encode()) == b"1"


def test_a_key_says_nothing_of_itself() -> None:
    assert repr(WANG) == f"PersonKey('person-P0001', {WANG.id})"
    assert WANG.id != LI.id


@pytest.mark.parametrize("value", [None, 5, "", "谭瑞", HEAD, f"{HEAD}abcdefgh", f" {HEAD}abcdefgh.me.box"])
def test_other_values_are_not_taken_for_sealed_ones(value: object) -> None:
    assert parsed(value) is None


# Events


class Sex(StrEnum):
    UNKNOWN = "0"
    MALE = "1"


class Address(BaseModel):
    street: str
    room: int | None = None


class Registered(Event, type="commongrid.town.person.registered.v1"):
    """With every kind of personal field that there is."""

    person: str
    residency: str = "permanent"
    name: str = personal()
    phone: str = personal(default="")
    sex: Sex = personal(erased=Sex.UNKNOWN)
    birth_date: date = personal(erased=date.min)
    children: Annotated[int, Field(ge=0)] = personal(erased=0)
    contact: str | None = personal(default=None)
    address: Address = personal(erased=Address(street=""))
    doctor: str | None = None
    told: str = personal(of="doctor", kind="person", default="")


class Renamed(
    Event,
    type="commongrid.town.person.renamed.v2",
    upcasts={"commongrid.town.person.renamed.v1": lambda it: {"name": f"{it['family']}{it['given']}"}},
    sealed_before={"commongrid.town.person.renamed.v1": {"family": "", "given": ""}},
):
    name: str = personal()


class Renamed1(Event, type="commongrid.town.person.renamed.v1"):
    """As it was once."""

    family: str = personal()
    given: str = personal()


CATALOGUE = Catalogue([Registered, Renamed])
events = st.builds(
    Registered,
    person=st.just("P0001"),
    name=st.text(),
    phone=st.text(),
    sex=st.sampled_from(Sex),
    birth_date=st.dates(),
    children=st.integers(0, 9),
    contact=st.none() | st.text(),
    address=st.builds(Address, street=st.text(), room=st.none() | st.integers(1, 9)),
    doctor=st.none() | st.just("P0002"),
    told=st.text(),
)
TAN = Registered(
    person="P0001",
    name="谭瑞",
    sex=Sex.MALE,
    birth_date=date(1965, 3, 15),
    children=2,
    contact="tan@example.org",
    address=Address(street="海塘路", room=7),
    doctor="P0002",
    told="咳嗽",
)


def raw_of(event: Event, known: dict[str, PersonKey], version: int = 1) -> Raw:
    data = seal_event(event, "person-P0001", version, known)
    return Raw(START, "person-P0001", version, event.type_name, data.encode(), NOON)


def opened(raw: Raw, known: dict[str, PersonKey | None]) -> Raw:
    return SealedEvent(raw, CATALOGUE.personal(raw.type)).opened(known)


@given(events)
def test_an_event_is_read_as_it_was_written(event: Registered) -> None:
    raw = raw_of(event, {"person-P0001": WANG, "person-P0002": LI})
    assert CATALOGUE.decode(opened(raw, {"person-P0001": WANG, "person-P0002": LI})) == event


def test_each_personal_value_is_sealed_for_whom_it_belongs_to_and_nothing_else_is() -> None:
    assert subjects_of(TAN, "person-P0001") == {"person-P0001", "person-P0002"}
    data = json.loads(raw_of(TAN, {"person-P0001": WANG, "person-P0002": LI}).data)
    whose = {name: sealed.subject if (sealed := parsed(value)) else value for name, value in data.items()}
    assert whose == {
        "person": "P0001",
        "residency": "permanent",
        "name": "person-P0001",
        "phone": "",
        "sex": "person-P0001",
        "birth_date": "person-P0001",
        "children": "person-P0001",
        "contact": "person-P0001",
        "address": "person-P0001",
        "doctor": "P0002",
        "told": "person-P0002",
    }


def test_the_erased_read_as_declared_and_the_event_says_which_fields() -> None:
    raw = opened(raw_of(TAN, {"person-P0001": WANG, "person-P0002": LI}), {"person-P0001": None, "person-P0002": LI})
    assert CATALOGUE.decode(raw) == Registered(
        person="P0001",
        name="",
        sex=Sex.UNKNOWN,
        birth_date=date.min,
        children=0,
        address=Address(street=""),
        doctor="P0002",
        told="咳嗽",
    )
    assert raw.erased == {"name", "sex", "birth_date", "children", "contact", "address"}


def test_what_nobody_has_a_key_of_any_more_reads_as_erased_though_there_be_a_new_one() -> None:
    raw = raw_of(TAN, ALL)
    new = PersonKey("person-P0001", bytes(31) + b"1")
    assert opened(raw, {"person-P0001": new}).erased >= {"name", "sex"}


ALL: dict[str, PersonKey] = {"person-P0001": WANG, "person-P0002": LI}


def test_a_value_does_not_open_in_another_field_event_or_stream() -> None:
    raw = raw_of(TAN, ALL)
    data = json.loads(raw.data)
    swapped = json.dumps(data | {"name": data["contact"], "contact": data["name"]}).encode()
    for moved in (
        raw._replace(data=swapped),
        raw._replace(version=2),
        raw._replace(stream="person-P0003"),
    ):
        with pytest.raises(DoesNotOpen):
            opened(moved, {**ALL})


def test_an_older_type_is_opened_before_it_is_read_as_the_newer_one() -> None:
    raw = raw_of(Renamed1(family="谭", given="瑞"), ALL)
    assert CATALOGUE.decode(opened(raw, {**ALL})) == Renamed(name="谭瑞")
    assert CATALOGUE.decode(opened(raw, {})) == Renamed(name="")


def test_what_was_written_before_its_field_was_declared_personal_stays_readable() -> None:
    raw = Raw(START, "person-P0001", 1, Renamed.type_name, '{"name":"谭瑞"}'.encode(), NOON)
    assert CATALOGUE.decode(opened(raw, {})) == Renamed(name="谭瑞")


def test_who_writes_what_looks_sealed_gets_it_back_as_it_was() -> None:
    feint = WANG.seal("elsewhere", b'"x"')
    raw = raw_of(Renamed(name=feint), ALL)
    assert CATALOGUE.decode(opened(raw, {**ALL})) == Renamed(name=feint)


# Declaring


def test_a_field_that_cannot_be_blank_needs_a_value_for_the_erased() -> None:
    with pytest.raises(TypeError, match=r"Born\.day needs a value for those who are erased"):

        class Born(Event, type="commongrid.town.person.born.v1"):  # pyright: ignore[reportUnusedClass]
            day: date = personal()


def test_the_value_for_the_erased_must_be_one_that_the_field_allows() -> None:
    with pytest.raises(TypeError, match=r"Counted\.children needs"):

        class Counted(Event, type="commongrid.town.person.counted.v1"):  # pyright: ignore[reportUnusedClass]
            children: Annotated[int, Field(ge=0)] = personal(erased=-1)


def test_whose_it_is_must_be_said_by_another_field_that_is_no_secret() -> None:
    with pytest.raises(TypeError, match="no other field"):

        class Told(Event, type="commongrid.town.person.told.v1"):  # pyright: ignore[reportUnusedClass]
            what: str = personal(of="doctor")

    with pytest.raises(TypeError, match="personal itself"):

        class Heard(Event, type="commongrid.town.person.heard.v1"):  # pyright: ignore[reportUnusedClass]
            doctor: str = personal()
            what: str = personal(of="doctor")


def test_a_model_within_an_event_cannot_hide_personal_fields_that_would_not_be_sealed() -> None:
    class Contact(BaseModel):
        phone: str = personal()

    with pytest.raises(TypeError, match="would not be sealed"):

        class Met(Event, type="commongrid.town.person.met.v1"):  # pyright: ignore[reportUnusedClass]
            contacts: list[Contact] | None = None


def fields(cls: type[Event]) -> Any:
    return dict(cls.personal)


def test_a_class_of_facts_hands_its_personal_fields_down() -> None:
    class Changed(Registered, type="commongrid.town.person.changed.v1"):
        pass

    assert fields(Changed) == fields(Registered)
