"""`make bench`: measures everything, or what is asked for, and keeps the results, their table and their plot."""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from local.ladder import servers
from rich.console import Console

from benchmarks import (
    append,
    cases,
    city,
    debezium,
    field,
    figures,
    http,
    memory,
    peers,
    projection,
    reach,
    rebuild,
    relay,
    rounds,
)
from benchmarks.measuring import Bench, Benchmark, Result

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
MODULES = append, peers, http, relay, debezium, projection, rebuild, reach, memory, city, cases, field, rounds
BENCHMARKS = [it for module in MODULES for it in module.BENCHMARKS]
console = Console(highlight=False)


async def main(chosen: Sequence[Benchmark], quick: bool, rounds: int) -> list[Result]:
    """Runs them, on servers of their own."""
    with tempfile.TemporaryDirectory(prefix="commongrid-bench-") as folder:
        async with servers(Path(folder)) as started:
            results: list[Result] = []
            for benchmark in chosen:
                bench = Bench(started, quick, rounds)
                result = await benchmark.run(bench)
                console.print(f"{sentence(benchmark, result)}  [dim]({'; '.join(bench.seen)})[/]")
                results.append(result)
    return results


def sentence(benchmark: Benchmark, result: Result) -> str:
    """A result in one line."""
    sign = "≥" if benchmark.better == "more" else "≤"
    mark = "[green]✓[/]" if result.ok else "[red]✗[/]"
    spread = f"{result.low:.3g}…{result.high:.3g}"
    return f"{mark} {result.name}: {result.value:.3g} {result.unit} (aim {sign} {result.aim:g}; {spread})"


def merged(results: Sequence[Result]) -> list[dict[str, object]]:
    """These results among those of earlier runs, in the order of the benchmarks."""
    kept = {it["name"]: it for it in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    kept |= {result.name: asdict(result) for result in results}
    return [kept[it.name] for it in BENCHMARKS if it.name in kept]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", help="those whose name begins so: relay")
    parser.add_argument("--quick", action="store_true", help="all in under five minutes, for a first look")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    chosen = [it for it in BENCHMARKS if not asked.only or it.name.startswith(asked.only)]
    if not chosen:
        parser.error(f"nothing is called {asked.only}: there are {', '.join(it.name for it in BENCHMARKS)}")
    found = asyncio.run(main(chosen, asked.quick, asked.rounds))
    results = merged(found)
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    figures.write(HERE / "README.md", HERE / "figures.svg", BENCHMARKS, results)
