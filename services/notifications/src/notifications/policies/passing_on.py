"""A partner's system is told, if it still subscribes to that and the power list still gives it to them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache

from contracts.notifications import NotificationRequested
from edge.authority import Authority
from edge.callers import Caller
from edge.powers import granted
from events import Commands, Pool

from notifications.channels.letter import TIMEOUT, NotTaken
from notifications.channels.partners import Partners
from notifications.domain.notification import SUBSCRIBER
from notifications.domain.subscription import SUBSCRIPTION, End, secrets_of
from notifications.policies.addressing import Nobody, step_of

POWER = "subscriptions.keep"

PassOn = Callable[[Commands, NotificationRequested], Awaitable[None]]


def passing_on(partners: Callable[[], Partners | None]) -> PassOn:
    """Tells the partner of this notification; raises Nobody, or NotTaken."""

    @cache
    def authority_of(db: Pool) -> Authority:
        return Authority(db)

    async def pass_on(commands: Commands, asked: NotificationRequested) -> None:
        way = partners()
        if way is None:
            raise NotTaken("webhooks to partners are not configured")
        subscription = asked.recipient.removeprefix(SUBSCRIBER)
        state, _ = await commands.load(SUBSCRIPTION, subscription)
        if state.made is None or state.ended:
            raise Nobody("the subscription has ended")
        partner = state.made.partner
        lists = await authority_of(commands.db).anew()
        if granted(lists, POWER, Caller(partner, partner), commands.clock()) is None:
            raise Nobody(f"the power list does not give them {POWER} any more")
        step = await step_of(commands.db, asked)
        try:
            async with asyncio.timeout(TIMEOUT):
                await way.send(step, state.made.url, secrets_of(way.master, state, commands.clock()))
        except NotTaken as failure:
            if failure.permanent:
                await commands.execute(SUBSCRIPTION, subscription, End(commands.clock(), gone=True))
            raise

    return pass_on
