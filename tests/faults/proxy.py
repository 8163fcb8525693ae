"""A way to a server that can be cut, stalled and slowed: a TCP proxy on 127.0.0.1.

async with Proxy(HOST, postgres.port) as proxy:
    await proxy.stall()  # clients of proxy.port wait
    await proxy.heal()   # and go on where they were

A client of a server that is down is connected first and reset then. No more than a portion is ever under way in each
direction of a connection, so who sends too much is held up as by the server itself.
"""

import asyncio
import math
import socket
import struct
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from typing import Self

from local.ports import HOST, free_port

_PORTION = 65_536
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """The way to host:port, whole at first. When a verb returns, the way is so; what was so before is over."""

    def __init__(self, host: str, port: int) -> None:
        self.port = free_port()
        """Where clients find it, as long as it lives."""
        self._behind = host, port
        self._listening: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._bytes_per_second = math.inf
        self._delay = 0.0
        self._changed = asyncio.Event()

    async def cut(self) -> None:
        """Resets all connections, and refuses new ones."""
        if self._listening:
            self._listening.close()
            self._listening = None
        for connection in self._connections:
            connection.cancel()
        while self._connections:
            await asyncio.wait(self._connections)

    async def stall(self) -> None:
        """Keeps the connections, takes new ones, and passes nothing."""
        await self.slow(delay=math.inf)

    async def slow(self, bytes_per_second: float = math.inf, delay: float = 0) -> None:
        """Holds each portion up for so many seconds, and passes no more than so much, each way of each connection."""
        self._bytes_per_second, self._delay = bytes_per_second, delay
        self._changed.set()
        self._changed = asyncio.Event()
        if not self._listening:
            self._listening = await asyncio.start_server(self._accept, HOST, self.port, limit=_PORTION)

    async def heal(self) -> None:
        """Passes everything at once."""
        await self.slow()

    async def __aenter__(self) -> Self:
        """Opens the way."""
        await self.heal()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cuts it for good."""
        await self.cut()

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        if not self._listening:  # it came while the way was cut
            writer.transport.abort()
            return
        connection = asyncio.create_task(self._carry(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _carry(self, from_client: StreamReader, to_client: StreamWriter) -> None:
        ends, whole = [to_client], False
        try:
            await self._held_up(0)
            from_server, to_server = await asyncio.open_connection(*self._behind, limit=_PORTION)
            ends.append(to_server)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass(from_client, to_server))
                ways.create_task(self._pass(from_server, to_client))
            whole = True
        except* OSError:
            pass
        finally:
            for end in ends:
                _close(end, whole)
            for end in ends:
                with suppress(OSError):
                    await end.wait_closed()

    async def _pass(self, reader: StreamReader, writer: StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)
        while portion := await reader.read(self._portion()):
            await self._held_up(len(portion))
            writer.write(portion)
            await writer.drain()
        await self._held_up(0)
        writer.write_eof()

    def _portion(self) -> int:
        return max(1, int(min(_PORTION, self._bytes_per_second / 10)))

    async def _held_up(self, size: int) -> None:
        """Waits as long as the state of the way asks for; when that changes, as long as the new one does."""
        while seconds := self._delay + size / self._bytes_per_second:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)
                continue
            return


def _close(end: StreamWriter, whole: bool) -> None:
    if not whole:
        with suppress(OSError):  # the other side was faster
            end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        end.transport.abort()
    end.close()
