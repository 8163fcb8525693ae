"""Brings a folder of register files to the registry, as any other system would: by `PUT /registers/…`, streamed."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import orjson
from rich.progress import Progress

ORDER = (
    ("grids", "grids.geojson"),
    ("addresses", "addresses.csv"),
    ("buildings", "buildings.csv"),
    ("households", "households.csv"),
    ("people", "people.csv"),
    ("units", "units.csv"),
    ("roster", "roster.csv"),
    ("duties", "duties.csv"),
)
"""Registers in the order in which one refers to another, with the names of their files."""

CHUNK = 65_536
PATIENCE = 120
"""Seconds in which a registry must be ready to take a file."""


@dataclass
class Imported:
    """What became of one file: the counts that the registry gave, and each bad row as it described it."""

    register: str
    counts: dict[str, int] = field(default_factory=dict[str, int])
    bad: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


class ImportFailed(Exception):
    """The registry did not take a file at all."""


async def import_folder(registry: str, folder: Path, token: str, progress: Progress) -> list[Imported]:
    """Imports what the folder holds; rows that are refused are in the answer, the others are in."""
    present = [(register, folder / name) for register, name in ORDER if (folder / name).exists()]
    if not present:
        names = ", ".join(name for _, name in ORDER)
        raise ImportFailed(f"{folder} holds no register file; they are called {names}")
    async with httpx2.AsyncClient(base_url=registry, timeout=300, headers={"Authorization": f"Bearer {token}"}) as http:
        return [await _import_file(http, register, path, progress) for register, path in present]


async def _import_file(http: httpx2.AsyncClient, register: str, path: Path, progress: Progress) -> Imported:
    done = Imported(register)
    bar = progress.add_task(register, total=_rows(path))
    kind = "text/csv" if path.suffix == ".csv" else "application/geo+json"
    async with asyncio.timeout(PATIENCE):
        response = await _sent(http, register, path, kind)
    try:
        if response.status_code != 200:
            problem = (await response.aread()).decode()
            raise ImportFailed(f"{path.name} was not taken: {problem}")
        async for line in response.aiter_lines():
            if line.strip():
                _note(done, orjson.loads(line), progress, bar)
    finally:
        await response.aclose()
    if "rows" not in done.counts:
        raise ImportFailed(f"{path.name}: the answer broke off; run the import again, it doubles nothing")
    progress.update(bar, total=done.counts["rows"], completed=done.counts["rows"])
    return done


async def _sent(http: httpx2.AsyncClient, register: str, path: Path, kind: str) -> httpx2.Response:
    """The answer as it begins; a registry that is not ready yet is asked again when it says."""
    while True:
        request = http.build_request(
            "PUT", f"/registers/{register}", content=_read(path), headers={"Content-Type": kind}
        )
        response = await http.send(request, stream=True)
        if response.status_code != 503 or "Retry-After" not in response.headers:
            return response
        await response.aclose()
        await asyncio.sleep(float(response.headers["Retry-After"]))


def _rows(path: Path) -> int | None:
    """About how many there are, for the bar; the registry counts."""
    if path.suffix != ".csv":
        return None
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip()) - 1


def _note(done: Imported, said: dict[str, Any], progress: Progress, bar: Any) -> None:
    if "done" in said:
        done.counts = said["done"]
    elif "progress" in said:
        progress.update(bar, completed=said["progress"]["rows"])
    elif "line" in said:
        done.bad.append(said)


async def _read(path: Path) -> AsyncGenerator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
