"""Jars, such as Kafka's: fetched by their Maven coordinates, once for each user of the machine, and held against a file
of their SHA-256.

`python -m local.jars` fetches Kafka's; with `--pin` it writes `kafka.sha256` anew, after a change of the version.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local.errors import MissingPart
from local.locking import held

VERSION = "4.3.1"
_ATTEMPTS = 3


@dataclass(frozen=True)
class Jars:
    """The jars of a program, with all that they need."""

    title: str
    folder: str
    """The name of their folder in the cache."""
    coordinates: str
    sums: Path
    """Which jars there are, and their SHA-256."""

    @property
    def paths(self) -> list[Path]:
        """Where the jars are, or should be."""
        return [self._folder() / name for name in self._wanted()]

    def fetch(self) -> None:
        """Fetches the jars, unless they are there. Raises MissingPart if that is not possible."""
        folder, wanted = self._folder(), self._wanted()
        with held(folder.with_name(f"{folder.name}.lock"), wait=True):
            if all(jar.exists() for jar in self.paths):
                return
            work = folder.with_name(f"{folder.name}.part")
            problem = ""
            for _ in range(_ATTEMPTS):
                shutil.rmtree(work, ignore_errors=True)
                try:
                    found = _resolve(self.coordinates, work)
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
        raise MissingPart(
            f"{self.title} could not be fetched, for which the first start needs a network: {problem[:500]}"
        )

    def pin(self) -> None:
        """Writes the file of SHA-256 anew."""
        with tempfile.TemporaryDirectory() as work:
            sums = _resolve(self.coordinates, Path(work))
        self.sums.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))

    def _wanted(self) -> dict[str, str]:
        pairs = (line.split() for line in self.sums.read_text().splitlines())
        return {name: digest for digest, name in pairs}

    def _folder(self) -> Path:
        return cache() / self.folder


def cache() -> Path:
    """Where what was fetched is kept, for this user of the machine."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "commongrid"


def _resolve(coordinates: str, work: Path) -> dict[str, str]:
    """Puts the jars into work/jars; returns their SHA-256 by name."""
    from jgo.env import EnvironmentBuilder
    from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(resolver=PythonResolver(), repo_cache=work / "maven", timeout=60)
    builder = EnvironmentBuilder(context=context, cache_dir=work / "jgo")
    jars = work / "jars"
    jars.mkdir(parents=True)
    sums: dict[str, str] = {}
    for jar in builder.from_endpoint(coordinates).all_jars:
        copy = Path(shutil.copy(jar, jars))
        sums[copy.name] = hashlib.sha256(copy.read_bytes()).hexdigest()
    return sums


KAFKA = Jars(
    "Apache Kafka",
    f"kafka-{VERSION}",
    f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:1.7.36",
    Path(__file__).parent / "kafka.sha256",
)

if __name__ == "__main__":
    try:
        KAFKA.pin() if sys.argv[1:] == ["--pin"] else KAFKA.fetch()
    except MissingPart as missing:
        raise SystemExit(str(missing)) from None
