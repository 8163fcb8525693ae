"""What is said of the benchmarks: the figures shown are the figures measured."""

import json
from pathlib import Path

from benchmarks import figures
from benchmarks.__main__ import BENCHMARKS, HERE, RESULTS
from benchmarks.measuring import Benchmark


def test_the_table_and_the_plot_show_what_was_measured() -> None:
    known = {it.name: it for it in BENCHMARKS}
    rows = [(known[it["name"]], it) for it in json.loads(RESULTS.read_text())]
    assert figures.table(rows) in (HERE / "README.md").read_text()
    assert figures.svg(rows) == (HERE / "figures.svg").read_text()


def test_every_benchmark_has_been_measured() -> None:
    assert {it["name"] for it in json.loads(RESULTS.read_text())} == {it.name for it in BENCHMARKS}


def test_a_run_writes_its_figures_and_leaves_what_people_wrote(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"Before.\n{figures.BEGIN}\nold\n{figures.END}\nAfter.\n")
    figures.write(readme, tmp_path / "figures.svg", [LAG], [FIGURE])
    text = readme.read_text()
    assert text.startswith(f"Before.\n{figures.BEGIN}\n")
    assert text.endswith(f"{figures.END}\nAfter.\n")
    assert "| `lag` | this | that | ≤ 2 × | **4** | 3 … 5 | 7 | ✗ |" in text
    assert "old" not in text


def test_less_is_more_where_less_is_better() -> None:
    assert figures.of_aim(LAG, 4, 2) == 0.5
    assert figures.x(figures.of_aim(LAG, 1, 2)) > figures.x(1.0)


async def _never(_: object) -> list[float]:
    raise AssertionError


LAG = Benchmark("lag", "this", "that", 2, _never, better="less")
FIGURE = {"name": "lag", "value": 4.0, "aim": 2, "ok": False, "rounds": 7, "low": 3.0, "high": 5.0, "unit": "×"}
