"""Where the demo's messages arrive: a real SMTP server and a real webhook receiver, on this machine.

They keep what came only as ids and counts, so that the demo can say whether everybody was told, once.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
import socket
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Sinks:
    """The two receivers: where they listen, and how often each message came."""

    secret: str = field(default_factory=lambda: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
    smtp: str = ""
    webhook_url: str = ""
    mails: Counter[str] = field(default_factory=Counter[str])
    webhooks: Counter[str] = field(default_factory=Counter[str])
    forged: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """What the notifications service is told about them."""
        return {
            "NOTIFICATIONS_SMTP": self.smtp,
            "NOTIFICATIONS_MAIL_FROM": "commongrid@example.org",
            "NOTIFICATIONS_WEBHOOK_URL": self.webhook_url,
            "NOTIFICATIONS_WEBHOOK_SECRET": self.secret,
            "NOTIFICATIONS_PARTNERS_SECRET": self.secret,
        }

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Takes a mail."""
        content = envelope.content
        message = message_from_bytes(content if isinstance(content, bytes) else (content or "").encode())
        self.mails[str(message["Message-ID"])] += 1
        return "250 taken"

    async def receive(self, scope: Any, receive: Any, send: Any) -> None:
        """Takes a webhook, an ASGI application: 204 if its signature is right (Standard Webhooks), else 401."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        signed = self._signed(headers, body)
        if signed:
            self.webhooks[headers["webhook-id"]] += 1
        else:
            self.forged += 1
        await send({"type": "http.response.start", "status": 204 if signed else 401, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def _signed(self, headers: dict[str, str], body: bytes) -> bool:
        try:
            text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            given = headers["webhook-signature"].split(" ")
        except KeyError:
            return False
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        right = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(right, one) for one in given)


class Server(uvicorn.Server):
    """A server that leaves Ctrl-C to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def sinks() -> AsyncGenerator[Sinks]:
    """Runs both receivers on free ports of this machine."""
    it = Sinks()
    post, door = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    it.smtp = f"127.0.0.1:{post.getsockname()[1]}"
    it.webhook_url = f"http://127.0.0.1:{door.getsockname()[1]}/webhook"
    mail = await asyncio.get_running_loop().create_server(lambda: SMTP(it, enable_SMTPUTF8=True), sock=post)
    web = Server(uvicorn.Config(it.receive, interface="asgi3", log_level="error", lifespan="off"))
    serving = asyncio.create_task(web.serve([door]))
    try:
        yield it
    finally:
        web.should_exit = True
        await serving
        mail.close()
