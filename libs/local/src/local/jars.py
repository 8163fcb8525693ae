"""Kafka's jars: fetched by their Maven coordinates, once for each user of the machine, and held against `kafka.sha256`.

`python -m local.jars` writes that file anew, after a change of the version.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from local.errors import MissingPart
from local.locking import held

VERSION = "4.3.1"
_COORDINATES = f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:1.7.36"
_SUMS = Path(__file__).parent / "kafka.sha256"
_ATTEMPTS = 3


def kafka_jars(say: Callable[[str], None]) -> list[Path]:
    """The jars, fetched if they are not here yet. Raises MissingPart if that is not possible."""
    wanted = _wanted()
    folder = _cache() / f"kafka-{VERSION}"
    if not folder.exists():
        with held(folder.with_suffix(".lock"), wait=True):
            if not folder.exists():
                say(f"fetching Apache Kafka {VERSION} ({len(wanted)} jars), this once")
                _fetch(folder, wanted)
    jars = [folder / name for name in wanted]
    if lost := [jar.name for jar in jars if not jar.exists()]:
        raise MissingPart(f"{folder} is incomplete, {', '.join(lost)} is missing: remove the folder and start again")
    return jars


def _fetch(folder: Path, wanted: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=folder.name) as temporary:
        problem = ""
        for attempt in range(_ATTEMPTS):
            jars = Path(temporary, f"{attempt}")
            try:
                found = _resolve(jars)
            except Exception as error:  # jgo lets through whatever its parts raise
                problem = f"{error}"
                continue
            wrong = sorted(name for name, digest in wanted.items() if found.get(name) != digest)
            if not wrong:
                jars.rename(folder)
                return
            problem = f"{', '.join(wrong)} came with other content than expected"
    raise MissingPart(
        f"Apache Kafka's jars could not be fetched, which the first start needs a network for: {problem[:500]}"
    )


def _resolve(folder: Path) -> dict[str, str]:
    """Puts the jars into the folder; returns their SHA-256 by name."""
    from jgo.env import EnvironmentBuilder
    from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(resolver=PythonResolver(), repo_cache=folder.with_suffix(".m2"), timeout=60)
    builder = EnvironmentBuilder(context=context, cache_dir=folder.with_suffix(".jgo"))
    folder.mkdir()
    sums: dict[str, str] = {}
    for jar in builder.from_endpoint(_COORDINATES).all_jars:
        copy = Path(shutil.copy(jar, folder))
        sums[copy.name] = hashlib.sha256(copy.read_bytes()).hexdigest()
    return sums


def _wanted() -> dict[str, str]:
    pairs = (line.split() for line in _SUMS.read_text().splitlines())
    return {name: digest for digest, name in pairs}


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "commongrid"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        sums = _resolve(Path(temporary, "jars"))
    _SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    sys.stdout.write(f"{len(sums)} jars\n")
