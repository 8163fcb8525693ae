"""What came out, to look at: the table in `benchmarks/README.md` and the plot that the README shows."""

import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import log10
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.measuring import Benchmark

Figures = Mapping[str, Any]
"""One entry of `results.json`."""

ROW, LABEL, WIDTH, HEAD = 26, 250, 860, 46
FROM, TO = 0.25, 4.0
"""The ends of the plot's axis, in aims; what goes further is drawn at the end, its figure says how far."""

BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"


def write(readme: Path, plot: Path, benchmarks: Sequence[Benchmark], results: Sequence[Figures]) -> None:
    """Writes both from the results."""
    known = {it.name: it for it in benchmarks}
    rows = [(known[it["name"]], it) for it in results]
    plot.write_text(svg(rows), encoding="utf-8")
    block = f"{BEGIN}\nLast measured on {date.today()}: {machine()}.\n\n{table(rows)}\n{END}"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: block, text, flags=re.DOTALL), encoding="utf-8")


def machine() -> str:
    """What this ran on, as far as a ratio depends on it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def table(rows: Iterable[tuple[Benchmark, Figures]]) -> str:
    """The figures in Markdown."""
    head = "name", "what", "against", "aim", "median", "lowest … highest", "rounds", ""
    lines = [cells(*head), "|" + "---|" * len(head)]
    for benchmark, it in rows:
        aim = f"{'≥' if benchmark.better == 'more' else '≤'} {it['aim']:g} {it['unit']}"
        median, spread = f"**{it['value']:.3g}**", f"{it['low']:.3g} … {it['high']:.3g}"
        lines.append(
            cells(
                f"`{it['name']}`",
                benchmark.what,
                benchmark.against or "–",
                aim,
                median,
                spread,
                str(it["rounds"]),
                "✓" if it["ok"] else "✗",
            )
        )
    return "\n".join(lines)


def cells(*contents: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(contents)} |"


def svg(rows: Sequence[tuple[Benchmark, Figures]]) -> str:
    """Each figure as a share of its aim, on a logarithmic axis: right of the line the aim is met."""
    height = HEAD + ROW * len(rows) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="sans-serif" '
        'font-size="13" fill="#24292f">',
        "<title>Each figure against its aim</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for share, label in ((0.25, "¼"), (0.5, "½"), (1.0, "the aim"), (2.0, "2 ×"), (4.0, "4 ×")):
        colour = "#24292f" if share == 1 else "#d0d7de"
        parts += [
            f'<text x="{x(share):.1f}" y="22" text-anchor="middle">{label}</text>',
            f'<line x1="{x(share):.1f}" x2="{x(share):.1f}" y1="32" y2="{height - 8}" stroke="{colour}"/>',
        ]
    for nth, (benchmark, it) in enumerate(rows):
        y = HEAD + ROW * nth + 8
        low, middle, high = (x(of_aim(benchmark, it[key], it["aim"])) for key in ("low", "value", "high"))
        colour = "#1a7f37" if it["ok"] else "#cf222e"
        parts += [
            f'<text x="8" y="{y + 4}">{escape(it["name"])}</text>',
            f'<text x="{LABEL - 20}" y="{y + 4}" text-anchor="end">{it["value"]:.3g} {escape(it["unit"])}</text>',
            f'<path d="M{low:.1f} {y}H{high:.1f}" stroke="{colour}" stroke-width="3" opacity=".4"/>',
            f'<circle cx="{middle:.1f}" cy="{y}" r="5" fill="{colour}"/>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def of_aim(benchmark: Benchmark, value: float, aim: float) -> float:
    """How good a value is, as a share of what it should be: 1 meets the aim, more is better."""
    return value / aim if benchmark.better == "more" else aim / max(value, 1e-9)


def x(share: float) -> float:
    """Where a share of the aim stands on the axis."""
    within = min(max(share, FROM), TO)
    return LABEL + (WIDTH - LABEL - 40) * log10(within / FROM) / log10(TO / FROM)
