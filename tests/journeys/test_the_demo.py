"""`make demo ARGS="--once …"` plays the day, finds nothing wrong, and leaves nothing running."""

import asyncio
import json
import os
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
OUR_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS"}
"""What a make that runs this test would hand on."""


@pytest.mark.timeout(900)  # beside others it takes several times as long as alone
async def test_the_demo_plays_a_day_and_finds_nothing_wrong(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    environment = {name: value for name, value in os.environ.items() if name not in OUR_MAKE} | {
        "COMMONGRID_DATA": str(tmp_path / "data")
    }
    demo = await asyncio.create_subprocess_exec(
        "make",
        "demo",
        f"ARGS=--once --json {summary}",
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(800):
        output, _ = await demo.communicate()
    assert demo.returncode == 0, output.decode()[-3000:]
    table = json.loads(summary.read_text())
    assert table["wrong"] == []
    assert (table["people"], table["households"], table["units"], table["grids"]) == (7750, 1850, 125, 6)
    assert table["cases"] == {"closed": 45, "started": 3}
    assert sum(row["closed"] for row in table["board"]) == 45
    left = [
        it.info["cmdline"]
        for it in psutil.process_iter(["cmdline"])
        if str(tmp_path) in " ".join(it.info["cmdline"] or [])
    ]
    assert left == []
