"""Make a city of communities like the sample one: `python examples/city.py --people 3400000 --out FOLDER`.

Each community has the sample's buildings, households and proportions, lies beside the others, and is lived in by other
people: names drawn anew, other days of birth, identity numbers of their own. Rows are written as they are made, so the
city may be larger than the memory. The same number of people gives the same bytes.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer
from generator import chance
from generator.numbers import identity_check

COMMUNITY = Path(__file__).resolve().parent / "community"
IN_A_ROW = 25
"""Communities side by side; each takes so many degrees:"""
STEP = 0.02
GRIDS_IN_A_FILE = 600
CODE = "990502001001"
REFERENCES = ("address_ref", "building_ref", "household_ref", "person_ref", "unit_ref")

Row = dict[str, str]


def make(
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    people: Annotated[int, typer.Option(help="At least so many.")] = 3_400_000,
    seed: Annotated[int, typer.Option(help="Another number, another city.")] = 20261123,
) -> None:
    """Write the files of a city: as the sample community's, with the grids in several."""
    out.mkdir(parents=True, exist_ok=True)
    sample = {name: _read(name) for name in ("addresses", "buildings", "households", "people", "units")}
    count = -(-people // len(sample["people"]))
    for name, rows in sample.items():
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            for nth in range(count):
                writer.writerows(_rows(name, rows, nth, seed))
    features = [feature for nth in range(count) for feature in _grids(nth)]
    for first in range(0, len(features), GRIDS_IN_A_FILE):
        collection = {"type": "FeatureCollection", "features": features[first : first + GRIDS_IN_A_FILE]}
        (out / f"grids-{first // GRIDS_IN_A_FILE + 1:02}.geojson").write_text(json.dumps(collection), encoding="utf-8")
    typer.echo(f"{count * len(sample['people'])} people in {count} communities written to {out}")


def _read(name: str) -> list[Row]:
    with (COMMUNITY / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _rows(name: str, rows: Sequence[Row], nth: int, seed: int) -> Iterator[Row]:
    """The rows of one community."""
    east, north = STEP * (nth % IN_A_ROW), STEP * (nth // IN_A_ROW)
    own: dict[str, str] = dict.fromkeys(REFERENCES, f"{nth:03}-")
    others = Others(nth, seed) if name == "people" else None
    for row in rows:
        new = {column: own.get(column, "") + cell if cell else cell for column, cell in row.items()}
        if name == "addresses":
            new["division_code"] = code_of(nth)
            new["longitude"] = f"{float(row['longitude']) + east:.6f}"
            new["latitude"] = f"{float(row['latitude']) + north:.6f}"
        if others:
            new |= others.instead_of(row)
        yield new


def code_of(nth: int) -> str:
    """The division code of a community: twenty to a subdistrict."""
    return f"{CODE[:6]}{1 + nth // 20:03}{1 + nth % 20:03}"


class Others:
    """Other people of the same ages, with numbers of their own."""

    def __init__(self, nth: int, seed: int) -> None:
        self._rng: Random = chance(seed, f"people of {nth}")
        names = [row["name"] for row in _read("people")]
        self._surnames = [name[:1] for name in names]
        self._given = [name[1:] for name in names]
        self._nth = nth
        self._taken: dict[str, int] = {}

    def instead_of(self, row: Row) -> Row:
        """Who lives there instead of that person of the sample."""
        born = date.fromisoformat(row["birth_date"]).replace(day=1) + timedelta(days=self._rng.randrange(27))
        region = f"99{self._nth:04}{born:%Y%m%d}"  # one of its own for each community: no two are numbered alike
        taken = self._taken.get(region + row["sex"], 0)
        self._taken[region + row["sex"]] = taken + 1
        body = f"{region}{2 * taken + (row['sex'] == '1'):03}"
        phone = row["phone"] and f"154{self._nth % 1000:03}{self._rng.randrange(100_000):05}"
        return {
            "name": self._rng.choice(self._surnames) + self._rng.choice(self._given),
            "id_number": body + identity_check(body),
            "birth_date": born.isoformat(),
            "phone": phone,
        }


def _grids(nth: int) -> Iterator[dict[str, Any]]:
    east, north = STEP * (nth % IN_A_ROW), STEP * (nth // IN_A_ROW)
    for feature in json.loads((COMMUNITY / "grids.geojson").read_text(encoding="utf-8"))["features"]:
        named = feature["properties"]
        [ring] = feature["geometry"]["coordinates"]
        moved = [[round(x + east, 6), round(y + north, 6)] for x, y in ring]
        yield {
            "type": "Feature",
            "properties": named | {"code": f"{nth:03}-{named['code']}", "division_code": code_of(nth)},
            "geometry": {"type": "Polygon", "coordinates": [moved]},
        }


if __name__ == "__main__":
    typer.run(make)
