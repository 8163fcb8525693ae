"""Who is told what: the worker of a dispatch and of a case sent back, the grid leader of a case that is overdue, the
reporter of the end, if they left a contact.

It only requests: whom that is by name and address is found when the message is sent (`delivering`), because what is
needed for it may come later, on another topic. A second run requests nothing again.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from contracts.grid_tasks import CaseClosed, CaseDispatched, CaseEscalated, CaseSentBack
from contracts.notifications import Channel, Occasion
from events import Commands, Event, Policy, Recorded

from notifications.channels.letter import Outlets
from notifications.domain.notification import NOTIFICATION, REPORTER, Request, leader_of, notification_id
from notifications.read_models.cases import case


def telling(outlets: Callable[[], Outlets]) -> Policy:
    """The policy, for the channels that are configured when it runs."""
    policy = Policy("telling")

    async def tell(
        commands: Commands,
        event: Recorded[Event],
        occasion: Occasion,
        about: str,
        recipient: str,
        channels: Iterable[Channel],
        send_at: datetime,
        due: datetime | None = None,
    ) -> None:
        for channel in channels:
            if channel in outlets():
                id_ = notification_id(event.id, recipient, channel)
                request = Request(occasion, event.id, about, recipient, channel, due, send_at)
                await commands.execute(NOTIFICATION, id_, request)

    @policy.on(CaseDispatched)
    async def dispatched(commands: Commands, event: Recorded[CaseDispatched]) -> None:
        it = event.data
        await tell(commands, event, Occasion.CASE_DISPATCHED, it.case, it.worker, Channel, it.at, it.due)

    @policy.on(CaseSentBack)
    async def sent_back(commands: Commands, event: Recorded[CaseSentBack]) -> None:
        it = event.data
        await tell(commands, event, Occasion.CASE_SENT_BACK, it.case, it.worker, Channel, it.at, it.due)

    @policy.on(CaseEscalated)
    async def escalated(commands: Commands, event: Recorded[CaseEscalated]) -> None:
        it = event.data
        await tell(commands, event, Occasion.CASE_ESCALATED, it.case, leader_of(it.grid), Channel, it.at, it.due)

    @policy.on(CaseClosed)
    async def closed(commands: Commands, event: Recorded[CaseClosed]) -> None:
        it = event.data
        known = await case(commands.db, it.case)
        if known and known.contact is None:
            return  # not known yet is another thing: then it is requested, and withdrawn if there is no contact
        await tell(commands, event, Occasion.CASE_CLOSED, it.case, REPORTER, [Channel.EMAIL], it.at)

    return policy
