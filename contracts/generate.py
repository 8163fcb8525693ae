"""Writes the contracts from the code, or checks (`--check`) that those committed are what the code says, and that
nothing has changed since the last release that its consumers, or its events, cannot bear.

    python contracts/generate.py [--check]
"""

import sys
from importlib import import_module
from pathlib import Path

from contracts.catalogue import PUBLISHED
from contracts.committed import as_file, broken, differences, generated, last_release, present, unreadable, write
from contracts.inventory import table
from edge import Application

FOLDER = Path(__file__).parent


def files() -> dict[str, str]:
    """All that is generated: from the event classes, and from each service's API."""
    return (
        generated()
        | {"personal-data.md": table()}
        | {f"openapi/{service}.json": as_file(application(service).document(), sort_keys=True) for service in PUBLISHED}
    )


def application(service: str) -> Application:
    """The service as it is run."""
    return import_module(f"{service}.service").application


def check() -> list[str]:
    """What is wrong, one sentence each; empty if nothing is."""
    wanted = files()
    _, released = last_release(FOLDER)
    return [
        *differences(FOLDER, wanted),
        *unreadable(FOLDER),
        *broken(released, present(FOLDER) | wanted),
    ]


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if problems := check():
            sys.exit("\n".join(problems))
        sys.stdout.write(f"Contracts are as the code says, and compatible with {last_release(FOLDER)[0]}.\n")
    elif not sys.argv[1:]:
        sys.stdout.writelines(f"wrote contracts/{path}\n" for path in write(FOLDER, files()))
    else:
        sys.exit(__doc__)
