"""The committed contracts are what the code says, and nobody who relies on the last release is broken."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_committed_contracts_are_as_the_code_says_and_break_nobody():
    done = subprocess.run(  # noqa: S603
        [sys.executable, ROOT / "contracts" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_committed_contracts_name_no_place_where_they_were_made():
    for file in (ROOT / "contracts").rglob("*.json"):
        text = file.read_text(encoding="utf-8")
        assert "localhost" not in text, file
        assert "127.0.0.1" not in text, file
