"""Ports on 127.0.0.1: a free one, or the one that was asked for, or a sentence saying who has it."""

import socket

import psutil

from local.errors import PortTaken

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that is free now. The kernel does not give it out again soon, so it will be free in a moment too."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    """Whether one can listen on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def port_for(name: str, asked: int, *, preferred: int = 0) -> int:
    """The port that was asked for, or with 0 the preferred one if it is free, or else any.

    Raises PortTaken, naming who has the port as far as the system tells.
    """
    if not asked:
        return preferred if preferred and is_free(preferred) else free_port()
    if not is_free(asked):
        option = f"--{name.replace('_', '-')}-port"
        raise PortTaken(
            f"{name} cannot listen on {HOST}:{asked}: the port is in use{_holder(asked)}; "
            f"free it, or choose another with {option} (0 finds a free one)"
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
