"""How long a client may take: who sends a request's head or body too slowly, or does not read the answer, is cut off.

uvicorn itself limits only how long a connection may idle between two requests: a head that never ends would be kept
for ever, and a body that comes byte by byte waited for. It costs a request next to nothing: connections are looked at
once a second, from beside.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger(__name__)

LARGEST_HEAD = 65_536
"""Bytes, roughly: what came at once with the last of them is taken too."""
LARGEST_MESSAGE = 2_147_483_648
"""Bytes of a body with what stands around it, however it is cut up: twice the largest file that is taken. Where an
operation takes less, its own limit has answered long before."""
LARGEST_FRAME = 67_108_864
"""Bytes of what stands around a body alone: how long its parts are, and trailers, which are kept until they end."""
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
LOOK_EVERY = 1.0

CUT = Counter("commongrid_slow_clients_total", "Connections cut because the client was too slow.", ["at"])


@dataclass(frozen=True)
class Patience:
    """Seconds that a client is given."""

    head: float = 15
    """To send a head, from the first byte; or, on a new connection, to send anything at all."""
    body: float = 30
    """To send a body, and a second more for every `per_second` bytes that it was announced to have."""
    per_second: int = 65_536
    answer: float = 60
    """To read what is ready to be sent, when more waits than a connection buffers."""


PATIENT = Patience()


class Waits(Enum):
    """What a connection waits for from its client."""

    HEAD = auto()
    BODY = auto()
    READING = auto()


class Protocol(HttpToolsProtocol):
    """uvicorn's, with an end to how much is taken before a head, or what stands around a body, is complete."""

    _taken = 0
    _body = 0

    def data_received(self, data: bytes) -> None:
        """Bytes came in."""
        before = self.cycle
        was_body = bool(before and before.more_body)
        super().data_received(data)
        now = self.cycle
        is_body = bool(now and now.more_body)
        if now is not before or is_body is not was_body:
            self._taken = self._body = 0
            return
        self._taken += len(data)
        endless = (
            self._taken > LARGEST_MESSAGE or self._taken - self._body > LARGEST_FRAME
            if is_body
            else self._taken > LARGEST_HEAD
        )
        if endless and not self.transport.is_closing():
            if not is_body and (not now or now.response_complete):
                self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        """Some of a body came in."""
        self._body += len(body)
        super().on_body(body)

    def waits(self) -> tuple[Waits, object] | None:
        """What it waits for, and which request that is about; None if it waits for nothing, or idles in between."""
        cycle = self.cycle
        if cycle and not cycle.response_complete:
            if self.flow.write_paused:
                return Waits.READING, cycle
            return (Waits.BODY, cycle) if cycle.more_body and not self.flow.read_paused else None
        idle = self.timeout_keep_alive_task is not None  # uvicorn ends that by itself
        return None if idle else (Waits.HEAD, cycle)

    def announced(self) -> int:
        """How long the body is to be, as the client says."""
        for name, value in self.cycle.scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0


async def watch(connections: Collection[Any], patience: Patience, clock: Callable[[], float] | None = None) -> None:
    """Cuts off who is too slow, until it is cancelled. `connections` are those of uvicorn's server."""
    clock = clock or asyncio.get_running_loop().time
    waiting: dict[Protocol, tuple[tuple[Waits, object], float]] = {}
    while True:
        now, before = clock(), waiting
        waiting = {}
        for connection in list(connections):
            if not isinstance(connection, Protocol) or (what := connection.waits()) is None:
                continue
            known = before.get(connection)
            since = known[1] if known and known[0] == what else now
            if now - since < _given(connection, what[0], patience):
                waiting[connection] = what, since
            else:
                CUT.labels(what[0].name.lower()).inc()
                log.warning("a client was too slow and was cut off", extra={"at": what[0].name.lower()})
                connection.transport.abort()
        await asyncio.sleep(LOOK_EVERY)


def _given(connection: Protocol, what: Waits, patience: Patience) -> float:
    match what:
        case Waits.HEAD:
            return patience.head
        case Waits.BODY:
            return patience.body + connection.announced() / patience.per_second
        case Waits.READING:
            return patience.answer
