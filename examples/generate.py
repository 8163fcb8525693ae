"""Make the sample community: `python examples/generate.py [--seed 20261123] [--out examples/community]`.

The same seed gives the same bytes. `duties.csv` is not made here: what a grid worker must do is decided,
not invented, so that list is kept by hand and only copied along.
"""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from generator import chance
from generator.numbers import phones
from generator.population import populate
from generator.premises import lay_out
from generator.roster import appoint
from generator.streets import GRIDS, feature
from generator.units import open_units

COMMUNITY = Path(__file__).resolve().parent / "community"
DUTIES = "duties.csv"


def make(
    seed: Annotated[int, typer.Option(help="Another number, another community.")] = 20261123,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = COMMUNITY,
) -> None:
    """Write the files of the sample community to a folder."""
    numbers = phones(chance(seed, "phones"), 10_000)
    roster = appoint(seed, numbers)
    premises = lay_out(seed)
    units = open_units(seed, premises, numbers)
    households, people = populate(seed, premises, numbers)

    out.mkdir(parents=True, exist_ok=True)
    features = ",\n".join(json.dumps(feature(grid), ensure_ascii=False) for grid in GRIDS)
    geojson = f'{{"type": "FeatureCollection", "features": [\n{features}\n]}}\n'
    (out / "grids.geojson").write_text(geojson, encoding="utf-8", newline="\n")
    _write(out / "addresses.csv", premises.addresses)
    _write(out / "buildings.csv", premises.buildings)
    _write(out / "households.csv", households)
    _write(out / "people.csv", people)
    _write(out / "units.csv", units)
    _write(out / "roster.csv", roster)
    if out.resolve() != COMMUNITY:
        shutil.copyfile(COMMUNITY / DUTIES, out / DUTIES)
    typer.echo(f"{len(people)} people in {len(households)} households written to {out}")


def _write(path: Path, rows: Sequence[NamedTuple]) -> None:
    """A row is a tuple whose field names are the columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows[0]._fields)
        writer.writerows(rows)


if __name__ == "__main__":
    typer.run(make)
