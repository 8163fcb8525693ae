"""Which channels are used here, by environment. One that is not configured is not used, and that is no error.

| variable | what it is |
|---|---|
| NOTIFICATIONS_SMTP | host:port of the SMTP server |
| NOTIFICATIONS_MAIL_FROM | the sender of e-mails |
| NOTIFICATIONS_WEBHOOK_URL | where webhooks go |
| NOTIFICATIONS_WEBHOOK_SECRET | the secret they are signed with, `whsec_…` as Standard Webhooks has it |
"""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from notifications.channels.email import ADDRESS, Email
from notifications.channels.letter import Outlet, Outlets
from notifications.channels.webhook import Webhook, key_of


class ChannelSettings(BaseSettings):
    """The environment; empty means not configured."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_")

    smtp: str = ""
    mail_from: str = ""
    webhook_url: str = ""
    webhook_secret: SecretStr = SecretStr("")


class NotRightlyConfigured(ValueError):
    """A channel is configured in part, or wrongly."""


def configured(settings: ChannelSettings) -> Outlets:
    """The channels that these settings describe; raises NotRightlyConfigured naming the variable."""
    outlets: list[Outlet] = []
    if settings.smtp:
        outlets.append(_email(settings))
    if settings.webhook_url:
        outlets.append(_webhook(settings))
    return {outlet.channel: outlet for outlet in outlets}


def _email(settings: ChannelSettings) -> Email:
    host, _, port = settings.smtp.rpartition(":")
    if not host or not port.isdecimal():
        raise NotRightlyConfigured(f"NOTIFICATIONS_SMTP is {settings.smtp!r}; host:port would be right")
    if not ADDRESS.fullmatch(settings.mail_from):
        raise NotRightlyConfigured("NOTIFICATIONS_MAIL_FROM must be an e-mail address, such as grid@example.org")
    return Email(host, int(port), settings.mail_from)


def _webhook(settings: ChannelSettings) -> Webhook:
    if not settings.webhook_url.startswith(("http://", "https://")):
        raise NotRightlyConfigured("NOTIFICATIONS_WEBHOOK_URL must begin with https:// (or http://)")
    try:
        return Webhook(settings.webhook_url, key_of(settings.webhook_secret.get_secret_value()))
    except ValueError as error:
        raise NotRightlyConfigured(f"NOTIFICATIONS_WEBHOOK_SECRET: {error}") from error
