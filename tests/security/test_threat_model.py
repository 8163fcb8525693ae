"""No control is claimed whose test is not there, and what has none is called open or somebody else's."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    line
    for line in (ROOT / "docs/threat-model.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [STRIDE](, [STRIDE])* \|", line)
]
NAMED = sorted({it for row in ROWS for it in re.findall(r"`([^`]+\.py)::(\w+)`", row)})


def test_every_test_that_is_named_is_there() -> None:
    assert len(NAMED) > 40
    missing = [
        f"{path}::{name}"
        for path, name in NAMED
        if not re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_every_threat_has_a_test_or_says_that_it_is_open_or_whose_it_is() -> None:
    claimed = [row for row in ROWS if "::" not in row and "**open**" not in row and "**yours**" not in row]
    assert [row for row in claimed if "requirements.lock" not in row and "make audit" not in row] == []


def test_every_kind_of_threat_was_thought_of() -> None:
    assert {kind for row in ROWS for kind in row.split("|")[1].replace(",", " ").split()} == set("STRIDE")
