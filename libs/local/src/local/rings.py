"""Key rings for one machine, one for each service, made at the first start: see `events.privacy.ring`. And which
service is given the keys of which others.

Whoever deletes the rings has made all personal data of this machine's system unreadable.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from events.privacy.ring import new_ring

from local import tokens

OWNERS = {"notifications": ("registry", "grid_tasks"), "grid_tasks": ("registry",), "registry": ("grid_tasks",)}
"""Who reads personal data of others, and is given their keys."""
PURPOSES = {"notifications": "telling", "grid_tasks": "visiting", "registry": "visiting"}


def environment(folder: Path, service: str, urls: Mapping[str, str]) -> dict[str, str]:
    """What a service is told of keys: where its ring is, and where others, at these addresses, give out theirs."""
    told = {"COMMONGRID_KEYS": str(ring(folder, service))}
    if owners := {it: urls[it] for it in OWNERS.get(service, ()) if it in urls}:
        told |= {
            "COMMONGRID_KEY_OWNERS": json.dumps(owners),
            "COMMONGRID_KEY_TOKEN": str(tokens.service_token(folder, service)),
            "COMMONGRID_KEY_PURPOSE": PURPOSES[service],
        }
    return told


def ring(folder: Path, service: str) -> Path:
    """The path of this service's ring in this folder; it is made if it is not there."""
    path = folder / f"{service}.ring.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        new_ring("local").save(path)
    return path
