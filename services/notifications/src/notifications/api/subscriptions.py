"""Subscriptions (订阅): partners' systems say what they are to be told of, and where."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from edge import Call, HttpProblem, Router
from edge.call import HttpCall
from events import NotFound, Refused
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from notifications.api.notifications import NotificationView
from notifications.api.powers import Powers
from notifications.channels.partners import Partners
from notifications.channels.posting import as_secret
from notifications.channels.targets import TargetRefused, require_form
from notifications.domain.notification import subscriber
from notifications.domain.subscription import SUBSCRIPTION, TYPES, End, Renew, Subscribe, Subscription, secret_of
from notifications.read_models.notification_board import newest, notification_board
from notifications.read_models.subscriptions import of_partner, subscriptions

MOST = 20
"""Of one partner."""
SHOWN = 100


class NoSubscriptionsHere(Refused):
    """The operators have set no secret for them."""

    reason = "no-subscriptions-here"


class NotATarget(Refused):
    """Webhooks do not go there."""

    reason = "not-a-target"


class TooManySubscriptions(Refused):
    """End one that is not needed."""

    reason = "too-many-subscriptions"


class SubscriptionBody(BaseModel):
    """What is to be told, and where."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Annotated[str, Field(max_length=1000, pattern=r"^https?://[^\s\x00]+$")] = Field(
        description="https, port 443 or one from 1024 on, at a public address", examples=["https://example.org/hook"]
    )
    types: list[Annotated[str, Field(max_length=200)]] = Field(
        min_length=1, max_length=len(TYPES), description="Of which events", examples=[list(TYPES[-4:])]
    )


class SubscriptionView(BaseModel):
    """A subscription."""

    subscription: str
    url: str
    types: list[str]
    made_at: datetime


class SecretView(BaseModel):
    """What its webhooks are signed with: keep it to yourself."""

    secret: str = Field(description="As libraries for Standard Webhooks take it: whsec_…")


def router(partners: Callable[[], Partners | None]) -> Router:
    """The routes, with this way to partners."""
    routes = Router(prefix="/subscriptions", tags=["subscriptions"])

    def way() -> Partners:
        found = partners()
        if found is None:
            raise NoSubscriptionsHere(
                "webhooks cannot be subscribed here: the operators have set no NOTIFICATIONS_PARTNERS_SECRET",
                message_zh="本系统未启用订阅（未设置 NOTIFICATIONS_PARTNERS_SECRET）",
            )
        return found

    @routes.post("", power=Powers.SUBSCRIBE, status_code=201, response_model=SubscriptionView)
    async def subscribe(body: SubscriptionBody, call: Call) -> Response:
        """From now on what happens to cases is posted there as Standard Webhooks has it. The secret that it is signed
        with is asked for apart."""
        partner = _partner(call)
        try:
            require_form(body.url, local=way().posting.local)
        except TargetRefused as refused:
            raise NotATarget(f"webhooks do not go there: {refused}", message_zh="回调地址不可用") from None
        if len(await of_partner(call.db, partner)) >= MOST:
            raise TooManySubscriptions(
                f"a system has at most {MOST} subscriptions", message_zh=f"订阅不得超过 {MOST} 个"
            )
        id_ = call.new_id()
        command = Subscribe(id_, partner, body.url, tuple(body.types), call.now)
        return await call.create(SUBSCRIPTION, id_, command, view=_view, location="/subscriptions/{id}")

    @routes.get("", power=Powers.SUBSCRIBE)
    async def mine(call: Call) -> list[SubscriptionView]:
        """Those of the calling system that go on."""
        await call.fresh(subscriptions)
        rows = await of_partner(call.db, _partner(call))
        return [
            SubscriptionView(subscription=row.id, url=row.url, types=list(row.types), made_at=row.made_at)
            for row in rows
        ]

    @routes.get("/{subscription}", power=Powers.SUBSCRIBE, response_model=SubscriptionView)
    async def one(subscription: str, call: Call) -> Response:
        """One of them, with the ETag that a change needs."""
        await _own(call, subscription)
        return await call.read(SUBSCRIPTION, subscription, _view)

    @routes.get("/{subscription}/secret", power=Powers.SUBSCRIBE)
    async def secret(subscription: str, call: Call) -> SecretView:
        """What its webhooks are signed with; that it was shown is on record."""
        state = await _own(call, subscription)
        await call.put_on_record(thing=f"subscription-{subscription}")
        return SecretView(secret=as_secret(secret_of(way().master, subscription, state.generation)))

    @routes.post("/{subscription}/renewal", power=Powers.SUBSCRIBE, response_model=SubscriptionView)
    async def renew(subscription: str, call: Call) -> Response:
        """Another secret; for a day the one before signs as well."""
        await _own(call, subscription)
        return await call.change(SUBSCRIPTION, subscription, Renew(call.now), view=_view)

    @routes.post("/{subscription}/end", power=Powers.SUBSCRIBE, response_model=SubscriptionView)
    async def end(subscription: str, call: Call) -> Response:
        """Nothing is posted any more; what waits to be tried again is withdrawn."""
        await _own(call, subscription)
        return await call.change(SUBSCRIPTION, subscription, End(call.now), view=_view)

    @routes.get("/{subscription}/deliveries", power=Powers.SUBSCRIBE)
    async def deliveries(subscription: str, call: Call) -> list[NotificationView]:
        """What became of its last hundred webhooks, the newest first."""
        await _own(call, subscription)
        await call.fresh(notification_board)
        rows = await newest(call.db, recipient=subscriber(subscription), limit=SHOWN)
        return [NotificationView.model_validate(row._asdict()) for row in rows]

    return routes


def _partner(call: HttpCall) -> str:
    if call.caller.client is None:
        raise HttpProblem("not-allowed", "subscriptions are for systems that call by themselves: people use the pages")
    return call.caller.client


async def _own(call: HttpCall, subscription: str) -> Subscription:
    """The subscription, if it is the caller's: of others it is not even said that they exist."""
    state, _ = await call.commands.load(SUBSCRIPTION, subscription)
    if state.made is None or state.made.partner != _partner(call):
        raise NotFound("there is no such subscription")
    return state


def _view(state: Subscription, _version: int) -> SubscriptionView:
    made = state.made
    assert made is not None  # noqa: S101  # it was made
    return SubscriptionView(subscription=made.subscription, url=made.url, types=list(made.types), made_at=made.at)
