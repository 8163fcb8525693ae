"""An issuer's keys are found by discovery, kept young, and asked for no more often than is decent."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from edge import issuers
from edge.fetching import LARGEST
from edge.issuers import PAUSE, Issuer
from edge.testing import jwk, publishing

OLD, NEW = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
DISCOVERY, KEYS = "/.well-known/openid-configuration", "/keys"


class IssuingServer:
    """A real HTTP server in this process that publishes keys. What it answers may be replaced, by path; what it
    was asked is in `asked`."""

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self.asked: list[str] = []
        self.answers: dict[str, Callable[[], Awaitable[bytes]]] = {}
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """What its tokens' `iss` says."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """At the port that it had, if it had one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        """Takes no more connections."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    def answer(self, path: str, raw: bytes) -> None:
        """What it will say, head and body."""

        async def said() -> bytes:
            return raw

        self.answers[path] = said

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
            self.asked.append(path)
            writer.write(await (self.answers[path]() if path in self.answers else self._usual(path)))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _usual(self, path: str) -> bytes:
        match path:
            case "/.well-known/openid-configuration":
                return ok({"issuer": self.address, "jwks_uri": f"{self.address}{KEYS}"})
            case "/keys":
                return ok({"keys": self.keys})
            case _:
                return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def ok(document: Any) -> bytes:
    """200, with this document."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def server() -> AsyncGenerator[IssuingServer]:
    """An issuer that publishes one key."""
    server = IssuingServer()
    server.keys = [jwk(OLD, "old")]
    await server.start()
    yield server
    await server.end()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(server: IssuingServer, clock: Clock) -> Issuer:
    """As a service knows it."""
    return Issuer(server.address, local=True, clock=clock)


async def test_keys_are_found_by_discovery(server: IssuingServer, issuer: Issuer) -> None:
    await issuer.bring("old")
    assert "old" in issuer.keys
    assert not issuer.away
    assert server.asked == [DISCOVERY, KEYS]


async def test_a_key_that_is_at_hand_is_not_asked_for(server: IssuingServer, issuer: Issuer, clock: Clock) -> None:
    await issuer.bring("old")
    clock.now += 10 * PAUSE
    await issuer.bring("old")
    assert len(server.asked) == 2


async def test_a_key_that_is_not_at_hand_is_fetched_when_it_is_named(
    server: IssuingServer, issuer: Issuer, clock: Clock
) -> None:
    await issuer.bring("old")
    server.keys = [jwk(NEW, "new")]
    clock.now += PAUSE
    await issuer.bring("new")
    assert "new" in issuer.keys
    assert "old" not in issuer.keys, "what the issuer dropped is gone"


async def test_a_flood_of_unknown_names_becomes_one_fetch_in_each_pause(
    server: IssuingServer, issuer: Issuer, clock: Clock
) -> None:
    await asyncio.gather(*(issuer.bring(f"made up {n}") for n in range(200)))
    assert len(server.asked) == 2
    clock.now += PAUSE - 0.1
    await asyncio.gather(*(issuer.bring(f"made up {n}") for n in range(200)))
    assert len(server.asked) == 2
    clock.now += 0.1
    await asyncio.gather(*(issuer.bring(f"made up {n}") for n in range(200)))
    assert len(server.asked) == 4


async def test_a_request_that_goes_away_does_not_take_the_fetch_of_the_others_with_it(
    server: IssuingServer, issuer: Issuer
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> bytes:
        asked.set()
        await go_on.wait()
        return ok({"keys": server.keys})

    server.answers[KEYS] = slowly
    impatient, patient = asyncio.create_task(issuer.bring("old")), asyncio.create_task(issuer.bring("old"))
    await asked.wait()
    impatient.cancel()
    await asyncio.wait([impatient])
    go_on.set()
    await patient
    assert impatient.cancelled()
    assert "old" in issuer.keys


async def test_an_issuer_that_is_away_takes_no_keys_away(server: IssuingServer, issuer: Issuer, clock: Clock) -> None:
    await issuer.bring("old")
    at_hand = issuer.keys
    await server.end()
    clock.now += PAUSE
    await issuer.bring("new")
    assert issuer.away
    assert issuer.keys is at_hand

    await server.start()
    clock.now += PAUSE
    await issuer.bring("new")
    assert not issuer.away
    assert issuer.keys is at_hand, "the same keys are the same Keys, and what they proved is remembered"


async def test_an_issuer_that_was_away_at_the_start_is_asked_again_soon_and_then_when_its_keys_are_old(
    server: IssuingServer, issuer: Issuer
) -> None:
    await server.end()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        match len(slept):
            case 1:
                assert issuer.away
                await server.start()
            case 2:
                assert "old" in issuer.keys
                server.keys = [jwk(NEW, "new")]
            case _:
                assert "old" not in issuer.keys
                raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await issuer.follow(sleep)
    assert slept == [PAUSE, issuers.AGE, issuers.AGE]


def moved(where: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


BAD = {
    "redirects of the description": (DISCOVERY, moved("/elsewhere")),
    "redirects of the keys": (KEYS, moved("/elsewhere")),
    "another issuer's description": (DISCOVERY, ok({"issuer": "https://other.example", "jwks_uri": "http://{}/keys"})),
    "a description without keys": (DISCOVERY, ok({"issuer": "http://{}"})),
    "keys at an address of another kind": (DISCOVERY, ok({"issuer": "http://{}", "jwks_uri": "file:///etc/passwd"})),
    "keys at no address": (DISCOVERY, ok({"issuer": "http://{}", "jwks_uri": "http://[keys"})),
    "a description that is a list": (DISCOVERY, ok([])),
    "no JSON": (KEYS, ok(b"<html>")),
    "nothing": (KEYS, ok(b"")),
    "depths": (KEYS, ok(b"[" * 100_000)),
    "an error": (KEYS, b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
    "no HTTP": (KEYS, b"SSH-2.0-issuer\r\n"),
    "an end in the middle": (KEYS, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
    "no keys at all": (KEYS, ok({"keys": []})),
    "too much": (KEYS, ok(b'{"keys": [' + b" " * LARGEST + b"]}")),
}


@pytest.mark.parametrize(("path", "raw"), BAD.values(), ids=BAD.keys())
async def test_an_issuer_that_answers_badly_is_as_good_as_away(
    server: IssuingServer, issuer: Issuer, clock: Clock, path: str, raw: bytes
) -> None:
    await issuer.bring("old")
    at_hand = issuer.keys
    server.answer("/elsewhere", ok({"keys": [jwk(NEW, "new")]}))
    server.answer(path, raw.replace(b"{}", f"127.0.0.1:{server.port}".encode()) if path == DISCOVERY else raw)
    clock.now += PAUSE
    await issuer.bring("new")
    assert issuer.away
    assert issuer.keys is at_hand
    assert "/elsewhere" not in server.asked


async def test_more_than_a_document_may_be_is_not_read_to_its_end(server: IssuingServer, issuer: Issuer) -> None:
    async def without_end() -> bytes:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head + b"%x\r\n%s\r\n" % (LARGEST + 1, b" " * (LARGEST + 1))  # and no last chunk

    server.answers[KEYS] = without_end
    await issuer.bring("old")
    assert issuer.away


async def test_an_issuer_that_is_slow_is_waited_for_no_longer_than_patience(
    server: IssuingServer, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuers, "PATIENCE", 0.1)
    never = asyncio.Event()

    async def stuck() -> bytes:
        await never.wait()
        return b""

    server.answers[KEYS] = stuck
    await asyncio.wait_for(issuer.bring("old"), 30)
    assert issuer.away
    never.set()


async def test_outside_local_mode_keys_come_by_https_only() -> None:
    address = "https://issuer.example"

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.scheme == "https"
        where = "http://issuer.example/keys"
        return httpx2.Response(200, stream=httpx2.ByteStream(f'{{"issuer":"{address}","jwks_uri":"{where}"}}'.encode()))

    issuer = Issuer(address, transport=httpx2.MockTransport(answer))
    await issuer.bring("old")
    assert issuer.away


async def test_the_description_stands_below_the_issuers_path_with_or_without_a_slash_at_its_end() -> None:
    for address in ("https://id.example/realms/grid", "https://id.example/realms/grid/"):
        issuer = Issuer(address, transport=publishing(lambda: [jwk(OLD, "old")], address.rstrip("/")))
        await issuer.bring("old")
        assert issuer.away == address.endswith("/"), "the slash belongs to its name (iss), and this one has none"
