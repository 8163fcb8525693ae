"""Kafka's jars: fetched by their Maven coordinates, once for each user of the machine, and held against `kafka.sha256`.

`python -m local.jars` fetches them; with `--pin` it writes that file anew, after a change of the version.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from local.errors import MissingPart
from local.locking import held

VERSION = "4.3.1"
_COORDINATES = f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:1.7.36"
_SUMS = Path(__file__).parent / "kafka.sha256"
_ATTEMPTS = 3


def kafka_jars() -> list[Path]:
    """Where the jars are, or should be."""
    return [_folder() / name for name in _wanted()]


def fetch() -> None:
    """Fetches the jars, unless another process did meanwhile. Raises MissingPart if that is not possible."""
    folder, wanted = _folder(), _wanted()
    with held(folder.with_name(f"{folder.name}.lock"), wait=True):
        if all(jar.exists() for jar in kafka_jars()):
            return
        work = folder.with_name(f"{folder.name}.part")
        problem = ""
        for _ in range(_ATTEMPTS):
            shutil.rmtree(work, ignore_errors=True)
            try:
                found = _resolve(work)
            except Exception as error:  # jgo lets through whatever its parts raise
                problem = f"{error}"
                continue
            wrong = sorted(name for name, digest in wanted.items() if found.get(name) != digest)
            if not wrong:
                shutil.rmtree(folder, ignore_errors=True)
                (work / "jars").rename(folder)
                shutil.rmtree(work)
                return
            problem = f"{', '.join(wrong)} did not come with the content that is expected"
    raise MissingPart(f"Apache Kafka could not be fetched, for which the first start needs a network: {problem[:500]}")


def _resolve(work: Path) -> dict[str, str]:
    """Puts the jars into work/jars; returns their SHA-256 by name."""
    from jgo.env import EnvironmentBuilder
    from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(resolver=PythonResolver(), repo_cache=work / "maven", timeout=60)
    builder = EnvironmentBuilder(context=context, cache_dir=work / "jgo")
    jars = work / "jars"
    jars.mkdir(parents=True)
    sums: dict[str, str] = {}
    for jar in builder.from_endpoint(_COORDINATES).all_jars:
        copy = Path(shutil.copy(jar, jars))
        sums[copy.name] = hashlib.sha256(copy.read_bytes()).hexdigest()
    return sums


def _wanted() -> dict[str, str]:
    pairs = (line.split() for line in _SUMS.read_text().splitlines())
    return {name: digest for digest, name in pairs}


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "commongrid" / f"kafka-{VERSION}"


def _pin() -> None:
    with tempfile.TemporaryDirectory() as work:
        sums = _resolve(Path(work))
    _SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))


if __name__ == "__main__":
    try:
        _pin() if sys.argv[1:] == ["--pin"] else fetch()
    except MissingPart as missing:
        raise SystemExit(str(missing)) from None
