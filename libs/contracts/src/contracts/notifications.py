"""What notifications publishes: who was to be told what, by which channel, and what became of it.

Nothing personal stands here: addresses and texts are looked up when a message is sent, and are kept nowhere.
"""

from enum import StrEnum
from typing import Annotated

from contracts import erasure
from contracts.audit import ActDone, ActRefused
from events import Event
from pydantic import AwareDatetime, Field


class Channel(StrEnum):
    """How someone is told."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    PARTNER = "partner"  # a partner's system, by the webhook that it subscribed


class Occasion(StrEnum):
    """Why someone is told."""

    CASE_DISPATCHED = "case_dispatched"  # to the worker
    CASE_SENT_BACK = "case_sent_back"  # to the worker
    CASE_TAKEN_OVER = "case_taken_over"  # to the worker: its clock stands
    CASE_WARNED = "case_warned"  # to the worker: its deadline is near
    CASE_LATE = "case_late"  # to the worker, with the first escalation
    CASE_ESCALATED = "case_escalated"  # to the grid leader, then higher
    CASE_WITH_NOBODY = "case_with_nobody"  # to whoever is above the vacant post
    CASE_UNCHECKED = "case_unchecked"  # to the grid leader, then higher: handed in, and nobody has verified it
    CASE_RETURNED = "case_returned"  # to the grid leader: the worker has given it back
    CASE_HELP_ASKED = "case_help_asked"  # to whoever is to do a part
    CASE_QUESTION = "case_question"  # to the reporter: it waits for their answer
    CASE_REFUSED = "case_refused"  # to the reporter
    CASE_MERGED = "case_merged"  # to the reporter: another case goes on for it
    CASE_CLOSED = "case_closed"  # to the reporter, also of a case that it went on for
    CASE_STEP = "case_step"  # to a partner's system: something happened to a case


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
    post for the grid when the message is sent; `reporter`, who reported the case; or `subscription:<id>`."""
    what: str | None = None
    """For a partner: the type of the event that is the reason."""
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


class SubscriptionMade(Event, type="commongrid.notifications.subscription.made.v1"):
    """A partner's system is to be told of what happens to cases, by a webhook (Standard Webhooks)."""

    subscription: str
    partner: str
    """The client id of the system."""
    url: Annotated[str, Field(max_length=1000)]
    types: Annotated[tuple[str, ...], Field(min_length=1)]
    """Of which events: `commongrid.grid_tasks.case.closed.v1`."""
    at: AwareDatetime


class SecretRenewed(Event, type="commongrid.notifications.subscription.secret_renewed.v1"):
    """A webhook is signed with another secret; for a day with the one before, too."""

    subscription: str
    generation: Annotated[int, Field(ge=1)]
    """How often it was renewed. The secret itself is not on record: it follows from this number by a key of the
    service's."""
    at: AwareDatetime


class SubscriptionEnded(Event, type="commongrid.notifications.subscription.ended.v1"):
    """The partner is not told any more."""

    subscription: str
    gone: bool = False
    """Its server said so itself: 410 Gone."""
    at: AwareDatetime


class AuditRefused(ActRefused, type="commongrid.notifications.audit.refused.v1"):
    """The service refused an act."""


class AuditDone(ActDone, type="commongrid.notifications.audit.done.v1"):
    """A privileged act that no other event of the service tells of."""


class ErasureConfirmed(erasure.ErasureConfirmed, type="commongrid.notifications.erasure.confirmed.v1"):
    """It holds nothing of this person any more."""
