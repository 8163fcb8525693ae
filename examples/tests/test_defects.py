"""The defects are what `expected.csv` says they are, no more and no less."""

import csv
from pathlib import Path

from .clerk import Finding, find

DEFECTS = Path(__file__).parent.parent / "defects"


def test_each_defect_is_found_where_it_stands_and_good_rows_stand_beside_it() -> None:
    with (DEFECTS / "expected.csv").open(encoding="utf-8", newline="") as file:
        expected = {Finding(row["file"], int(row["line"]), row["reason"]) for row in csv.DictReader(file)}
    assert find(DEFECTS) == expected
