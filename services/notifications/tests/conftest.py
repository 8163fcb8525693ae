"""A small world around the service: real Postgres and Kafka, a real SMTP server and a real HTTP receiver."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from contracts.common import Place, Post, Title
from contracts.grid_tasks import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHelpAsked,
    CaseMerged,
    CasePaused,
    CaseRefused,
    CaseReported,
    CaseReturned,
    CaseSentBack,
    CaseTakenOver,
    CaseTakenUp,
    CaseWarned,
    CaseWithdrawn,
    EscalationCause,
    PauseKind,
    RefusalKind,
    ReporterKind,
    Rung,
)
from contracts.registry import DutyListed, MemberAppointed
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from edge import Application
from edge.testing import client, founding, in_post, served, token, told
from events import Event, Token
from events.runtime import Runtime
from events.testing import publish, running
from httpx2 import AsyncClient
from local.testing import NewDatabase
from notifications.channels.email import Email
from notifications.channels.letter import Outlets
from notifications.channels.posting import Posting, key_of
from notifications.channels.webhook import Webhook
from notifications.domain.notification import NOTIFICATION, Notification
from notifications.read_models.notification_board import Row, newest
from notifications.service import compose
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
NOON = NINE + timedelta(hours=3)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Trade:
    """The trade's clock, moved by hand."""

    now: datetime = NINE

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Mailbox:
    """What an SMTP server took. `answers` are given to RCPT first, one by one; then everything is taken."""

    port: int = 0
    answers: list[str] = field(default_factory=list[str])
    taken: list[EmailMessage] = field(default_factory=list[EmailMessage])
    recipients: list[str] = field(default_factory=list[str])

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.recipients.extend(envelope.rcpt_tos)
        return "250 OK"

    @property
    def ids(self) -> list[str]:
        return [message["Message-ID"] for message in self.taken]


class MailServer(SMTP):
    """Closes a connection whose client has gone without a word, as a client does that was stopped while it sent."""

    def eof_received(self) -> bool:
        super().eof_received()
        return False


def self_signed(name: str, folder: Path) -> tuple[Path, Path]:
    """A certificate for this name, which nobody trusts yet, and its key: files in the folder."""
    key, subject = generate_private_key(SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@dataclass
class Received:
    """A webhook as it came in."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that takes webhooks. `answers` are statuses given first, one by one; then 204. Every request is
    kept, also one that was answered with an error, as a receiver that died before it answered would have had it."""

    url: str = ""
    answers: list[int] = field(default_factory=list[int])
    received: list[Received] = field(default_factory=list[Received])
    hold: asyncio.Event | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.received.append(Received(dict(request.headers), await request.body()))
        if self.hold:
            await self.hold.wait()
        await Response(status_code=self.answers.pop(0) if self.answers else 204)(scope, receive, send)


@pytest.fixture
async def mailbox() -> AsyncGenerator[Mailbox]:
    async with mail_server() as box:
        yield box


@asynccontextmanager
async def mail_server(**options: Any) -> AsyncGenerator[Mailbox]:
    """An SMTP server, and what it takes; it offers STARTTLS if it is given a `tls_context`."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: MailServer(box, enable_SMTPUTF8=True, loop=loop, **options), "127.0.0.1", 0
    )
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    async with served(receiver) as url:
        receiver.url = f"{url}/hook"
        yield receiver
        if receiver.hold:
            receiver.hold.set()


@dataclass
class World:
    """notifications among the other services, whose events are published as they would."""

    databases: dict[str, str]
    kafka: str
    prefix: str
    trade: Trade = field(default_factory=Trade)

    async def registry(self, *events: tuple[str, Event]) -> list[Token]:
        return await publish(self.databases["registry"], self.kafka, self.prefix, *events)

    async def grid_tasks(self, *events: tuple[str, Event]) -> list[Token]:
        return await publish(self.databases["grid_tasks"], self.kafka, self.prefix, *events)

    @asynccontextmanager
    async def running(self, application: Application, *, work: bool = True) -> AsyncGenerator[Runtime]:
        """The service in a founded community, whose operator keeps the registers."""
        url = self.databases["notifications"]
        async with running(application.service, url, self.kafka, self.prefix, self.trade, work=work) as runtime:
            await told(url, *founding(), in_post("operator", Post.REGISTRAR))
            yield runtime


@pytest.fixture
async def world(new_database: NewDatabase, kafka_server: str, topic_prefix: str) -> World:
    names = ("notifications", "registry", "grid_tasks")
    return World({name: await new_database(name) for name in names}, kafka_server, topic_prefix)


def by(*outlets: Email | Webhook) -> Application:
    """The service with these channels, without jitter."""
    found: Outlets = {outlet.channel: outlet for outlet in outlets}
    return compose(lambda: found, lambda: 0.5)


def email(mailbox: Mailbox) -> Email:
    return Email("127.0.0.1", mailbox.port, "grid@example.org", requires_tls=False)


def webhook(receiver: Receiver) -> Webhook:
    return Webhook(receiver.url, key_of(SECRET), Posting(local=True))


async def all_of(runtime: Runtime) -> list[Row]:
    return await newest(runtime.db, state=None, channel=None, occasion=None, before=None, limit=1000)


async def state_of(runtime: Runtime, id: str) -> Notification:
    return (await runtime.commands.load(NOTIFICATION, id))[0]


def http(application: Application, runtime: Runtime) -> AsyncClient:
    """The operator's client."""
    return client(application, runtime, token("operator"))


# --- what the others publish


def li(**changes: Any) -> tuple[str, Event]:
    facts: dict[str, Any] = {
        "member": "member-li",
        "name": "李伟",
        "post": Post.GRID_WORKER,
        "grid": "G1",
        "email": "li@example.org",
    } | changes
    return facts["member"], MemberAppointed(**facts)


def chen() -> tuple[str, Event]:
    return li(member="member-chen", name="陈芳", post=Post.GRID_LEADER, email="chen@example.org")


def street_light() -> tuple[str, Event]:
    return "street_light", DutyListed(
        category="street_light",
        title=Title(zh="路灯不亮", en="Street light out"),
        department=Title(zh="住建局", en="Housing bureau"),
        grid_duty=True,
        deadline_minutes=240,
        legal_basis="GB/T 30428",
    )


def reported(case: str = "c1", contact: str | None = "resident@example.org") -> tuple[str, Event]:
    return case, CaseReported(
        case=case,
        category="street_light",
        description="王阿姨家门口的灯坏了",
        place=Place(longitude=120.1, latitude=30.87),
        grid="G1",
        reporter_kind=ReporterKind.RESIDENT,
        contact=contact,
        receipt_hash="0" * 64,
        at=NINE,
    )


def dispatched(case: str = "c1", worker: str = "member-li") -> tuple[str, Event]:
    return case, CaseDispatched(
        case=case, category="street_light", grid="G1", worker=worker, due=NOON, why="least open work", at=NINE
    )


def sent_back(case: str = "c1") -> tuple[str, Event]:
    return case, CaseSentBack(
        case=case, worker="member-li", verifier="member-chen", reason="灯还是不亮", due=NOON, at=NINE
    )


def escalated(
    case: str = "c1", rung: Rung = Rung.LEADER, cause: EscalationCause = EscalationCause.OVERDUE
) -> tuple[str, Event]:
    return case, CaseEscalated(case=case, grid="G1", worker="member-li", due=NOON, cause=cause, rung=rung, at=NINE)


def holding(name: str, post: Post, grid: str | None) -> tuple[str, Event]:
    return li(member=f"member-{name}", post=post, grid=grid, email=f"{name}@example.org")


def on_the_way(case: str = "c1", worker: str = "member-li") -> tuple[tuple[str, Event], ...]:
    """What may happen to a case between its dispatch and its end, for whoever is told of it."""
    facts: dict[str, Any] = {"case": case, "grid": "G1"}
    paused: dict[str, Any] = {"worker": worker, "by": worker, "reason": "哪一盏", "at": NINE}
    refused: dict[str, Any] = {"category": "street_light", "by": "member-chen", "reason": "灯是亮的"}
    return (
        (case, CaseWarned(**facts, worker=worker, due=NOON, at=NINE)),
        (case, CaseHelpAsked(**facts, lead=worker, helpers=("member-helper",), why="要梯子", at=NINE)),
        (case, CasePaused(**facts, **paused, kind=PauseKind.FOR_THE_REPORTER)),
        (case, CasePaused(**facts, **paused, kind=PauseKind.FOR_THE_WEATHER)),
        (case, CaseTakenOver(**facts, worker="member-wang", why="不再在岗", at=NINE)),
        (case, CaseReturned(**facts, worker=worker, reason="不归我管", at=NINE)),
        (case, CaseRefused(**facts, **refused, kind=RefusalKind.NOT_THERE, at=NINE)),
    )


def merged(case: str, into: str) -> tuple[str, Event]:
    return case, CaseMerged(case=case, category="street_light", grid="G1", into=into, by="member-chen", at=NINE)


def withdrawn(case: str) -> tuple[str, Event]:
    return case, CaseWithdrawn(case=case, category="street_light", grid="G1", at=NINE)


def taken_up(case: str, into: str) -> tuple[str, Event]:
    return case, CaseTakenUp(
        case=case, category="street_light", grid="G1", into=into, urgent=False, role=Post.GRID_WORKER, body="",
        place=Place(longitude=120.1, latitude=30.87), skills=(), weight=1, due=NOON, at=NINE,
    )  # fmt: skip


def closed(case: str = "c1") -> tuple[str, Event]:
    return case, CaseClosed(
        case=case, category="street_light", grid="G1", worker="member-li", on_time=True, first_attempt=True, at=NINE
    )
