"""What a channel hands over, and what it makes of the answer; real SMTP and real HTTP."""

import base64
import hashlib
import hmac
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contracts.common import Title
from contracts.notifications import Channel, Occasion
from edge.settings import SettingsError, read_settings
from notifications.channels.configured import ChannelSettings, configured
from notifications.channels.email import Email
from notifications.channels.letter import Letter, NotTaken
from notifications.channels.posting import Posting, key_of, sign
from notifications.channels.webhook import Webhook
from notifications.texts import Facts, text

from services.notifications.tests.conftest import (
    NINE,
    NOON,
    SECRET,
    Mailbox,
    Receiver,
    email,
    mail_server,
    self_signed,
    webhook,
)

FACTS = Facts("c1", Title(zh="路灯不亮", en="Street light out"), "G1", NOON)


def letter(occasion: Occasion = Occasion.CASE_DISPATCHED, address: str = "li@example.org") -> Letter:
    return Letter("n1", occasion, "member-li", address, FACTS, text(occasion, FACTS), NINE)


def test_a_signature_is_what_standard_webhooks_says() -> None:
    # The reference vector of the specification's own test suite.
    signature = sign(key_of(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_receiver_can_verify_a_webhook_from_the_bytes_alone(receiver: Receiver) -> None:
    await webhook(receiver).send(letter())
    (it,) = receiver.received
    signed = f"{it.headers['webhook-id']}.{it.headers['webhook-timestamp']}.".encode() + it.body
    mac = hmac.digest(base64.b64decode(SECRET.split("_")[1]), signed, hashlib.sha256)
    assert it.headers["webhook-signature"].split(",") == ["v1", base64.b64encode(mac).decode()]
    assert it.headers["webhook-id"] == "n1"
    sent_at = datetime.fromtimestamp(int(it.headers["webhook-timestamp"]), UTC)
    assert abs(datetime.now(UTC) - sent_at) < timedelta(minutes=1)


async def test_a_webhook_says_what_happened_and_holds_no_address(receiver: Receiver) -> None:
    await webhook(receiver).send(letter())
    body = json.loads(receiver.received[0].body)
    assert body["type"] == "case.dispatched"
    assert body["data"]["recipient"] == "member-li"
    assert body["data"]["case"] == "c1"
    assert body["data"]["category"] == {"zh": "路灯不亮", "en": "Street light out"}
    assert datetime.fromisoformat(body["data"]["due"]) == NOON
    assert "@" not in receiver.received[0].body.decode()


@pytest.mark.parametrize(("status", "permanent"), [(410, True), (404, False), (500, False), (302, False)])
async def test_what_a_receiver_refuses_is_not_taken_and_only_gone_is_for_ever(
    receiver: Receiver, status: int, permanent: bool
) -> None:
    receiver.answers = [status]
    with pytest.raises(NotTaken, match=f"HTTP {status}") as refused:
        await webhook(receiver).send(letter())
    assert refused.value.permanent is permanent


async def test_a_receiver_that_is_away_is_tried_again() -> None:
    with pytest.raises(NotTaken, match="HTTP ConnectError") as refused:
        await Webhook("http://127.0.0.1:9/hook", key_of(SECRET), Posting(local=True)).send(letter())
    assert not refused.value.permanent


async def test_an_e_mail_is_in_both_languages_and_marked_as_automatic(mailbox: Mailbox) -> None:
    await email(mailbox).send(letter())
    (message,) = mailbox.taken
    assert mailbox.recipients == ["li@example.org"]
    assert message["Subject"] == "新派遣：路灯不亮（G1） / New case: Street light out (G1)"
    assert message["From"] == "grid@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_content()
    assert "事件编号：c1" in body
    assert "时限：2026-11-24 20:00（北京时间）" in body
    assert "Deadline: 2026-11-24 20:00 (Beijing time)" in body


async def test_an_e_mail_sent_again_is_the_same_message(mailbox: Mailbox) -> None:
    await email(mailbox).send(letter())
    await email(mailbox).send(letter())
    assert mailbox.taken[0].as_bytes() == mailbox.taken[1].as_bytes()
    assert mailbox.ids == ["<n1@example.org>"] * 2


@pytest.mark.parametrize(
    ("answer", "error", "permanent"),
    [
        ("550 5.1.1 <li@example.org> is unknown here", "SMTP 550 5.1.1", True),
        ("451 try later, li@example.org", "SMTP 451", False),
    ],
)
async def test_what_a_mail_server_refuses_is_told_by_its_code_and_never_by_its_words(
    mailbox: Mailbox, answer: str, error: str, permanent: bool
) -> None:
    mailbox.answers = [answer]
    with pytest.raises(NotTaken) as refused:
        await email(mailbox).send(letter())
    assert str(refused.value) == error
    assert refused.value.permanent is permanent


async def test_a_mail_server_that_is_away_is_tried_again() -> None:
    with pytest.raises(NotTaken, match="SMTP SMTPConnectError") as refused:
        await Email("127.0.0.1", 9, "grid@example.org").send(letter())
    assert not refused.value.permanent


async def test_a_mail_goes_encrypted_or_not_at_all(mailbox: Mailbox) -> None:
    with pytest.raises(NotTaken, match="SMTP") as refused:
        await Email("127.0.0.1", mailbox.port, "grid@example.org").send(letter())
    assert not refused.value.permanent
    assert not mailbox.taken


async def test_a_mail_goes_only_to_whom_the_certificate_names(tmp_path: Path) -> None:
    """Whoever put themselves between can encrypt as well."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*self_signed("mail.example", tmp_path))
    async with mail_server(tls_context=tls) as mailbox:
        with pytest.raises(NotTaken, match="SMTP"):
            await Email("127.0.0.1", mailbox.port, "grid@example.org").send(letter())
    assert not mailbox.taken


@pytest.mark.parametrize("address", ["", "13812345678", "a@b\nBcc: all@example.org", "a@b, c@d", "<a@b>"])
async def test_a_contact_that_is_no_address_is_never_put_into_a_header(mailbox: Mailbox, address: str) -> None:
    with pytest.raises(NotTaken, match="not an e-mail address") as refused:
        await email(mailbox).send(letter(address=address))
    assert refused.value.permanent
    assert not mailbox.taken


@pytest.mark.parametrize("occasion", sorted(set(Occasion) - {Occasion.CASE_STEP}))  # which is told to systems
def test_every_occasion_has_a_text_in_both_languages(occasion: Occasion) -> None:
    said = text(occasion, FACTS)
    assert "c1" in said.body.zh
    assert "c1" in said.body.en
    assert "路灯不亮" in said.subject.zh
    assert "Street light out" in said.subject.en


def test_a_title_with_a_line_break_makes_no_second_header() -> None:
    facts = Facts("c1", Title(zh="路灯\n不亮", en="Street\r\nlight"), "G1")
    assert text(Occasion.CASE_CLOSED, facts).subject.en == "The case you reported is closed: Street light"


def test_what_is_not_configured_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMTP", "MAIL_FROM", "WEBHOOK_URL", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"NOTIFICATIONS_{name}", "")
    assert configured(read_settings(ChannelSettings)) == {}
    monkeypatch.setenv("NOTIFICATIONS_SMTP", "mail.example.org:25")
    monkeypatch.setenv("NOTIFICATIONS_MAIL_FROM", "grid@example.org")
    assert configured(read_settings(ChannelSettings)) == {
        Channel.EMAIL: Email("mail.example.org", 25, "grid@example.org", requires_tls=True)
    }
    for name, value, requires_tls in [
        ("COMMONGRID_LOCAL", "true", False),
        ("NOTIFICATIONS_SMTP_TLS", "required", True),
        ("NOTIFICATIONS_SMTP_TLS", "offered", False),
    ]:
        monkeypatch.setenv(name, value)
        mail = configured(read_settings(ChannelSettings))[Channel.EMAIL]
        assert isinstance(mail, Email)
        assert mail.requires_tls is requires_tls


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"SMTP": "mail", "MAIL_FROM": "a@b"}, "NOTIFICATIONS_SMTP is not right"),
        ({"SMTP": "mail:25"}, "NOTIFICATIONS_SMTP and NOTIFICATIONS_MAIL_FROM belong together"),
        ({"WEBHOOK_URL": "ftp://x", "WEBHOOK_SECRET": SECRET}, "NOTIFICATIONS_WEBHOOK_URL is not right"),
        ({"WEBHOOK_URL": "https://x", "WEBHOOK_SECRET": "whsec_c2hvcnQ="}, "NOTIFICATIONS_WEBHOOK_SECRET is not right"),
        (
            {"WEBHOOK_URL": "http://x", "WEBHOOK_SECRET": SECRET},
            "without COMMONGRID_LOCAL=true it must begin",
        ),
        ({"WEBHOOK_URL": "https://x:25", "WEBHOOK_SECRET": SECRET}, "its port is another protocol's"),
        ({"WEBHOOK_URL": "https://u:p@x", "WEBHOOK_SECRET": SECRET}, "neither user nor fragment"),
    ],
)
def test_a_channel_configured_wrongly_is_said_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], sentence: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"NOTIFICATIONS_{name}", value)
    with pytest.raises(SettingsError, match=sentence) as refused:
        read_settings(ChannelSettings)
    assert "c2hvcnQ" not in str(refused.value)
