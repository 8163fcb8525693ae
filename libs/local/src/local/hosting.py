"""The servers of a test run, in a process of their own that all processes of the run share.

They start when one first asks, and end when the run's process asks for it, or is found to be gone, however it went.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import psutil

from local.errors import DiedAtStart, Trouble
from local.ladder import Servers, servers
from local.locking import held
from local.processes import Identity, last_lines

_SECONDS_TO_START = 300  # the first run on a machine fetches Kafka
_SECONDS_BETWEEN_LOOKS = 0.5


def shared_servers(folder: Path, run: int) -> Servers:
    """The servers that live in this folder for as long as process `run`; starts them if they are not there yet."""
    ready = folder / "servers.json"
    with held(folder / "lock", wait=True):
        if not ready.exists():
            _start(folder, run)
    return Servers(**json.loads(ready.read_text()))


def end_shared_servers(folder: Path) -> None:
    """Ends them, if they were started; returns when they and the folder are gone."""
    note = folder / "host.json"
    if note.exists() and (host := Identity(**json.loads(note.read_text())).process()):
        host.send_signal(signal.SIGTERM)
        psutil.wait_procs([host], 60)
    shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, run: int) -> None:
    log = folder / "host.log"
    output = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        host = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "local.hosting", str(folder), str(run)],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)],
            setsid=True,
        )
    finally:
        os.close(output)
    identity = Identity.of(host)
    (folder / "host.json").write_text(json.dumps(asdict(identity)))
    deadline = time.monotonic() + _SECONDS_TO_START
    while not (folder / "servers.json").exists():
        if not identity.process() or time.monotonic() > deadline:
            raise DiedAtStart(f"the servers for the tests could not be started{last_lines(log, 30)}")
        time.sleep(0.05)


async def _host(folder: Path, run: Identity) -> None:
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    async with servers(folder, durable=False) as found:
        fresh = folder / "servers.new"
        fresh.write_text(json.dumps(asdict(found)))
        fresh.rename(folder / "servers.json")
        while run.process() and not asked.is_set():
            try:
                await asyncio.wait_for(asked.wait(), _SECONDS_BETWEEN_LOOKS)
            except TimeoutError:
                continue
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        asyncio.run(_host(Path(sys.argv[1]), Identity.of(int(sys.argv[2]))))
    except Trouble as trouble:
        raise SystemExit(str(trouble)) from None
