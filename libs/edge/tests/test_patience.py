"""A client who is slow is cut off, and nobody else waits for them; real sockets, on a real server."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from edge.patience import LARGEST_FRAME, LARGEST_HEAD, Patience, Protocol, watch
from edge.serving import Server
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

SOON = Patience(head=1.5, body=1.5, per_second=1_000_000, answer=1.5)
FOR_EVER = 20.0
"""Seconds after which a test gives up waiting to be cut off."""


@dataclass
class Served:
    """Where it listens, and what became of the requests."""

    port: int
    whole: int = 0
    torn: int = 0
    stream_ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/endless":
            await StreamingResponse(self._words())(scope, receive, send)
            return
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            self.torn += 1
            return
        self.whole += 1
        answer: Response = PlainTextResponse(f"{len(body)}")
        await answer(scope, receive, send)

    async def _words(self) -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"word " * 10_000
                await asyncio.sleep(0)
        finally:
            self.stream_ended.set()


@asynccontextmanager
async def served(patience: Patience = SOON) -> AsyncGenerator[Served]:
    it = Served(0)
    config = uvicorn.Config(
        it, http=Protocol, port=0, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.01)
    watching = asyncio.create_task(watch(server.server_state.connections, patience))
    it.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield it
        assert not watching.done(), watching.exception()
    finally:
        watching.cancel()
        server.should_exit = True
        await asyncio.wait([serving, watching])


async def dribble(port: int, begins: bytes, again: bytes, pause: float = 0.2) -> bytes:
    """Sends what begins, then a little again and again until the other side ends it; what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        with contextlib.suppress(OSError):
            writer.write(begins)
            while True:
                await writer.drain()
                await asyncio.sleep(pause)
                writer.write(again)

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(FOR_EVER):
            with contextlib.suppress(ConnectionError):
                return await reader.read()
            return b""
    finally:
        sending.cancel()
        writer.transport.abort()


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "


async def test_a_body_that_comes_byte_by_byte_is_not_waited_for() -> None:
    async with served() as it:
        assert await dribble(it.port, HEAD + b"1000\r\n\r\n", b"x") == b""
        await asyncio.sleep(0.1)
        assert (it.whole, it.torn) == (0, 1)


async def test_a_body_that_comes_chunk_by_chunk_without_end_is_not_waited_for() -> None:
    begins = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with served() as it:
        assert await dribble(it.port, begins, b"1\r\nx\r\n") == b""


async def test_a_head_that_comes_byte_by_byte_is_not_waited_for() -> None:
    async with served() as it:
        assert await dribble(it.port, b"GET / HTTP/1.1\r\nX-Slow: ", b"x") == b""


async def test_a_connection_on_which_nothing_ever_comes_is_closed() -> None:
    async with served() as it:
        assert await dribble(it.port, b"", b"") == b""


async def test_a_second_head_on_a_connection_is_given_no_more_time_than_the_first() -> None:
    async with served() as it:
        answer = await dribble(it.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX-Slow: ", b"x")
        assert answer.startswith(b"HTTP/1.1 200")
        assert it.whole == 1


async def test_a_large_body_is_given_the_time_that_it_takes() -> None:
    size = 3_000_000  # three seconds more than a small one is given
    async with served() as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        writer.write(HEAD + b"%d\r\n\r\n" % size)
        for _ in range(30):
            writer.write(b"x" * (size // 30))
            await asyncio.sleep(0.1)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_an_answer_that_nobody_reads_is_not_kept_for_ever() -> None:
    async with served() as it:
        with socket.create_connection(("127.0.0.1", it.port)) as client:
            client.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(FOR_EVER):
                await it.stream_ended.wait()


async def test_who_reads_a_long_answer_steadily_is_not_cut_off() -> None:
    async with served() as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        writer.write(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        until = asyncio.get_running_loop().time() + 4
        while asyncio.get_running_loop().time() < until:
            assert await reader.read(10_000_000)
        assert not it.stream_ended.is_set()
        writer.transport.abort()


async def test_others_are_answered_while_many_are_slow() -> None:
    async with served(Patience(head=5, body=5, answer=5)) as it:
        slow = [asyncio.create_task(dribble(it.port, HEAD + b"1000\r\n\r\n", b"x")) for _ in range(50)]
        await asyncio.sleep(0.5)
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        async with asyncio.timeout(1):
            writer.write(HEAD + b"3\r\n\r\nabc")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
        assert await asyncio.gather(*slow) == [b""] * 50


@pytest.mark.parametrize("line", [b"X-Endless: %s\r\n", b"X-%s: x\r\n"], ids=["values", "names"])
async def test_a_head_without_end_is_refused_long_before_it_fills_the_memory(line: bytes) -> None:
    async with served(Patience()) as it:
        answer = await dribble(it.port, b"GET / HTTP/1.1\r\n", line % (b"a" * 8_000), 0.001)
        assert answer.startswith(b"HTTP/1.1 431")
        assert it.whole == 0


async def test_one_header_without_end_is_refused_too() -> None:
    async with served(Patience()) as it:
        answer = await dribble(it.port, b"GET / HTTP/1.1\r\nX-Endless: ", b"a" * 8_000, 0.001)
        assert answer.startswith(b"HTTP/1.1 431")


async def test_a_head_as_long_as_is_allowed_is_taken() -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (nth, b"a" * 1_000) for nth in range(LARGEST_HEAD // 1_200))
    async with served() as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(1) == b"0"
        writer.close()


async def test_what_stands_around_a_body_may_not_be_endless_either() -> None:
    """A trailer is kept by the parser until it ends, and counts to no body."""
    begins = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Endless: "
    async with served(Patience()) as it:
        assert await dribble(it.port, begins, b"a" * (LARGEST_FRAME // 16), 0.001) == b""
        assert it.whole == 0
