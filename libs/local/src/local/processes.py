"""Child processes that do not outlive us, and a way to know a process again that does not mix it up with another.

Each child leads a session of its own, so that a Ctrl-C in the terminal reaches only us, and we end them in order. On
Linux the kernel also sends a child its stop signal when we die, however we die.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import psutil

from local.errors import DiedAtStart

_PR_SET_PDEATHSIG = 1
_LOG_LIMIT = 20_000_000
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Identity:
    """A process: its number, and when it started, because numbers are given out again."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Identity":
        """The process that has this number now; raises psutil.NoSuchProcess."""
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process, if it still lives."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1.0
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


@dataclass
class Child:
    """A process that we started."""

    name: str
    log: Path
    stop_signal: int
    identity: Identity
    _process: asyncio.subprocess.Process = field(repr=False)

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Its exit code (negative: the signal that ended it)."""
        return await self._process.wait()

    def kill(self) -> None:
        """Ends it at once: SIGKILL, for it and for what it started in its session."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.identity.pid, signal.SIGKILL)

    async def end(self, grace: float) -> int:
        """Asks it to stop, and after so many seconds kills it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.stop_signal)
        try:
            return await asyncio.wait_for(self._process.wait(), grace)
        except TimeoutError:
            self.kill()
            return await self._process.wait()

    async def until(self, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Polls until it is ready; raises DiedAtStart, with the end of its log, if it ends or takes longer."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not await ready():
            if not self.alive:
                raise self.died(f"ended with {how(await self.wait())} while it was started")
            if asyncio.get_running_loop().time() > deadline:
                await self.end(5)
                raise self.died(f"did not answer within {seconds:g} s")
            await asyncio.sleep(0.05)

    async def succeed(self) -> None:
        """Waits for its end; raises DiedAtStart, with the end of its log, if it failed."""
        try:
            code = await self.wait()
        except asyncio.CancelledError:
            self.kill()
            await self.wait()
            raise
        if code:
            raise self.died(f"failed with {how(code)}")

    def died(self, what: str) -> DiedAtStart:
        """What to tell the user about its end."""
        return DiedAtStart(f"{self.name} {what}; its log is {self.log}{last_lines(self.log)}")


async def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stop_signal: int = signal.SIGTERM,
    prepare: Callable[[], None] | None = None,
) -> Child:
    """Starts a child that writes to the log. Call it from the main thread: the kernel's watch hangs on the thread."""
    with _opened(log) as output:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            env=env,
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_bound_to_us(stop_signal, prepare),
        )
    try:
        identity = Identity.of(process.pid)
    except psutil.NoSuchProcess:  # gone already; whoever waits for it will see
        identity = Identity(process.pid, 0.0)
    return Child(name, log, stop_signal, identity, process)


def _opened(log: Path) -> BinaryIO:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    return log.open("ab")


def _bound_to_us(stop_signal: int, prepare: Callable[[], None] | None) -> Callable[[], None]:
    us = os.getpid()

    def in_the_child() -> None:
        if prepare:
            prepare()
        if sys.platform == "linux":  # after `prepare`: a change of user would undo it
            _libc.prctl(_PR_SET_PDEATHSIG, stop_signal, 0, 0, 0)
            if os.getppid() != us:
                os._exit(1)

    return in_the_child


async def end_all(processes: Sequence[psutil.Process], stop_signal: int, grace: float) -> None:
    """Ends processes that are not our children: the signal, and after so many seconds SIGKILL."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(stop_signal)
    _, left = await asyncio.to_thread(psutil.wait_procs, processes, grace)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    await asyncio.to_thread(psutil.wait_procs, left, 5)


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, to be put below a sentence."""
    with contextlib.suppress(OSError):
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            lines = file.read().decode(errors="replace").splitlines()[-count:]
        return ":\n" + "\n".join(f"  {line[:300]}" for line in lines) if lines else " (it is empty)"
    return ""


def how(code: int) -> str:
    """How a process ended, in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
