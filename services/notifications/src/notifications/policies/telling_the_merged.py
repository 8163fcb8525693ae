"""Whoever reported a case that was merged (并案) is told when the one that went on for it is closed, however many were
merged one into another.

The merging and the closing are of different streams, and come in any order. Each looks for the other, after the read
model shows what it tells of: so whichever comes second sees both. A policy of its own, so that nobody else waits if
contacts cannot be read for a while.
"""

from collections.abc import Callable

from contracts.grid_tasks import CaseClosed, CaseMerged
from contracts.notifications import Channel, Occasion
from events import Commands, Event, Policy, Recorded, Token

from notifications.channels.letter import Outlets
from notifications.domain.notification import NOTIFICATION, REPORTER, Request
from notifications.read_models.cases import cases, dealt_with


def telling_the_merged(outlets: Callable[[], Outlets]) -> Policy:
    """The policy, for the channels that are configured when it runs."""
    policy = Policy("telling_the_merged")

    @policy.on(CaseMerged)
    async def merged(commands: Commands, event: Recorded[CaseMerged]) -> None:
        await tell(commands, event, event.data.case)

    @policy.on(CaseClosed)
    async def closed(commands: Commands, event: Recorded[CaseClosed]) -> None:
        await tell(commands, event, event.data.case)

    async def tell(commands: Commands, event: Recorded[Event], id: str) -> None:
        if Channel.EMAIL not in outlets():
            return
        await commands.wait_for(Token("grid_tasks", event.stream, event.raw.position), cases)
        for it in await dealt_with(commands.db, id):
            request = Request(Occasion.CASE_CLOSED, it.closing, it.case, REPORTER, Channel.EMAIL, None, it.at)
            await commands.execute(NOTIFICATION, request.id, request)

    return policy
