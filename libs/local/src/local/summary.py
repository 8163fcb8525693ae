"""What the demo shows at its end."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table


@dataclass
class Summary:
    """What the demo shows at its end, and what was wrong; `wrong` is empty if all is as it should be."""

    people: int = 0
    permanent: int = 0
    floating: int = 0
    households: int = 0
    buildings: int = 0
    residential: int = 0
    units: int = 0
    grids: int = 0
    cases: dict[str, int] = field(default_factory=dict[str, int])
    refused_reports: dict[str, int] = field(default_factory=dict[str, int])
    events_appended: int = 0
    events_projected: int = 0
    slowest_read_model: str = ""
    slowest_lag_events: int = 0
    slowest_lag_seconds: float = 0.0
    mails: int | None = None
    webhooks: int | None = None
    board: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list[str])


def show(summary: Summary, urls: Mapping[str, str], console: Console) -> None:
    """Prints the table, the scoreboard of the grid workers, and the addresses to open."""
    figures = Table(title="社区 X · Community X", show_header=False)
    figures.add_row("people 实有人口", f"{summary.people} ({summary.permanent} permanent, {summary.floating} floating)")
    figures.add_row(
        "households 户 / buildings 楼栋",
        f"{summary.households} / {summary.buildings} ({summary.residential} residential)",
    )
    figures.add_row("units 实有单位 / grids 网格", f"{summary.units} / {summary.grids}")
    figures.add_row("cases 事件", ", ".join(f"{count} {step}" for step, count in summary.cases.items()))
    figures.add_row(
        "reports refused at the door", ", ".join(f"{n} {why}" for why, n in summary.refused_reports.items())
    )
    if summary.mails is not None:  # in containers they arrive where the demo does not look
        figures.add_row("mails / webhooks delivered", f"{summary.mails} / {summary.webhooks}")
    figures.add_row("events appended / projected", f"{summary.events_appended} / {summary.events_projected}")
    figures.add_row("slowest read model", f"{summary.slowest_read_model}: {summary.slowest_lag_events} events behind")
    console.print(figures)
    board = Table(
        "", "worker 网格员", "grid", "points", "closed", "on time", "first time", "stars", title="公示 · The board"
    )
    for row in summary.board:
        board.add_row(
            str(row["rank"]),
            row["name"] or row["worker"],
            row["grid"],
            f"{row['points']:.1f}",
            str(row["closed"]),
            f"{row['on_time']:.0%}",
            f"{row['first_attempt']:.0%}",
            "★" * row["stars"],
        )
    console.print(board)
    for name in urls:
        console.print(f"{name:14} {urls[name]}/docs")
    console.print(f"{'board 公示':13} {urls['assessment']}/board.html")
    console.print(f"{'live events':14} {urls['notifications']}/live")
    for complaint in summary.wrong:
        console.print(f"[red]wrong:[/] {complaint}", highlight=False)


def as_json(summary: Summary) -> bytes:
    """The table for machines."""
    return orjson.dumps(asdict(summary), option=orjson.OPT_INDENT_2)
