"""A clerk who reads a folder of sample files and says what is wrong with them.

Written from the standards and the tables in `examples/README.md`, without a line of the generator or of the
registry, so that each can be held against it.
"""

import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from shapely import Polygon
from shapely.geometry import shape

Row: TypeAlias = dict[str, str]
Known: TypeAlias = dict[str, set[str]]

REQUIRED = {
    "addresses.csv": "address_ref division_code street number longitude latitude",
    "buildings.csv": "building_ref address_ref name kind floors",
    "households.csv": "household_ref address_ref",
    "people.csv": "person_ref name id_number sex birth_date residency address_ref",
    "units.csv": "unit_ref name category address_ref credit_code",
    "roster.csv": "member_ref name post email",
    "duties.csv": "category title_zh title_en department_zh department_en grid_duty standard_zh standard_en "
    "legal_basis",
}
KINDS = ["residential", "park", "maternity_hospital", "elderly_centre", "youth_centre"]
CATEGORIES = ["shop", "hotel", "chess_room", "foot_bath"]
POSTS = ["grid_instructor", "grid_leader", "grid_worker", "community_officer", "auxiliary"]
RELATIONS = ["head", "spouse", "child", "parent", "other"]
NUMERIC_CELL = re.compile(r"\d+\.\d+([eE]\+?\d+)?")


class Finding(NamedTuple):
    """Where a file is wrong, and a word for what is wrong with it.

    In `grids.geojson` the line is the number of the feature, counted from 1.
    """

    file: str
    line: int
    reason: str


def identity_number_checks(number: str) -> bool:
    """GB 11643: with the check character as the last term (X is 10), the weighted sum is 1 modulo 11."""
    if not re.fullmatch(r"\d{17}[\dX]", number):
        return False
    digits = [10 if mark == "X" else int(mark) for mark in number]
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1]
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 11 == 1


def credit_code_checks(code: str) -> bool:
    """GB 32100 for the whole, modulo 31, and GB 11714 for the organisation code within it, modulo 11."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    if len(code) != 18 or not set(code) <= set(alphabet):
        return False
    weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1]
    whole = sum(alphabet.index(mark) * weight for mark, weight in zip(code, weights, strict=True))
    inner = sum(int(mark, 36) * weight for mark, weight in zip(code[8:16], [3, 7, 9, 10, 5, 8, 4, 2], strict=True))
    last = 10 if code[16] == "X" else int(code[16], 36)
    return whole % 31 == 0 and (inner + last) % 11 == 0


def read_rows(path: Path) -> list[tuple[int, Row]]:
    """The rows with their line numbers; UTF-8, with or without a mark at its head, or else GB18030."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    reader = csv.DictReader(text.splitlines())
    return [(reader.line_num, row) for row in reader]


def read_grids(path: Path) -> list[tuple[str | None, Polygon]]:
    """Code and ground of each feature, in degrees."""
    features: list[Any] = json.loads(path.read_text(encoding="utf-8"))["features"]
    grounds = [shape(feature["geometry"]) for feature in features]
    assert all(isinstance(ground, Polygon) for ground in grounds)
    return [
        (feature["properties"].get("code"), ground)
        for feature, ground in zip(features, grounds, strict=True)
        if isinstance(ground, Polygon)
    ]


def find(folder: Path) -> set[Finding]:
    """Everything that is wrong in a folder, one finding for each row at most."""
    known: Known = {}
    findings = {Finding("grids.geojson", *found) for found in _find_in_grids(folder / "grids.geojson", known)}
    for file in REQUIRED:
        for line, row in read_rows(folder / file):
            if reason := _first_reason(file, row, known):
                findings.add(Finding(file, line, reason))
            else:
                known.setdefault(file, set()).add(next(iter(row.values())))
    return findings


def _find_in_grids(path: Path, known: Known) -> Iterator[tuple[int, str]]:
    accepted: list[Polygon] = []
    known["grids"] = set()
    for number, (code, ground) in enumerate(read_grids(path), start=1):
        if not code:
            yield number, "missing"
        elif not ground.is_valid:
            yield number, "self_crossing"
        elif any(ground.intersection(other).area > 0 for other in accepted):
            yield number, "overlap"
        else:
            accepted.append(ground)
            known["grids"].add(code)


def _first_reason(file: str, row: Row, known: Known) -> str | None:
    if not all(row[column] for column in REQUIRED[file].split()):
        return "missing"
    if "address_ref" in row and file != "addresses.csv" and row["address_ref"] not in known["addresses.csv"]:
        return "unknown_address"
    match file:
        case "addresses.csv":
            reasons = _wrong_address(row)
        case "buildings.csv":
            reasons = _wrong_building(row)
        case "people.csv":
            reasons = _wrong_person(row, known)
        case "units.csv":
            reasons = _wrong_unit(row)
        case "roster.csv":
            reasons = _wrong_member(row, known)
        case "duties.csv":
            reasons = _wrong_duty(row)
        case _:
            reasons = iter(())
    return next(reasons, None)


def _wrong_address(row: Row) -> Iterator[str]:
    if not re.fullmatch(r"\d{12}", row["division_code"]):
        yield "division_code"
    if not (73 < float(row["longitude"]) < 136 and 3 < float(row["latitude"]) < 54):
        yield "coordinates"


def _wrong_building(row: Row) -> Iterator[str]:
    if row["kind"] not in KINDS:
        yield "unknown_choice"
    if not all(re.fullmatch(r"\d*", row[column], re.ASCII) for column in ("floors", "built_year")):
        yield "not_a_number"


def _wrong_person(row: Row, known: Known) -> Iterator[str]:
    number, born = row["id_number"], row["birth_date"]
    if NUMERIC_CELL.fullmatch(number) or NUMERIC_CELL.fullmatch(row["phone"]):
        yield "numeric_cell"
    if not identity_number_checks(number):
        yield "checksum"
    if not all(_is_date(row[column]) for column in ("birth_date", "registered_until") if row[column]):
        yield "not_a_date"
    if number[6:14] != born.replace("-", ""):
        yield "birth_date"
    if number[16] not in {"1": "13579", "2": "02468"}[row["sex"]]:
        yield "sex"
    if row["phone"] and not re.fullmatch(r"1[3-9]\d{9}", row["phone"]):
        yield "phone"
    belongs = {"permanent": ("household_ref", "relation"), "floating": ("registered_until",)}
    if row["residency"] not in belongs or (row["relation"] and row["relation"] not in RELATIONS):
        yield "unknown_choice"
    if not all(row[column] for column in belongs[row["residency"]]):
        yield "missing"
    if row["household_ref"] and row["household_ref"] not in known["households.csv"]:
        yield "unknown_household"


def _wrong_unit(row: Row) -> Iterator[str]:
    if row["category"] not in CATEGORIES:
        yield "unknown_category"
    if not credit_code_checks(row["credit_code"]):
        yield "checksum"


def _wrong_member(row: Row, known: Known) -> Iterator[str]:
    if row["post"] not in POSTS:
        yield "unknown_post"
    if row["post"].startswith("grid") and not row["grid_code"]:
        yield "missing"
    if row["grid_code"] and row["grid_code"] not in known["grids"]:
        yield "unknown_grid"


def _wrong_duty(row: Row) -> Iterator[str]:
    if row["grid_duty"] not in ("yes", "no"):
        yield "unknown_choice"
    if row["grid_duty"] == "yes" and not row["deadline_minutes"]:
        yield "missing"
    if not re.fullmatch(r"\d*", row["deadline_minutes"], re.ASCII):
        yield "not_a_number"


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
