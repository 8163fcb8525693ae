"""What notifications publishes: who was to be told what, by which channel, and what became of it."""

from enum import StrEnum

from events import Event, personal
from pydantic import AwareDatetime


class Channel(StrEnum):
    """How someone is told."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class Occasion(StrEnum):
    """Why someone is told."""

    CASE_DISPATCHED = "case_dispatched"  # to the worker
    CASE_SENT_BACK = "case_sent_back"  # to the worker
    CASE_ESCALATED = "case_escalated"  # to the grid leader
    CASE_CLOSED = "case_closed"  # to the reporter


class NotificationRequested(Event, type="commongrid.notifications.notification.requested.v1"):
    """Somebody is to be told something; once, whatever happens."""

    notification: str
    occasion: Occasion
    cause: str
    """Id of the event that is the reason."""
    case: str
    recipient: str
    """Pseudonymous id of whom to tell: a member of the roster, or `reporter`."""
    channel: Channel
    address: str = personal()
    subject: str
    body: str = personal()
    send_at: AwareDatetime


class NotificationDelivered(Event, type="commongrid.notifications.notification.delivered.v1"):
    """The channel took it."""

    notification: str
    channel: Channel
    occasion: Occasion
    attempts: int
    at: AwareDatetime


class NotificationDelayed(Event, type="commongrid.notifications.notification.delayed.v1"):
    """The channel did not take it; it will be tried again."""

    notification: str
    channel: Channel
    attempts: int
    error: str
    """What went wrong, without address or content."""
    retry_at: AwareDatetime
    at: AwareDatetime


class NotificationParked(Event, type="commongrid.notifications.notification.parked.v1"):
    """Given up after so many attempts; a person has to look."""

    notification: str
    channel: Channel
    attempts: int
    error: str
    at: AwareDatetime
