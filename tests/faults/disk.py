"""A disk that is small enough to be filled: a tmpfs of its own.

with small_disk(folder, mebibytes=64) as disk:
    disk.fill()  # whoever writes there now is told that no space is left
    disk.free()

What fills it are the pages of one file beside whatever else is kept there.
"""

import errno
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.errors import MissingPart

_PORTIONS = (1 << 20, 1 << 12)


@dataclass(frozen=True)
class SmallDisk:
    """The folder is empty at first, and gone with the disk."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Takes all the space that is left."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in _PORTIONS:
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        """Gives it back."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Generator[SmallDisk]:
    """Mounts one for the time of the block. Raises MissingPart where that is not permitted."""
    folder.mkdir(parents=True)
    size = f"size={mebibytes}m,mode=700"
    _run("mount", "-t", "tmpfs", "-o", size, "commongrid", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        _run("umount", "--lazy", str(folder))  # what still runs there keeps it to its end
        folder.rmdir()


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    except FileNotFoundError as error:
        raise MissingPart(f"a small disk needs the program {command[0]}") from error
    if done.returncode:
        raise MissingPart(
            f"a small disk needs the right to mount, which root has outside of containers: {done.stderr.strip()}"
        )
