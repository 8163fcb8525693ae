"""One process: its HTTP server and its work on one loop, and an orderly end.

On SIGTERM or Ctrl-C the server takes no more requests and finishes those in hand; then the work is cancelled. If the
server or any piece of work ends by itself, that is a failure: the process says so and exits with 1.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Generator, Mapping

import uvicorn

from edge.access import Edge
from edge.patience import PATIENT, Patience, Protocol, watch

log = logging.getLogger(__name__)

GRACE = 10
"""Seconds that requests in hand are given when the process is to stop."""


class PortTaken(Exception):
    """The address cannot be listened on; the message says why."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises PortTaken."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}; "
            "set COMMONGRID_HTTP_HOST and COMMONGRID_HTTP_PORT to an address that is free"
        ) from None


class Server(uvicorn.Server):
    """uvicorn's, which leaves signals to whoever runs it: they end more than the server, see `run`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def run(
    app: Edge,
    listener: socket.socket,
    work: Mapping[str, Awaitable[None]],
    *,
    proxies: str,
    patience: Patience = PATIENT,
) -> int:
    """Serves and works until a signal comes or something fails; returns the exit code. `proxies`: who may say, by
    X-Forwarded-For, where a request comes from."""
    server = Server(
        uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=proxies,
            timeout_graceful_shutdown=GRACE,
        )
    )
    stopped = asyncio.Event()
    _on_signals(stopped, server)
    serving = asyncio.create_task(server.serve([listener]), name="http server")
    work = {**work, "patience": watch(server.server_state.connections, patience)}
    working = [asyncio.ensure_future(_named(name, each)) for name, each in work.items()]
    signalled = asyncio.create_task(stopped.wait(), name="signal")

    log.info("serving", extra={"address": "{}:{}".format(*listener.getsockname()), "work": list(work)})
    await asyncio.wait([serving, *working, signalled], return_when=asyncio.FIRST_COMPLETED)
    code = 0 if stopped.is_set() else 1
    log.info("stopping")
    app.state.stopping.set()
    server.should_exit = True
    await asyncio.wait([serving])
    for task in (*working, signalled):
        task.cancel()
    await asyncio.wait([*working, signalled])
    for task in (serving, *working):
        if not task.cancelled() and (error := task.exception()):
            log.error("a part of the process failed", exc_info=error, extra={"part": task.get_name()})
    return code


async def _named(name: str, work: Awaitable[None]) -> None:
    if task := asyncio.current_task():
        task.set_name(name)
    await work


def _on_signals(stopped: asyncio.Event, server: uvicorn.Server) -> None:
    def stop() -> None:
        server.force_exit = stopped.is_set()  # whoever asks twice is in a hurry
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
