"""Ports on 127.0.0.1: a free one, or the one that was asked for, or a sentence saying who has it."""

import random
import socket

import psutil

from local.errors import PortTaken

HOST = "127.0.0.1"


_OURS = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections. From there a client that waits for a server to come back
could, by connecting again and again, be given the server's own port, and keep it."""


def free_port(preferred: int | None = None) -> int:
    """A port that is free now: the preferred one, or one at random, so that no two who ask at once get the same."""
    for port in (*([preferred] if preferred else []), *random.sample(_OURS, 200)):
        if is_free(port):
            return port
    raise PortTaken(f"no free port was found between {_OURS.start} and {_OURS.stop}")


def is_free(port: int) -> bool:
    """Whether one can listen on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def port_for(name: str, asked: int) -> int:
    """The port that was asked for, or with 0 a free one; raises PortTaken, naming who has it if the system tells."""
    if not asked:
        return free_port()
    if not is_free(asked):
        raise PortTaken(
            f"{name} cannot listen on {HOST}:{asked}: the port is in use{_holder(asked)}; "
            f"free it, or choose another with --{name.replace('_', '-')}-port (0 finds a free one)"
        )
    return asked


def _holder(port: int) -> str:
    try:
        for it in psutil.net_connections("tcp"):
            if it.laddr and it.laddr.port == port and it.status == psutil.CONN_LISTEN and it.pid:
                return f" by {psutil.Process(it.pid).name()} (pid {it.pid})"
    except (psutil.Error, PermissionError):
        pass  # other people's processes
    return ""
