"""The sample community is the paper's community X, drawn rightly, lived in by people who fit together."""

import csv
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date
from itertools import combinations
from math import cos, radians, sin
from pathlib import Path

import pytest
from shapely import MultiPolygon, Point, Polygon, union_all
from shapely.affinity import scale

from .clerk import REQUIRED, Row, credit_code_checks, find, identity_number_checks, read_grids, read_rows

EXAMPLES = Path(__file__).parent.parent
COMMUNITY = EXAMPLES / "community"


def table(name: str) -> list[Row]:
    return [row for _, row in read_rows(COMMUNITY / name)]


def grounds() -> dict[str, Polygon]:
    return {str(code): ground for code, ground in read_grids(COMMUNITY / "grids.geojson")}


def square_metres(ground: Polygon | MultiPolygon) -> float:
    """Area on the WGS-84 ellipsoid, whose two radii of curvature at the community make degrees into metres."""
    latitude = radians(ground.centroid.y)
    flat = 1 - 0.00669437999014 * sin(latitude) ** 2
    east = radians(6378137 / flat**0.5 * cos(latitude))
    north = radians(6378137 * (1 - 0.00669437999014) / flat**1.5)
    return scale(ground, east, north, origin=(0, 0)).area


# The paper's figures


def test_figures_are_the_papers() -> None:
    people = Counter(person["residency"] for person in table("people.csv"))
    units = Counter(unit["category"] for unit in table("units.csv"))
    assert people == {"permanent": 4250, "floating": 3500}
    assert len(table("households.csv")) == 1850
    assert sum(building["kind"] == "residential" for building in table("buildings.csv")) == 65
    assert units == {"shop": 106, "hotel": 1, "chess_room": 15, "foot_bath": 3}
    assert len(grounds()) == 6


def test_what_brings_the_crowds_stands_beside_the_houses() -> None:
    others = {row["kind"] for row in table("buildings.csv")} - {"residential"}
    assert others == {"park", "maternity_hospital", "elderly_centre", "youth_centre"}
    built = [int(row["built_year"]) for row in table("buildings.csv") if row["kind"] == "residential"]
    assert all(1990 <= year <= 1999 for year in built)


def test_two_officers_an_auxiliary_and_five_posts_in_each_grid() -> None:
    posts = Counter((member["post"], member["grid_code"]) for member in table("roster.csv"))
    of_a_grid = {"grid_instructor": 1, "grid_leader": 1, "grid_worker": 3}
    assert posts == {("community_officer", ""): 2, ("auxiliary", ""): 1} | {
        (post, grid): number for grid in grounds() for post, number in of_a_grid.items()
    }
    assert all(re.fullmatch(r"[a-z0-9-]+@example\.org", member["email"]) for member in table("roster.csv"))


# The map


def test_grids_tile_the_community_of_one_and_a_quarter_square_kilometres() -> None:
    community = union_all(list(grounds().values()))
    assert isinstance(community, Polygon), "the grids do not hang together"
    assert not community.interiors, "there is a gap between the grids"
    assert square_metres(community) == pytest.approx(1_250_000, rel=1e-5)
    assert all(one.intersection(other).area == 0 for one, other in combinations(grounds().values(), 2))
    assert sum(map(square_metres, grounds().values())) == pytest.approx(square_metres(community), rel=1e-6)


def test_neighbours_share_every_crossing_on_their_border() -> None:
    corners = {code: set(ground.exterior.coords) for code, ground in grounds().items()}
    for (one, ground), (other, _) in combinations(grounds().items(), 2):
        on_the_border = {corner for corner in corners[other] if ground.exterior.distance(Point(corner)) < 1e-9}
        assert on_the_border <= corners[one], f"{one} lacks a crossing of {other}"


def test_roads_are_no_chessboard() -> None:
    concave = [code for code, ground in grounds().items() if ground.area < 0.95 * ground.convex_hull.area]
    assert len(concave) >= 2


def test_borders_run_anticlockwise() -> None:
    assert all(ground.exterior.is_ccw for ground in grounds().values())  # RFC 7946, 3.1.6


def test_every_address_lies_in_exactly_one_grid() -> None:
    for address in table("addresses.csv"):
        place = Point(float(address["longitude"]), float(address["latitude"]))
        around = [code for code, ground in grounds().items() if ground.contains(place)]
        assert len(around) == 1, f"{address['address_ref']} lies in {around}"


def test_no_two_doors_have_the_same_address() -> None:
    doors = Counter(
        tuple(address[part] for part in ("street", "number", "building", "unit", "floor", "room"))
        for address in table("addresses.csv")
    )
    assert [door for door, times in doors.items() if times > 1] == []


# The files


def test_the_clerk_finds_nothing_wrong() -> None:
    assert find(COMMUNITY) == set()


@pytest.mark.parametrize("file", REQUIRED)
def test_no_reference_stands_twice(file: str) -> None:
    rows = table(file)
    assert len({next(iter(row.values())) for row in rows}) == len(rows)


def test_files_are_plain_utf8_and_modest() -> None:
    files = list(COMMUNITY.iterdir())
    for file in files:
        content = file.read_bytes()
        assert content.decode("utf-8").endswith("\n")
        assert not content.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in content
    assert sum(file.stat().st_size for file in files) < 1_500_000


# The people: none of them exists, and their ages fit


def test_checksums_are_those_of_the_standards() -> None:
    assert identity_number_checks("11010519491231002X")  # the example in GB 11643
    assert not identity_number_checks("110105194912310021")
    assert credit_code_checks("91350100M000100Y43")  # the example in GB 32100
    assert not credit_code_checks("91350100M000100Y4Z")


def test_nobody_real_can_be_hit() -> None:
    numbers = [person["id_number"] for person in table("people.csv")]
    assert all(number.startswith("99") for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert all(unit["credit_code"][2:4] == "99" for unit in table("units.csv"))
    assert all(address["division_code"].startswith("99") for address in table("addresses.csv"))
    phones = [row["phone"] for file in ("people.csv", "units.csv", "roster.csv") for row in table(file) if row["phone"]]
    assert all(re.fullmatch(r"154\d{8}", phone) for phone in phones)
    assert len(set(phones)) == len(phones)


def test_households_live_together_with_one_head_in_a_flat_of_their_own() -> None:
    homes = {household["household_ref"]: household["address_ref"] for household in table("households.csv")}
    members: defaultdict[str, list[Row]] = defaultdict(list)
    for person in table("people.csv"):
        if person["residency"] == "permanent":
            members[person["household_ref"]].append(person)
    assert members.keys() == homes.keys()
    assert len(set(homes.values())) == len(homes)
    for household, together in members.items():
        relations = Counter(person["relation"] for person in together)
        assert relations["head"] == 1
        assert relations["spouse"] <= 1
        assert relations["parent"] <= 2
        assert {person["address_ref"] for person in together} == {homes[household]}


def test_ages_in_a_household_fit() -> None:
    families: defaultdict[str, list[Row]] = defaultdict(list)
    for person in table("people.csv"):
        families[person["household_ref"]].append(person)
    families.pop("")
    for family in families.values():
        born: defaultdict[str, list[date]] = defaultdict(list)
        for person in family:
            born[person["relation"]].append(date.fromisoformat(person["birth_date"]))
        couple = born["head"] + born["spouse"]
        assert all((child - parent).days > 18 * 365 for child in born["child"] for parent in couple)
        assert all((head - parent).days > 18 * 365 for head in born["head"] for parent in born["parent"])
        assert all(abs((one - other).days) > 300 for one, other in combinations(born["child"], 2))
        assert all(date(1926, 1, 1) < day <= date(2026, 11, 23) for days in born.values() for day in days)


def test_children_do_not_live_alone() -> None:
    adults: set[str] = set()
    homes: set[str] = set()
    for person in table("people.csv"):
        homes.add(person["address_ref"])
        if date.fromisoformat(person["birth_date"]) <= date(2008, 11, 23):
            adults.add(person["address_ref"])
    assert homes == adults


def test_floating_residents_have_a_registration_instead_of_a_household_and_some_have_let_it_lapse() -> None:
    floating = [person for person in table("people.csv") if person["residency"] == "floating"]
    assert not any(person["household_ref"] or person["relation"] for person in floating)
    lapsed = [person for person in floating if date.fromisoformat(person["registered_until"]) < date(2026, 11, 23)]
    assert 70 <= len(lapsed) <= 210


# The duty list


def test_duty_list_says_what_a_grid_worker_must_do_and_what_belongs_to_others() -> None:
    duties = table("duties.csv")
    on_the_list = [duty for duty in duties if duty["grid_duty"] == "yes"]
    elsewhere = [duty for duty in duties if duty["grid_duty"] == "no"]
    assert len(on_the_list) >= 12
    assert len(elsewhere) >= 8, "one worker and eight masters: the masters are named"
    assert all(60 <= int(duty["deadline_minutes"]) <= 4320 for duty in on_the_list)
    assert not any(duty["deadline_minutes"] for duty in elsewhere)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", duty["category"]) for duty in duties)
    assert all(re.search(r"《.+》|GB/T \d+", duty["legal_basis"]) for duty in duties)


# The generator


def generate(out: Path, *more: str) -> dict[str, bytes]:
    command = [sys.executable, EXAMPLES / "generate.py", "--out", out, *more]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own script
    return {file.name: file.read_bytes() for file in out.iterdir()}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    assert generate(tmp_path) == {file.name: file.read_bytes() for file in COMMUNITY.iterdir()}


def test_another_seed_gives_another_community_just_as_right(tmp_path: Path) -> None:
    files = generate(tmp_path, "--seed", "7")
    assert find(tmp_path) == set()
    assert files["people.csv"] != (COMMUNITY / "people.csv").read_bytes()
    assert len(list(csv.reader(files["people.csv"].decode().splitlines()))) == 1 + 4250 + 3500
