"""What the tests of the machine's own tools share."""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest


@contextmanager
def closed() -> Generator[Path]:
    """A folder that only its owner may enter, like a home. At the end nothing may run in it."""
    folder = Path(tempfile.mkdtemp(prefix="commongrid-closed-"))
    folder.chmod(0o700)
    yield folder
    _, left = psutil.wait_procs(running_in(folder), timeout=5)  # some may be on their way out
    for process in left:
        process.kill()
    shutil.rmtree(folder)
    assert not left


@pytest.fixture
def closed_folder() -> Generator[Path]:
    """One for this test."""
    with closed() as folder:
        yield folder


@pytest.fixture(scope="module")
def shared_folder() -> Generator[Path]:
    """One for all tests of the file."""
    with closed() as folder:
        yield folder


@pytest.fixture(scope="module")
def clock_on_path() -> Generator[None]:
    """Lets `python -m town_clock` be found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        yield


def running_in(folder: Path) -> list[psutil.Process]:
    """Every process, this one left out, that has something to do with the folder."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, FileNotFoundError):
            traces = [process.cwd(), *process.cmdline(), *process.environ().values()]
            if process.pid != os.getpid() and any(str(folder) in trace for trace in traces):
                found.append(process)
    return found
