"""What runs in a data folder, noted in `run.json` (mode 0600), so that another process can find it and end it.

A note is never believed blindly: a process counts as ours only if it started when the note says.
"""

import json
import os
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from local.processes import Identity, end_all

_GRACE = 20


@dataclass(frozen=True)
class Noted:
    """A process that the system started."""

    identity: Identity
    stop_signal: int
    address: str
    environment: dict[str, str] = field(default_factory=dict[str, str])
    """What a service was told."""


@dataclass(frozen=True)
class Run:
    """A running system, or what is left of one."""

    supervisor: Identity
    parts: dict[str, Noted]


def write(data: Path, run: Run) -> None:
    """Notes it, whole or not at all."""
    fresh = data / "run.json.new"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(run), file, indent=1)
    fresh.replace(_path(data))


def read(data: Path) -> Run | None:
    """What is noted, if anything."""
    try:
        noted: dict[str, Any] = json.loads(_path(data).read_text())
        parts = {
            name: Noted(**part | {"identity": Identity(**part["identity"])}) for name, part in noted["parts"].items()
        }
        return Run(Identity(**noted["supervisor"]), parts)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def forget(data: Path) -> None:
    """Nothing runs there any more."""
    _path(data).unlink(missing_ok=True)


async def end(data: Path) -> list[str]:
    """Ends what runs there, the supervisor first, then the services, then the servers; returns their names."""
    run = read(data)
    if not run:
        return []
    ended: list[str] = []
    if supervisor := run.supervisor.process():
        await end_all([supervisor], signal.SIGTERM, 3 * _GRACE)
        ended.append("supervisor")
    for name, part in reversed(list(run.parts.items())):
        if process := part.identity.process():
            await end_all([process], part.stop_signal, _GRACE)
            ended.append(name)
    forget(data)
    return ended


def supervised(data: Path) -> psutil.Process | None:
    """The process that supervises there, if one does."""
    run = read(data)
    return run.supervisor.process() if run else None


def _path(data: Path) -> Path:
    return data / "run.json"
