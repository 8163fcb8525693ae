"""`python tests/faults`: rounds of harm under load. It ends at the first round after which something is wrong."""

import os
import platform
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random, SystemRandom
from shlex import quote
from typing import Annotated, Any

import orjson
import typer
from harms import FULL_DISK, HARMS
from local.running import run
from rounds import Result, Rounds, deck, summary
from town import Town

RESULTS = Path(__file__).parent / "results.json"


def say(line: str) -> None:
    """Tells whoever watches, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def faults(count: int, seed: int, data: Path, names: Sequence[str], results: Path) -> int:
    """Plays so many rounds; 0 if nothing was ever wrong."""
    say(f"seed {seed}: {count} rounds; logs in {data / 'logs'}")
    shutil.rmtree(data, ignore_errors=True)
    played: list[Result] = []
    about = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} × {platform.machine()}, {platform.system()} {platform.release()}",
    }
    async with Town(data) as town, Rounds(town, seed) as rounds:
        if not town.disk and FULL_DISK in names:
            say(f"without {FULL_DISK}: mounting a small disk is not permitted here")
        hands = deck(Random(seed), [it for it in names if town.disk or it != FULL_DISK])  # noqa: S311
        for number in range(1, count + 1):
            result = await rounds.play(number, next(hands))
            played.append(result)
            say(str(result))
            _write(results, summary(played, seed, about))  # each time: a run may be ended from outside
            if result.wrong:
                break
    if not played[-1].wrong:
        shutil.rmtree(data)
        return 0
    for complaint in played[-1].wrong[:50]:
        say(f"     {complaint.kind}: {complaint.what}")
    chosen = "" if set(names) == set(HARMS) else " ARGS=" + quote(" ".join(f'--harm "{name}"' for name in names))
    say(f"seed {seed}, round {played[-1].number}; data and logs stay in {data}")
    say(f"again: make faults ROUNDS={played[-1].number} SEED={seed}{chosen}")
    return 1


def _write(path: Path, figures: dict[str, Any]) -> None:
    path.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")


def main(
    rounds: Annotated[int, typer.Option(min=1, help="How many.")] = 50,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same commands and the same harm.")] = None,
    data: Annotated[Path, typer.Option(help="The folder for data and logs; it is emptied first.")] = Path(
        ".data/faults"
    ),
    harm: Annotated[list[str] | None, typer.Option(help="Only this harm; may be given several times.")] = None,
    results: Annotated[Path, typer.Option(help="Where the summary goes, as JSON.")] = RESULTS,
) -> None:
    """Does harm in rounds, under load, and holds the system to what it promised."""
    if unknown := [name for name in harm or () if name not in HARMS]:
        raise typer.BadParameter(f"there is no harm {', '.join(unknown)}; there is {', '.join(HARMS)}")
    chosen = seed if seed is not None else SystemRandom().randrange(1_000_000)
    raise SystemExit(run(faults(rounds, chosen, data.absolute(), harm or list(HARMS), results)))


if __name__ == "__main__":
    typer.run(main)
