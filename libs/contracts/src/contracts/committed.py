"""The contracts as files: written from the code, committed, and held against the code and the last release.

asyncapi/<service>.json     the events of a service, for integrators
openapi/<service>.json      its API
schemas/<event type>.json   the data of a type, older types included
golden/<event type>/*.json  samples of it that must stay readable for ever
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from contracts.asyncapi import document
from contracts.catalogue import PUBLISHED
from contracts.compatibility import breaks
from contracts.examples import EXAMPLES, at
from contracts.schemas import schema_of
from contracts.sealed import on_the_wire, read
from events import Event
from events.event import Position, Raw, aggregate_of
from events.privacy.sealing import DoesNotOpen
from pydantic import ValidationError
from pydantic_core import to_json

Files = Mapping[str, str]
"""Contents by path, relative to the contracts folder."""

GENERATED = ("asyncapi", "openapi", "schemas")
REGENERATE = "run `python contracts/generate.py` and commit what it writes"


def as_file(value: Any, *, sort_keys: bool = False) -> str:
    """JSON as it is committed: readable, Chinese left as it is, one line end at the end."""
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=sort_keys) + "\n"


def generated() -> dict[str, str]:
    """Everything that follows from the event classes."""
    files = {f"asyncapi/{service}.json": as_file(document(service)) for service in PUBLISHED}
    files |= {f"schemas/{cls.type_name}.json": as_file(schema_of(cls)) for cls in _classes()}
    return files


def write(folder: Path, files: Files) -> list[str]:
    """Brings the folder up to date and returns the paths that changed. Golden samples are only ever added."""
    superfluous = _superfluous(folder, files)
    for path in superfluous:
        (folder / path).unlink()
    wanted = {path: text for path, text in files.items() if _text(folder / path) != text}
    for event in EXAMPLES:
        if not any((folder / "golden" / event.type_name).glob("*.json")):
            wanted[f"golden/{event.type_name}/example.json"] = as_file(json.loads(on_the_wire(event)))
    for path, text in wanted.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return sorted([*wanted, *superfluous])


def differences(folder: Path, files: Files) -> Iterator[str]:
    """Where the committed files are not what the code says."""
    for path, text in files.items():
        committed = _text(folder / path)
        if committed is None:
            yield f"contracts/{path} is missing: {REGENERATE}"
        elif committed != text:
            yield f"contracts/{path} is not what the code says: {REGENERATE}"
    for path in _superfluous(folder, files):
        yield f"contracts/{path} is of nothing that is published: {REGENERATE}"


def unreadable(folder: Path) -> Iterator[str]:
    """Golden samples that the present classes cannot read, or lose something of; and types that have none."""
    for type_name in _types():
        samples = sorted((folder / "golden" / type_name).glob("*.json"))
        if not samples:
            yield f"contracts/golden/{type_name} has no sample: add one to contracts.examples; then {REGENERATE}"
        for sample in samples:
            if problem := _unread(type_name, json.loads(sample.read_text(encoding="utf-8"))):
                yield (
                    f"contracts/golden/{type_name}/{sample.name} {problem}. Events like it stand in stores for ever: "
                    "make the class read it again, or declare a new type with `upcasts` (if this type was never "
                    "released, delete the sample and generate it anew)"
                )


def broken(released: Files, files: Files) -> Iterator[str]:
    """What has changed since the last release in a way that its consumers, or its events, cannot bear."""
    types = _types()
    for path, text in released.items():
        kind, _, name = path.partition("/")
        if kind == "golden" and files.get(path) != text:
            yield f"contracts/{path} was released and is {'changed' if path in files else 'gone'}: restore it"
        if kind != "schemas":
            continue
        type_name = name.removesuffix(".json")
        if type_name not in types:
            yield f"{type_name} was released and nothing reads it now: give its successor `upcasts` for it"
        for what in breaks(json.loads(text), json.loads(files.get(path, text))):
            yield f"{type_name}: {what}. Leave this type as it was and publish the change as {_next(type_name)}"


def last_release(folder: Path) -> tuple[str, dict[str, str]]:
    """The files as of the last version tag, or as last committed where there is no tag, or as they are where there is
    no git; and which of these it is."""
    try:
        tags = _git(folder, "tag", "--merged", "HEAD", "--sort=-version:refname", "--list", "v*").split()
        ref = tags[0] if tags else "HEAD"
        paths = _git(folder, "ls-tree", "-r", "-z", "--name-only", ref, ".").split("\0")
        return ref, {path: _git(folder, "show", f"{ref}:./{path}") for path in paths if path.endswith(".json")}
    except (OSError, subprocess.CalledProcessError):
        return "the files themselves", present(folder)


def present(folder: Path) -> dict[str, str]:
    """The files as they are."""
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.json")}


def _classes() -> list[type[Event]]:
    return [cls for classes in PUBLISHED.values() for cls in classes]


def _types() -> set[str]:
    """Every type that can be read, older ones included."""
    return {type_name for cls in _classes() for type_name in (cls.type_name, *cls.upcasts)}


def _superfluous(folder: Path, files: Files) -> list[str]:
    """Generated files that nothing stands for any more. The schemas of older types stay."""
    kept = files.keys() | {f"schemas/{type_name}.json" for type_name in _types()}
    found = (f"{kind}/{path.name}" for kind in GENERATED for path in (folder / kind).glob("*.json"))
    return sorted(path for path in found if path not in kept)


def _unread(type_name: str, data: dict[str, Any]) -> str | None:
    stream = f"{aggregate_of(type_name)}-{next(iter(data.values()))}"
    raw = Raw(Position(1, 1, 1), stream, 1, type_name, to_json(data), at(9, 0))
    try:
        event = read(raw)
    except (ValidationError, LookupError, ValueError, TypeError, DoesNotOpen) as error:
        return f"can no longer be read ({str(error).splitlines()[0]})"
    if type_name == event.type_name and (lost := data.keys() - event.model_dump().keys()):
        return f"holds {', '.join(sorted(lost))}, which its class no longer knows"
    return None


def _next(type_name: str) -> str:
    stem, _, number = type_name.rpartition(".v")
    return f'{stem}.v{int(number) + 1}, with upcasts={{"{type_name}": …}}'


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(  # noqa: S603
        ["git", "-C", str(folder), *arguments],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    ).stdout
