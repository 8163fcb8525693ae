"""What notifications publishes: who was to be told what, by which channel, and what became of it.

Nothing personal stands here: addresses and texts are looked up when a message is sent, and are kept nowhere.
"""

from enum import StrEnum

from contracts import erasure
from contracts.audit import ActDone, ActRefused
from events import Event
from pydantic import AwareDatetime


class Channel(StrEnum):
    """How someone is told."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class Occasion(StrEnum):
    """Why someone is told."""

    CASE_DISPATCHED = "case_dispatched"  # to the worker
    CASE_SENT_BACK = "case_sent_back"  # to the worker
    CASE_WARNED = "case_warned"  # to the worker: its deadline is near
    CASE_ESCALATED = "case_escalated"  # to the grid leader, then higher
    CASE_RETURNED = "case_returned"  # to the grid leader: the worker has given it back
    CASE_HELP_ASKED = "case_help_asked"  # to whoever is to do a part
    CASE_QUESTION = "case_question"  # to the reporter: it waits for their answer
    CASE_REFUSED = "case_refused"  # to the reporter
    CASE_CLOSED = "case_closed"  # to the reporter


class NotificationRequested(Event, type="commongrid.notifications.notification.requested.v1"):
    """Somebody is to be told something; once, whatever happens."""

    notification: str
    """Follows from cause, recipient and channel, so that one reason never asks twice."""
    occasion: Occasion
    cause: str
    """Id of the event that is the reason."""
    case: str
    recipient: str
    """Whom to tell: the id of a member of the roster; `<post>:<grid>`, like `grid_leader:G1`, whoever is in that
    post for the grid when the message is sent; or `reporter`, who reported the case."""
    channel: Channel
    due: AwareDatetime | None = None
    """By when the case is to be handed in, where the message says so."""
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
    """Given up, for good or after so many attempts; a person has to look."""

    notification: str
    channel: Channel
    attempts: int
    error: str
    """What went wrong, without address or content."""
    at: AwareDatetime


class NotificationResumed(Event, type="commongrid.notifications.notification.resumed.v1"):
    """A person looked, and it is tried again; attempts count anew."""

    notification: str
    channel: Channel
    at: AwareDatetime


class NotificationWithdrawn(Event, type="commongrid.notifications.notification.withdrawn.v1"):
    """There is nobody to tell: the reporter left no contact, or the member has left the roster."""

    notification: str
    channel: Channel
    reason: str
    at: AwareDatetime


class AuditRefused(ActRefused, type="commongrid.notifications.audit.refused.v1"):
    """The service refused an act."""


class AuditDone(ActDone, type="commongrid.notifications.audit.done.v1"):
    """A privileged act that no other event of the service tells of."""


class ErasureConfirmed(erasure.ErasureConfirmed, type="commongrid.notifications.erasure.confirmed.v1"):
    """It holds nothing of this person any more."""
