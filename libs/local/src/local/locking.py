"""One holder of a file at a time, on this machine. The kernel lets go when the holder dies, however it dies."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class Held(Exception):
    """Somebody else holds it."""


@contextmanager
def held(path: Path, *, wait: bool) -> Generator[None]:
    """Holds the file for the time of the block, making it if need be; raises Held at once unless told to wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Held(str(path)) from None
        yield
    finally:
        os.close(descriptor)
