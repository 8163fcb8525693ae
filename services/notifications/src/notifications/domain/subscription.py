"""A subscription (订阅): a partner's system wants to be told, by a webhook, of what happens to cases.

Its secret is on no record: it follows from the subscription and how often it was renewed, by a key of the service's.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from contracts import grid_tasks
from contracts.notifications import SecretRenewed, SubscriptionEnded, SubscriptionMade
from events import Aggregate, Event, NotFound, Refused

STEPS: tuple[type[Event], ...] = (
    grid_tasks.CaseReported,
    grid_tasks.CasePlaced,
    grid_tasks.CasePlaceCorrected,
    grid_tasks.CaseAccepted,
    grid_tasks.CaseRefused,
    grid_tasks.CaseWithdrawn,
    grid_tasks.CaseMerged,
    grid_tasks.CaseTakenUp,
    grid_tasks.CaseDispatched,
    grid_tasks.CaseTakenOver,
    grid_tasks.CaseHandedOver,
    grid_tasks.CaseReturned,
    grid_tasks.CaseStarted,
    grid_tasks.CasePaused,
    grid_tasks.CaseResumed,
    grid_tasks.CaseAnswered,
    grid_tasks.CaseHandedIn,
    grid_tasks.CaseSentBack,
    grid_tasks.CaseVerified,
    grid_tasks.CaseClosed,
    grid_tasks.CaseReopened,
    grid_tasks.CaseRated,
    grid_tasks.CaseEscalated,
)
"""What a partner can be told of."""
TYPES = tuple(it.type_name for it in STEPS)

BOTH = timedelta(days=1)
"""So long after a renewal the secret before signs, too: the other side can change over when it suits."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is known of a subscription; `made` is None before it was."""

    made: SubscriptionMade | None = None
    generation: int = 0
    renewed_at: datetime | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A partner wants to be told."""

    subscription: str
    partner: str
    url: str
    types: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Renew:
    """The secret may have become known."""

    at: datetime


@dataclass(frozen=True, slots=True)
class End:
    """It is to end; `gone`: its server says that there is nobody any more."""

    at: datetime
    gone: bool = False


class UnknownEvents(Refused):
    """There are no such events, or none that partners are told of."""

    reason = "unknown-events"


class SubscriptionOver(Refused):
    """It has ended: make another one."""

    reason = "subscription-over"


def decide(state: Subscription, command: Subscribe | Renew | End) -> Sequence[Event]:
    """What the command brings about; raises NotFound, UnknownEvents or SubscriptionOver."""
    if isinstance(command, Subscribe):
        return [] if state.made else [_made(command)]
    if state.made is None:
        raise NotFound("there is no such subscription")
    id_ = state.made.subscription
    match command:
        case End() if state.ended:
            return []
        case End(at, gone):
            return [SubscriptionEnded(subscription=id_, gone=gone, at=at)]
        case Renew() if state.ended:
            raise SubscriptionOver(
                "this subscription has ended; make another one", message_zh="该订阅已结束，请另行订阅"
            )
        case Renew(at):
            return [SecretRenewed(subscription=id_, generation=state.generation + 1, at=at)]


def _made(it: Subscribe) -> SubscriptionMade:
    if unknown := sorted(set(it.types) - set(TYPES)):
        raise UnknownEvents(
            "partners are not told of these events",
            message_zh="没有可订阅的此类事件",
            unknown=unknown,
            known=list(TYPES),
        )
    types = tuple(dict.fromkeys(it.types))
    return SubscriptionMade(subscription=it.subscription, partner=it.partner, url=it.url, types=types, at=it.at)


def evolve(state: Subscription, event: Event) -> Subscription:
    """The subscription after the event."""
    match event:
        case SubscriptionMade():
            return Subscription(made=event)
        case SecretRenewed(generation=generation, at=at):
            return replace(state, generation=generation, renewed_at=at)
        case SubscriptionEnded():
            return replace(state, ended=True)
        case _:
            return state


def secret_of(master: bytes, subscription: str, generation: int) -> bytes:
    """The 32 bytes with which its webhooks are signed."""
    return hmac.new(master, f"{subscription}/{generation}".encode(), sha256).digest()


def secrets_of(master: bytes, state: Subscription, now: datetime) -> list[bytes]:
    """The secret, and for a day after a renewal the one before."""
    assert state.made is not None  # noqa: S101  # nobody asks for what was not made
    id_ = state.made.subscription
    recent = state.renewed_at is not None and now < state.renewed_at + BOTH
    return [secret_of(master, id_, it) for it in range(state.generation, state.generation - 1 - recent, -1)]


SUBSCRIPTION = Aggregate(
    "subscription",
    initial=Subscription(),
    decide=decide,
    evolve=evolve,
    events=(SubscriptionMade, SecretRenewed, SubscriptionEnded),
)
