"""The composition root: the one place where the parts of notifications are wired."""

import logging
from collections.abc import Callable
from functools import cache
from random import SystemRandom

from contracts.asyncapi import document
from contracts.notifications import AuditDone, AuditRefused, Channel, ErasureConfirmed
from edge import Application, Audit, authority, read_settings
from edge.announcing import announcing
from edge.erasures import erasures
from events import Service

from notifications.api import channels, live, stream
from notifications.api import notifications as notifications_api
from notifications.api import subscriptions as subscriptions_api
from notifications.channels.configured import ChannelSettings, configured
from notifications.channels.configured import partners as partners_of
from notifications.channels.letter import Outlets
from notifications.channels.partners import Partners
from notifications.domain.notification import NOTIFICATION
from notifications.domain.subscription import SUBSCRIPTION
from notifications.live.tail import Tail
from notifications.policies.delivering import delivering
from notifications.policies.passing_on import passing_on
from notifications.policies.publishing import publishing
from notifications.policies.telling import telling
from notifications.policies.telling_the_merged import telling_the_merged
from notifications.read_models.cases import cases
from notifications.read_models.categories import categories
from notifications.read_models.contacts import contacts
from notifications.read_models.notification_board import notification_board
from notifications.read_models.subscriptions import subscriptions

log = logging.getLogger(__name__)


def compose(
    outlets: Callable[[], Outlets], jitter: Callable[[], float], partners: Callable[[], Partners | None] = lambda: None
) -> Application:
    """The service, telling people by these channels, and partners' systems in this way. They are asked for when first
    used, not before."""
    audit = Audit(AuditRefused, AuditDone)
    erasure = erasures(ErasureConfirmed)
    service = Service(
        "notifications",
        aggregates=[NOTIFICATION, SUBSCRIPTION, erasure.aggregate, audit.aggregate],
        read_models=[contacts, cases, categories, notification_board, subscriptions, authority, audit.read_model],
        policies=[
            telling(outlets),
            telling_the_merged(outlets),
            publishing,
            delivering(outlets, passing_on(partners), jitter),
            erasure.policy,
        ],
    )

    def say_which_channels() -> None:
        used = {*outlets(), *([Channel.PARTNER] if partners() else [])}
        for channel in Channel:
            log.info("a channel is %s", "used" if channel in used else "not configured", extra={"channel": channel})

    return Application(
        service,
        routers=[
            notifications_api.router,
            channels.router(outlets, partners),
            subscriptions_api.router(partners),
            stream.router,
            live.router(Tail()),
        ],
        statuses={"unknown-events": 422, "not-a-target": 422},
        description="Tells the right people what happened to a case, once; and shows events as they pass.",
        workers=[announcing(say_which_channels)],
        audit=audit,
        asyncapi=document("notifications"),
    )


@cache
def by_environment() -> Outlets:
    """The channels that the environment configures; raises edge's SettingsError."""
    return configured(read_settings(ChannelSettings))


@cache
def partners_by_environment() -> Partners | None:
    """The way to partners that it configures; raises edge's SettingsError."""
    return partners_of(read_settings(ChannelSettings))


application = compose(by_environment, SystemRandom().random, partners_by_environment)
notifications = application.service
