"""The proxy: what comes through when the way is whole, and what does not when it is harmed."""

import asyncio
import gc
import math
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import psutil
import pytest
from events.testing import eventually
from local.ports import HOST
from proxy import Proxy


@dataclass
class Echo:
    """A server that answers with what it hears, and notes what it heard at once."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list[bytes])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65_536):
                self.heard.append(chunk)
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def says(self, text: bytes) -> bool:
        """Asks it directly, many times: a while in which anything under way to it has arrived."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        for _ in range(200):
            writer.write(text)
            assert await reader.readexactly(len(text)) == text
        writer.close()
        await writer.wait_closed()
        return True


@pytest.fixture
async def echo() -> AsyncGenerator[Echo]:
    it = Echo()
    server = await asyncio.start_server(it.serve, HOST, 0)
    it.port = server.sockets[0].getsockname()[1]
    yield it
    server.close()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncGenerator[Proxy]:
    async with Proxy(HOST, echo.port) as proxy:
        yield proxy


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, proxy: Proxy) -> "Client":
        return cls(*await asyncio.open_connection(HOST, proxy.port))

    async def ask(self, text: bytes) -> bytes:
        self.writer.write(text)
        return await self.reader.readexactly(len(text))

    async def leave(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def test_a_whole_way_passes_everything_and_the_end_of_it(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    text = b"0123456789" * 300_000
    client.writer.write(text)
    client.writer.write_eof()
    assert await client.reader.read(-1) == text
    await client.leave()


async def test_a_cut_way_resets_who_is_there_and_refuses_who_comes(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"first") == b"first"
    await proxy.cut()
    with pytest.raises(ConnectionResetError):
        await client.reader.read(1)
    client.writer.close()
    with pytest.raises(ConnectionRefusedError):
        await Client.of(proxy)

    await proxy.heal()
    again = await Client.of(proxy)
    assert await again.ask(b"second") == b"second"
    await again.leave()


async def test_a_stalled_way_keeps_everybody_and_passes_nothing_until_it_is_healed(proxy: Proxy, echo: Echo) -> None:
    there = await Client.of(proxy)
    assert await there.ask(b"before") == b"before"
    await proxy.stall()
    new = await Client.of(proxy)
    answers = [asyncio.create_task(there.ask(b"old")), asyncio.create_task(new.ask(b"new"))]
    assert await echo.says(b".")
    assert not {b"old", b"new"} & set(echo.heard)

    await proxy.heal()
    assert await asyncio.gather(*answers) == [b"old", b"new"]
    await there.leave()
    await new.leave()


async def test_a_cut_way_that_is_stalled_takes_connections_again(proxy: Proxy) -> None:
    await proxy.cut()
    await proxy.stall()
    client = await Client.of(proxy)
    answer = asyncio.create_task(client.ask(b"late"))
    await proxy.heal()
    assert await answer == b"late"
    await client.leave()


@pytest.mark.parametrize(("rate", "delay"), [(1, 0), (math.inf, 3600)])
async def test_a_slow_way_holds_up_and_lets_go_as_soon_as_it_is_healed(
    proxy: Proxy, echo: Echo, rate: float, delay: float
) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"before") == b"before"
    await proxy.slow(rate, delay)
    answer = asyncio.create_task(client.ask(b"slowly" * 1000))
    assert await echo.says(b".")
    assert len(b"".join(echo.heard).replace(b".", b"").removeprefix(b"before")) < 6000

    await proxy.heal()
    assert await answer == b"slowly" * 1000
    await client.leave()


async def test_a_slow_way_passes_everything_in_order(proxy: Proxy, echo: Echo) -> None:
    await proxy.slow(bytes_per_second=10_000, delay=0.001)
    client = await Client.of(proxy)
    text = bytes(range(250)) * 20
    assert await client.ask(text) == text
    assert len(echo.heard) > 1, "a bit at a time"
    await client.leave()


async def test_who_sends_more_than_is_taken_is_held_up(proxy: Proxy) -> None:
    await proxy.stall()
    with socket.create_connection((HOST, proxy.port)) as client:
        client.setblocking(False)
        taken, refused = 0, 0
        while refused < 1000 and taken < 100_000_000:
            try:
                taken += client.send(bytes(1_000_000))
                refused = 0
            except BlockingIOError:
                refused += 1
            await asyncio.sleep(0)
    assert taken < 100_000_000


async def test_a_server_that_is_down_shows_as_a_reset_without_a_complaint(caplog: pytest.LogCaptureFixture) -> None:
    async with Proxy(HOST, 9) as to_nobody:
        client = await Client.of(to_nobody)
        with pytest.raises(ConnectionResetError):
            await client.reader.read(1)
        client.writer.close()
    gc.collect()
    assert not caplog.records


async def test_nothing_is_left_of_connections_that_ended(echo: Echo) -> None:
    async def left() -> tuple[int, int]:
        return len(asyncio.all_tasks()), psutil.Process().num_fds()

    before = await left()

    async def as_before() -> bool:
        return await left() == before

    async with Proxy(HOST, echo.port) as proxy:
        for _ in range(20):
            client = await Client.of(proxy)
            assert await client.ask(b"hello") == b"hello"
            await client.leave()
        staying = await Client.of(proxy)
        assert await staying.ask(b"hello") == b"hello"
        await proxy.stall()
        waiting = await Client.of(proxy)
    for client in (staying, waiting):
        with pytest.raises(ConnectionResetError):
            await client.reader.read(1)
        client.writer.close()
    await eventually(as_before)
