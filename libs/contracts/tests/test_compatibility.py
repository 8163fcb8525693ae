"""Each kind of break between two versions of a schema is found and named; what readers can bear is not."""

import json
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from contracts.compatibility import breaks
from contracts.schemas import schema_of
from events import Event, personal
from pydantic import BaseModel, Field, create_model


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class FewerColours(StrEnum):
    RED = "red"


class MoreColours(StrEnum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class Place(BaseModel):
    longitude: float
    latitude: float


class FlatPlace(BaseModel):
    longitude: float


class RoundPlace(BaseModel):
    longitude: float
    latitude: float
    height: float = 0.0


BASE = {
    "case": (str, ...),
    "note": (str, ""),
    "grid": (str | None, None),
    "colour": (Colour, ...),
    "hue": (Colour | None, None),
    "rating": (Annotated[int, Field(ge=1, le=5)], ...),
    "code": (Annotated[str, Field(pattern=r"^\d{4}$", min_length=2)], ...),
    "place": (Place, ...),
    "ring": (list[tuple[float, float]], ...),
    "shares": (dict[Colour, float], ...),
}


def schema(**changes: object) -> dict[str, object]:
    fields = {name: kind for name, kind in (BASE | changes).items() if kind is not None}
    return create_model("Sample", **fields).model_json_schema()  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"note": None}, "data.note: was removed or renamed"),
        ({"note": None, "remark": (str, "")}, "data.note: was removed or renamed"),
        ({"case": (int, ...)}, "data.case: the type was string and is integer"),
        ({"grid": (str, "")}, "data.grid: the type was null or string and is string"),
        ({"case": (str | None, ...)}, "data.case: the type was string and is null or string"),
        ({"extra": (str, ...)}, "data.extra: is new and required"),
        ({"note": (str, ...)}, "data.note: is required now"),
        ({"case": (str, "none")}, "data.case: is no longer required"),
        ({"note": (str, "?")}, "data.note: default was '' and is '?'"),
        ({"colour": (FewerColours, ...)}, "data.colour: the values ['green'] were removed"),
        ({"hue": (FewerColours | None, None)}, "data.hue: the values ['green'] were removed"),
        ({"case": (Literal["a", "b"], ...)}, "data.case: only ['a', 'b'] are allowed now"),
        ({"rating": (Annotated[int, Field(ge=2, le=5)], ...)}, "data.rating: minimum was 1 and is 2"),
        ({"rating": (Annotated[int, Field(ge=1, le=4)], ...)}, "data.rating: maximum was 5 and is 4"),
        ({"case": (Annotated[str, Field(max_length=9)], ...)}, "data.case: maxLength was not given and is 9"),
        ({"code": (Annotated[str, Field(pattern="^[0-9]{4}$", min_length=2)], ...)}, "data.code: pattern was"),
        ({"place": (FlatPlace, ...)}, "data.place.latitude: was removed or renamed"),
        ({"ring": (list[tuple[float, float, float]], ...)}, "data.ring[]: the type was array of 2 and is array of 3"),
        ({"ring": (list[tuple[float, int]], ...)}, "data.ring[][1]: the type was number and is integer"),
        ({"shares": (dict[Colour, int], ...)}, "data.shares.*: the type was number and is integer"),
        ({"shares": (dict[FewerColours, float], ...)}, "data.shares (names): "),
    ],
)
def test_a_break_is_found_and_named(change: dict[str, object], said: str):
    found = breaks(schema(), schema(**change))
    assert any(message.startswith(said) for message in found), found


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"extra": (str | None, None)},
        {"note": (Annotated[str, Field(description="What was said")], "")},
        {"colour": (MoreColours, ...)},
        {"rating": (Annotated[int, Field(ge=0, le=10)], ...)},
        {"code": (Annotated[str, Field(pattern=r"^\d{4}$")], ...)},
        {"place": (RoundPlace, ...)},
        {"grid": (None | str, None)},
    ],
)
def test_what_readers_can_bear_is_no_break(change: dict[str, object]):
    assert breaks(schema(), schema(**change)) == []


def test_a_renamed_model_is_no_break():
    renamed = json.loads(json.dumps(schema()).replace("Place", "Point"))
    assert breaks(schema(), renamed) == []


# What is sealed


def person(**name: Any) -> dict[str, object]:
    """The schema of an event with one personal field."""
    kind: dict[str, Any] = {"kind": str, **name}
    fields = {"case": (str, ...), "name": (kind.pop("kind"), personal(**kind))}
    return schema_of(create_model("Sample", __base__=Named, **fields))  # type: ignore[call-overload]


class Named(Event, type="commongrid.registry.person.named.v1"):
    """An event of somebody."""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": int, "erased": 0}, "data.name: the type was"),
        ({"kind": Annotated[str, Field(max_length=9)]}, "data.name (sealed): maxLength was not given and is 9"),
        ({"of": "case"}, "data.name: x-personal.of was '{stream}' and is 'case-{case}'"),
        ({"erased": "?"}, "data.name: x-personal.erased was '' and is '?'"),
    ],
)
def test_a_break_in_what_is_sealed_is_found_though_it_looks_the_same_from_outside(change: dict[str, object], said: str):
    found = breaks(person(), person(**change))
    assert any(message.startswith(said) for message in found), found


def test_a_field_that_becomes_personal_is_a_break():
    plain = create_model("Sample", __base__=Named, case=(str, ...), name=(str, ...))
    assert breaks(schema_of(plain), person())
    assert breaks(person(), person()) == []
