"""A notification (通知): one message to one recipient by one channel, told once or visibly not told.

    requested ─▶ delivered
        │  ▲ └─▶ withdrawn        nobody to tell
        ▼  │ delayed: again at retry_at, later each time
      parked ─▶ resumed by a person

It holds neither address nor text: those are found when it is sent. All times are the trade's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from contracts.common import Post
from contracts.notifications import (
    Channel,
    NotificationDelayed,
    NotificationDelivered,
    NotificationParked,
    NotificationRequested,
    NotificationResumed,
    NotificationWithdrawn,
    Occasion,
)
from events import Aggregate, Event, NotFound, Refused

MAX_ATTEMPTS = 8
FIRST_PAUSE = 10
"""Seconds."""
LONGEST_PAUSE = 3600
"""Seconds."""

REPORTER = "reporter"
"""The recipient who reported the case."""


def whoever_is(post: Post, grid: str) -> str:
    """The recipient who is in this post for the grid when the message is sent."""
    return f"{post}:{grid}"


def by_post(recipient: str) -> tuple[Post, str] | None:
    """The post and the grid, if that is how the recipient was named."""
    post, colon, grid = recipient.partition(":")
    return (Post(post), grid) if colon and post in set(Post) else None


SUBSCRIBER = "subscription:"


def subscriber(subscription: str) -> str:
    """The recipient who subscribed."""
    return f"{SUBSCRIBER}{subscription}"


class Stage(StrEnum):
    """How far a notification has come."""

    WAITING = "waiting"  # requested or delayed: a timer will send it
    DELIVERED = "delivered"
    PARKED = "parked"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Notification:
    """What is known of a notification; `asked` is None before it was requested."""

    asked: NotificationRequested | None = None
    stage: Stage = Stage.WAITING
    attempts: int = 0
    """Failed and successful ones since it was requested or resumed."""
    error: str | None = None
    """Why the last attempt failed, or why there is nobody to tell."""
    next_attempt: datetime | None = None
    """When it will be sent, if it is waiting."""


@dataclass(frozen=True, slots=True)
class Request:
    """Tell somebody something. A second request for the same reason changes nothing."""

    occasion: Occasion
    cause: str
    case: str
    recipient: str
    channel: Channel
    due: datetime | None
    send_at: datetime
    what: str | None = None

    @property
    def id(self) -> str:
        """Of the notification. What happens to a case may be told of others, too: of what was merged into it."""
        of_the_case_itself = self.cause.startswith(f"case-{self.case}/")
        cause = self.cause if of_the_case_itself else f"{self.cause} for {self.case}"
        return notification_id(cause, self.recipient, self.channel)


@dataclass(frozen=True, slots=True)
class RecordDelivery:
    """The channel took it."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RecordFailure:
    """The channel did not take it. `permanent`: it never will; `jitter`, 0 to 1, spreads the next attempts."""

    error: str
    permanent: bool
    jitter: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Withdraw:
    """There is nobody to tell."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Retry:
    """A person wants a parked notification tried again."""

    at: datetime


Command = Request | RecordDelivery | RecordFailure | Withdraw | Retry


class NotParked(Refused):
    """Only what was parked can be tried again by hand."""

    reason = "not-parked"


class NotWaiting(Refused):
    """It was delivered, parked or withdrawn already, so that no attempt is due."""

    reason = "not-waiting"


def notification_id(cause: str, recipient: str, channel: Channel) -> str:
    """The id that follows from the reason: the same reason always gives the same notification."""
    return sha256(f"{cause}\n{recipient}\n{channel}".encode()).hexdigest()[:32]


def pause(attempts: int, jitter: float) -> timedelta:
    """How long to wait after so many failed attempts: 10 s, doubled each time up to an hour, and a fifth more or less
    by `jitter` (0 to 1), so that what failed together is not tried again together."""
    return timedelta(seconds=min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE) * (0.8 + 0.4 * jitter))


def decide(state: Notification, command: Command) -> Sequence[Event]:
    """What the command brings about; raises NotFound, NotParked or NotWaiting."""
    if isinstance(command, Request):
        return [] if state.asked else [_requested(command)]
    if state.asked is None:
        raise NotFound("there is no such notification")
    id_, channel, attempts = state.asked.notification, state.asked.channel, state.attempts + 1
    match command, state.stage:
        case Retry(at), Stage.PARKED:
            return [NotificationResumed(notification=id_, channel=channel, at=at)]
        case Retry(), stage:
            raise NotParked(f"the notification is {stage}; only a parked one can be tried again", stage=stage)
        case RecordDelivery(at), Stage.WAITING:
            occasion = state.asked.occasion
            return [
                NotificationDelivered(notification=id_, channel=channel, occasion=occasion, attempts=attempts, at=at)
            ]
        case RecordFailure(error, permanent, _, at), Stage.WAITING if permanent or attempts >= MAX_ATTEMPTS:
            return [NotificationParked(notification=id_, channel=channel, attempts=attempts, error=error, at=at)]
        case RecordFailure(error, _, jitter, at), Stage.WAITING:
            retry_at = at + pause(attempts, jitter)
            return [
                NotificationDelayed(
                    notification=id_, channel=channel, attempts=attempts, error=error, retry_at=retry_at, at=at
                )
            ]
        case Withdraw(reason, at), Stage.WAITING:
            return [NotificationWithdrawn(notification=id_, channel=channel, reason=reason, at=at)]
        case _, stage:
            raise NotWaiting(f"the notification is {stage} already", stage=stage)


def _requested(request: Request) -> NotificationRequested:
    return NotificationRequested(
        notification=request.id,
        occasion=request.occasion,
        cause=request.cause,
        case=request.case,
        recipient=request.recipient,
        what=request.what,
        channel=request.channel,
        due=request.due,
        send_at=request.send_at,
    )


def evolve(state: Notification, event: Event) -> Notification:
    """The notification after the event."""
    match event:
        case NotificationRequested():
            return Notification(asked=event, next_attempt=event.send_at)
        case NotificationDelayed(attempts=attempts, error=error, retry_at=retry_at):
            return replace(state, attempts=attempts, error=error, next_attempt=retry_at)
        case NotificationDelivered(attempts=attempts):
            return replace(state, stage=Stage.DELIVERED, attempts=attempts, error=None, next_attempt=None)
        case NotificationParked(attempts=attempts, error=error):
            return replace(state, stage=Stage.PARKED, attempts=attempts, error=error, next_attempt=None)
        case NotificationResumed(at=at):
            return replace(state, stage=Stage.WAITING, attempts=0, next_attempt=at)
        case NotificationWithdrawn(reason=reason):
            return replace(state, stage=Stage.WITHDRAWN, error=reason, next_attempt=None)
        case _:
            return state


NOTIFICATION = Aggregate(
    "notification",
    initial=Notification(),
    decide=decide,
    evolve=evolve,
    events=(
        NotificationRequested,
        NotificationDelivered,
        NotificationDelayed,
        NotificationParked,
        NotificationResumed,
        NotificationWithdrawn,
    ),
)
