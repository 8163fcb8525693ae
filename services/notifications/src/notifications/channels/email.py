"""E-mail by SMTP, in Chinese and English.

`Message-ID` and `Date` follow from the notification, so that they stay the same over all attempts: a receiver that has
had it drops the second one. `Auto-Submitted` keeps out-of-office answers away. An answer of 5xx is for ever, anything
else is tried again.
"""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib
from contracts.notifications import Channel

from notifications.channels.letter import TIMEOUT, Letter, NotTaken

ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
"""Enough to keep anything but one bare address out of a header; whether it exists, only its server knows."""


def message_of(letter: Letter, sender: str) -> EmailMessage:
    """The same message at every attempt; raises NotTaken where the address is none."""
    if not ADDRESS.fullmatch(letter.address):
        raise NotTaken("the contact is not an e-mail address", permanent=True)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.address
    message["Subject"] = f"{letter.text.subject.zh} / {letter.text.subject.en}"
    message["Date"] = format_datetime(letter.requested_at)
    message["Message-ID"] = f"<{letter.notification}@{sender.rpartition('@')[2].rstrip('>')}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "zh-CN, en"
    message.set_content(f"{letter.text.body.zh}\n\n----\n\n{letter.text.body.en}\n")
    return message


@dataclass(frozen=True)
class Email:
    """Hands messages to one SMTP server: encrypted, to whom the certificate names. Without `requires_tls`,
    encrypted only where that server offers STARTTLS."""

    host: str
    port: int
    sender: str
    requires_tls: bool = True

    @property
    def channel(self) -> Channel:
        return Channel.EMAIL

    async def send(self, letter: Letter) -> None:
        """Raises NotTaken."""
        message = message_of(letter, self.sender)
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                start_tls=True if self.requires_tls else None,
                timeout=TIMEOUT,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _not_taken(error) from error


def _not_taken(error: Exception) -> NotTaken:
    """Only codes are kept: a server's words may repeat the address."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return NotTaken("SMTP: the server does not take such an address", permanent=True)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        enhanced = re.match(r"\d\.\d+\.\d+", error.message)
        return NotTaken(f"SMTP {error.code}{f' {enhanced[0]}' if enhanced else ''}", permanent=500 <= error.code < 600)
    return NotTaken(f"SMTP {type(error).__name__}")
