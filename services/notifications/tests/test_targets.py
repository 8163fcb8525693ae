"""A webhook reaches nothing behind our own walls, whatever its name resolves to, and whenever."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest
from contracts.common import Title
from contracts.notifications import Channel, Occasion
from edge.testing import served
from events.testing import eventually
from notifications.channels.letter import Letter, NotTaken
from notifications.channels.posting import Posting, key_of
from notifications.channels.targets import TargetRefused, against, permitted, require_form
from notifications.channels.webhook import Webhook
from notifications.texts import Facts, text
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.notifications.tests.conftest import (
    NINE,
    NOON,
    SECRET,
    Receiver,
    World,
    all_of,
    by,
    dispatched,
    li,
    reported,
    self_signed,
    street_light,
)

FACTS = Facts("c1", Title(zh="路灯不亮", en="Street light out"), "G1", NOON)
LETTER = Letter(
    "n1", Occasion.CASE_DISPATCHED, "li", "li@example.org", FACTS, text(Occasion.CASE_DISPATCHED, FACTS), NINE
)
NAME = "receiver.example"


class Names:
    """A resolver that gives these answers, one at each question, the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.asked: list[tuple[str, int]] = []
        self._answers = list(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "this machine itself"),
        ("127.8.9.10", "this machine itself"),
        ("::1", "this machine itself"),
        ("10.0.0.1", "a private or reserved address"),
        ("172.16.0.1", "a private or reserved address"),
        ("192.168.1.1", "a private or reserved address"),
        ("0.0.0.0", "a private or reserved address"),  # noqa: S104
        ("198.18.0.1", "a private or reserved address"),
        ("203.0.113.7", "a private or reserved address"),
        ("255.255.255.255", "a private or reserved address"),
        ("fd00::1", "a private or reserved address"),
        ("2001:db8::1", "a private or reserved address"),
        ("169.254.169.254", "a link-local address"),
        ("fe80::1", "a link-local address"),
        ("fe80::1%eth0", "a link-local address"),
        ("224.0.0.1", "a multicast address"),
        ("ff02::1", "a multicast address"),
        ("100.100.100.200", "a private or reserved address"),
        ("192.0.0.8", "a private or reserved address"),
        ("192.88.99.1", "a private or reserved address"),
        ("240.0.0.1", "a private or reserved address"),
        ("fec0::1", "a private or reserved address"),
        ("::ffff:10.0.0.1", "a private or reserved address"),
        ("::ffff:127.0.0.1", "this machine itself"),
        ("::127.0.0.1", "a private or reserved address"),
        ("64:ff9b::169.254.169.254", "a link-local address"),
        ("64:ff9b::100.64.0.1", "a private or reserved address"),
        ("64:ff9b:1::1.1.1.1", "a private or reserved address"),
        ("2002:7f00:1::", "a private or reserved address"),
        ("2001:0:4136:e378::1", "a private or reserved address"),
    ],
)
def test_an_address_that_is_not_public_is_refused_with_its_kind(address: str, kind: str) -> None:
    assert against(ip_address(address)) is not None, "it was let through"
    assert against(ip_address(address)) == kind


@pytest.mark.parametrize("address", ["1.1.1.1", "223.5.5.5", "2400:3200::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"])
def test_a_public_address_is_taken(address: str) -> None:
    assert against(ip_address(address)) is None


async def test_one_address_inside_is_enough_to_refuse_a_name_that_also_leads_outside() -> None:
    with pytest.raises(TargetRefused, match="a private or reserved address"):
        await permitted(NAME, 443, Names(["1.1.1.1", "10.0.0.1"]), local=False)


@pytest.mark.parametrize("written", ["localhost", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::1]"])
async def test_however_this_machine_is_written_it_is_refused(written: str) -> None:
    with pytest.raises(NotTaken, match=r"leads to this machine itself|cannot be resolved|InvalidURL"):
        await Webhook(f"https://{written}/hook", key_of(SECRET)).send(LETTER)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://receiver.example/hook", "begin with https://"),
        ("ftp://receiver.example/hook", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("https:///hook", "a server's name"),
        ("https://li:secret@receiver.example/hook", "neither user nor fragment"),
        ("https://receiver.example:22/hook", "another protocol's"),
        ("https://receiver.example:99999/hook", "not an address"),
        ("https://[receiver.example/hook", "not an address"),
    ],
)
async def test_a_target_that_is_no_https_address_is_refused_before_anything_is_resolved(
    url: str, sentence: str
) -> None:
    names = Names(["1.1.1.1"])
    with pytest.raises(NotTaken, match=sentence) as refused:
        await Webhook(url, key_of(SECRET), Posting(resolver=names)).send(LETTER)
    assert not names.asked
    assert "secret" not in str(refused.value)


def test_on_a_local_system_a_receiver_may_stand_on_the_same_machine() -> None:
    require_form("http://127.0.0.1:80/hook", local=True)


async def test_the_connection_goes_to_the_address_that_was_judged_and_names_the_server(receiver: Receiver) -> None:
    """Nobody else knows this name, so only what the resolver said can have led there."""
    port, names = port_of(receiver.url.removesuffix("/hook")), Names(["127.0.0.1"])
    await Webhook(f"http://{NAME}:{port}/hook", key_of(SECRET), Posting(True, names)).send(LETTER)
    (received,) = receiver.received
    assert received.headers["host"] == f"{NAME}:{port}"
    assert names.asked == [(NAME, int(port))]


async def test_a_name_that_leads_elsewhere_the_second_time_is_not_asked_a_second_time(receiver: Receiver) -> None:
    port, names = port_of(receiver.url.removesuffix("/hook")), Names(["127.0.0.1"], ["127.0.0.2"])
    await Webhook(f"http://{NAME}:{port}/hook", key_of(SECRET), Posting(True, names)).send(LETTER)
    assert (len(receiver.received), len(names.asked)) == (1, 1)


async def test_a_name_that_has_come_to_lead_inside_is_refused_at_the_next_attempt(receiver: Receiver) -> None:
    port = port_of(receiver.url.removesuffix("/hook"))
    target = Webhook(f"https://{NAME}:{port}/hook", key_of(SECRET), Posting(resolver=Names(["127.0.0.1"])))
    with pytest.raises(NotTaken, match="leads to this machine itself, and only public addresses") as refused:
        await target.send(LETTER)
    assert not refused.value.permanent
    assert not receiver.received


async def test_an_address_that_does_not_answer_is_passed_over_for_the_next(receiver: Receiver) -> None:
    port = port_of(receiver.url.removesuffix("/hook"))
    await Webhook(f"http://{NAME}:{port}/hook", key_of(SECRET), Posting(True, Names(["::1", "127.0.0.1"]))).send(LETTER)
    assert len(receiver.received) == 1


@pytest.fixture
async def safe(tmp_path: Path, receiver: Receiver) -> AsyncGenerator[tuple[str, ssl.SSLContext]]:
    """The same receiver by TLS, under its name; its port, and what trusts its certificate."""
    certificate, key = self_signed(NAME, tmp_path)
    async with served(receiver, ssl_certfile=str(certificate), ssl_keyfile=str(key)) as url:
        yield port_of(url), ssl.create_default_context(cafile=str(certificate))


async def test_tls_is_held_to_the_name_although_the_connection_goes_to_a_number(
    receiver: Receiver, safe: tuple[str, ssl.SSLContext]
) -> None:
    port, trusting = safe
    names = Names(["127.0.0.1"])
    await Webhook(f"https://{NAME}:{port}/hook", key_of(SECRET), Posting(True, names, tls=trusting)).send(LETTER)
    assert len(receiver.received) == 1
    for other in (f"https://another.example:{port}/hook", f"https://127.0.0.1:{port}/hook"):
        with pytest.raises(NotTaken, match="HTTP ConnectError"):
            await Webhook(other, key_of(SECRET), Posting(True, names, tls=trusting)).send(LETTER)
    assert len(receiver.received) == 1


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await Response(status_code=307, headers={"Location": receiver.url})(scope, receive, send)

    async with served(elsewhere) as url:
        with pytest.raises(NotTaken, match="HTTP 307"):
            await Webhook(f"{url}/hook", key_of(SECRET), Posting(local=True)).send(LETTER)
    assert not receiver.received


async def test_an_answer_without_end_is_not_read() -> None:
    sent = 0

    async def chatter() -> AsyncGenerator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b"x" * 65_536
            await asyncio.sleep(0)

    async def talkative(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await StreamingResponse(chatter())(scope, receive, send)

    async with served(talkative) as url:
        await Webhook(f"{url}/hook", key_of(SECRET), Posting(local=True)).send(LETTER)
    assert sent < 64 * 65_536


async def test_the_operator_sees_why_nobody_was_told(world: World, receiver: Receiver) -> None:
    await world.registry(li(), street_light())
    await world.grid_tasks(reported(), dispatched())
    inside = Webhook(receiver.url.replace("http:", "https:"), key_of(SECRET))
    async with world.running(by(inside)) as runtime:

        async def told() -> bool:
            return [(row.channel, row.error) for row in await all_of(runtime)] == [
                (
                    Channel.WEBHOOK,
                    "the webhook's target is refused: its name leads to this machine itself, "
                    "and only public addresses may be reached",
                )
            ]

        await eventually(told)
    assert not receiver.received
