"""Key rings for one machine, one for each service, made at the first start: see `events.privacy.ring`.

Whoever deletes them has made all personal data of this machine's system unreadable.
"""

from pathlib import Path

from events.privacy.ring import new_ring


def ring(folder: Path, service: str) -> Path:
    """The path of this service's ring in this folder; it is made if it is not there."""
    path = folder / f"{service}.ring.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        new_ring("local").save(path)
    return path
