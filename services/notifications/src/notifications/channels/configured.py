"""Which channels are used here, by environment. One that is not configured is not used, and that is no error.

| variable | what it is |
|---|---|
| NOTIFICATIONS_SMTP | host:port of the SMTP server |
| NOTIFICATIONS_MAIL_FROM | the sender of e-mails |
| NOTIFICATIONS_SMTP_TLS | `required`, or `offered`: STARTTLS only where that server offers it |
| NOTIFICATIONS_WEBHOOK_URL | where webhooks go: https, at a public address |
| NOTIFICATIONS_WEBHOOK_SECRET | the secret they are signed with, `whsec_…` as Standard Webhooks has it |
| NOTIFICATIONS_PARTNERS_SECRET | `whsec_…`, from which the secrets of partners' webhooks follow |
| COMMONGRID_LOCAL | true on one machine for development: webhooks may then go anywhere, by http too |
"""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from notifications.channels.email import ADDRESS, Email
from notifications.channels.letter import Outlet, Outlets
from notifications.channels.partners import Partners
from notifications.channels.posting import Posting, key_of
from notifications.channels.targets import TargetRefused, require_form
from notifications.channels.webhook import Webhook


class ChannelSettings(BaseSettings):
    """The environment. Two variables make a channel; one of the two alone is a mistake."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_", env_ignore_empty=True, frozen=True)

    smtp: Annotated[str, StringConstraints(pattern=r"^\S+:\d+$")] | None = Field(
        None, description="host:port of the SMTP server, like mail.example.org:25"
    )
    mail_from: Annotated[str, StringConstraints(pattern=f"^{ADDRESS.pattern}$")] | None = Field(
        None, description="the sender's address, like grid@example.org"
    )
    smtp_tls: Literal["required", "offered"] | None = Field(
        None, description="required (if COMMONGRID_LOCAL is not true, by itself) or offered"
    )
    webhook_url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = Field(
        None, description="where webhooks go, like https://example.org/hooks"
    )
    webhook_secret: SecretStr | None = Field(None, description="whsec_ and 24 to 64 random bytes in base64")
    partners_secret: SecretStr | None = Field(None, description="whsec_ and 24 to 64 random bytes in base64")
    local: bool = Field(False, validation_alias="COMMONGRID_LOCAL")

    @model_validator(mode="after")
    def _whole(self) -> "ChannelSettings":
        for first, second in (("smtp", "mail_from"), ("webhook_url", "webhook_secret")):
            given = [name for name in (first, second) if getattr(self, name) is not None]
            if len(given) == 1:
                names = " and ".join(f"NOTIFICATIONS_{name.upper()}" for name in (first, second))
                raise ValueError(f"{names} belong together: set both, or neither")
        for name in ("webhook_secret", "partners_secret"):
            secret: SecretStr | None = getattr(self, name)
            try:
                _ = secret and key_of(secret.get_secret_value())
            except ValueError as error:
                raise ValueError(f"NOTIFICATIONS_{name.upper()} is not right: {error}") from None
        if self.webhook_url:
            try:
                require_form(self.webhook_url, local=self.local)
            except TargetRefused as refused:
                raise ValueError(f"NOTIFICATIONS_WEBHOOK_URL is not right: {refused}") from None
        return self


def configured(settings: ChannelSettings) -> Outlets:
    """The channels that these settings describe."""
    outlets: list[Outlet] = []
    if settings.smtp and settings.mail_from:
        host, _, port = settings.smtp.rpartition(":")
        requires_tls = (settings.smtp_tls or ("offered" if settings.local else "required")) == "required"
        outlets.append(Email(host, int(port), settings.mail_from, requires_tls))
    if settings.webhook_url and settings.webhook_secret:
        key = key_of(settings.webhook_secret.get_secret_value())
        outlets.append(Webhook(settings.webhook_url, key, Posting(settings.local)))
    return {outlet.channel: outlet for outlet in outlets}


def partners(settings: ChannelSettings) -> Partners | None:
    """The way to partners' systems; None if these settings give none."""
    secret = settings.partners_secret
    return Partners(key_of(secret.get_secret_value()), Posting(settings.local)) if secret else None
