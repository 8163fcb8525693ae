"""Who is told what: the worker of a dispatch, of a case sent back or taken over, and of a deadline that is near; the
grid leader, and higher up whoever is next, of a case that is late; helpers of what they are asked; the reporter of a
question, of a merging and of the end, if they left a contact (of the end of the one that went on for a merged case:
`telling_the_merged`).

It only requests: whom that is by name and address is found when the message is sent (`delivering`), because what is
needed for it may come later, on another topic. A second run requests nothing again.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from contracts.common import Post
from contracts.grid_tasks import (
    CaseClosed,
    CaseDispatched,
    CaseEscalated,
    CaseHelpAsked,
    CaseMerged,
    CasePaused,
    CaseRefused,
    CaseReturned,
    CaseSentBack,
    CaseTakenOver,
    CaseWarned,
    EscalationCause,
    PauseKind,
    Rung,
)
from contracts.notifications import Channel, Occasion
from events import Commands, Event, Policy, Recorded

from notifications.channels.letter import Outlets
from notifications.domain.notification import NOTIFICATION, REPORTER, Request, whoever_is
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
                request = Request(occasion, event.id, about, recipient, channel, due, send_at)
                await commands.execute(NOTIFICATION, request.id, request)

    async def tell_reporter(
        commands: Commands, event: Recorded[Event], occasion: Occasion, about: str, send_at: datetime
    ) -> None:
        known = await case(commands.db, about)
        if known and known.contact is None:
            return  # not known yet is another thing: then it is requested, and withdrawn if there is no contact
        await tell(commands, event, occasion, about, REPORTER, [Channel.EMAIL], send_at)

    @policy.on(CaseDispatched)
    async def dispatched(commands: Commands, event: Recorded[CaseDispatched]) -> None:
        it = event.data
        await tell(commands, event, Occasion.CASE_DISPATCHED, it.case, it.worker, Channel, it.at, it.due)

    @policy.on(CaseSentBack)
    async def sent_back(commands: Commands, event: Recorded[CaseSentBack]) -> None:
        it = event.data
        await tell(commands, event, Occasion.CASE_SENT_BACK, it.case, it.worker, Channel, it.at, it.due)

    @policy.on(CaseTakenOver)
    async def taken_over(commands: Commands, event: Recorded[CaseTakenOver]) -> None:
        it = event.data
        await tell(commands, event, Occasion.CASE_TAKEN_OVER, it.case, it.worker, Channel, it.at)

    @policy.on(CaseEscalated)
    async def escalated(commands: Commands, event: Recorded[CaseEscalated]) -> None:
        it = event.data
        for recipient in told_of_late(it):
            await tell(commands, event, LATE[it.cause], it.case, recipient, Channel, it.at, it.due)
        if it.cause is EscalationCause.OVERDUE and it.rung is Rung.LEADER and it.worker:
            await tell(commands, event, Occasion.CASE_LATE, it.case, it.worker, Channel, it.at, it.due)

    @policy.on(CaseWarned)
    async def warned(commands: Commands, event: Recorded[CaseWarned]) -> None:
        it = event.data
        await tell(commands, event, Occasion.CASE_WARNED, it.case, it.worker, Channel, it.at, it.due)

    @policy.on(CaseReturned)
    async def returned(commands: Commands, event: Recorded[CaseReturned]) -> None:
        it = event.data
        leader = whoever_is(Post.GRID_LEADER, it.grid)
        await tell(commands, event, Occasion.CASE_RETURNED, it.case, leader, Channel, it.at)

    @policy.on(CaseHelpAsked)
    async def help_asked(commands: Commands, event: Recorded[CaseHelpAsked]) -> None:
        it = event.data
        for helper in it.helpers:
            await tell(commands, event, Occasion.CASE_HELP_ASKED, it.case, helper, Channel, it.at)

    @policy.on(CasePaused)
    async def paused(commands: Commands, event: Recorded[CasePaused]) -> None:
        it = event.data
        if it.kind is PauseKind.FOR_THE_REPORTER:
            await tell_reporter(commands, event, Occasion.CASE_QUESTION, it.case, it.at)

    @policy.on(CaseRefused)
    async def refused(commands: Commands, event: Recorded[CaseRefused]) -> None:
        await tell_reporter(commands, event, Occasion.CASE_REFUSED, event.data.case, event.data.at)

    @policy.on(CaseMerged)
    async def merged(commands: Commands, event: Recorded[CaseMerged]) -> None:
        await tell_reporter(commands, event, Occasion.CASE_MERGED, event.data.case, event.data.at)

    @policy.on(CaseClosed)
    async def closed(commands: Commands, event: Recorded[CaseClosed]) -> None:
        await tell_reporter(commands, event, Occasion.CASE_CLOSED, event.data.case, event.data.at)

    return policy


LATE = {
    EscalationCause.OVERDUE: Occasion.CASE_ESCALATED,
    EscalationCause.UNCHECKED: Occasion.CASE_UNCHECKED,
    EscalationCause.NOBODY_IN_POST: Occasion.CASE_WITH_NOBODY,
}

POSTS: Mapping[Rung, tuple[Post, ...]] = {
    Rung.LEADER: (Post.GRID_LEADER,),
    Rung.INSTRUCTOR: (Post.GRID_INSTRUCTOR,),
    Rung.OFFICER_OR_SECRETARY: (Post.COMMUNITY_OFFICER,),
}
"""Who is told at each rung; the street (街道) has no post on the roster, and follows the topic."""


def told_of_late(event: CaseEscalated) -> list[str]:
    """Whom a case is told to that is late, that nobody verifies, or that nobody can have: where no leader is there,
    both who are above."""
    if event.cause is EscalationCause.NOBODY_IN_POST and event.rung is Rung.INSTRUCTOR:
        return [whoever_is(it, event.grid) for it in (Post.GRID_INSTRUCTOR, Post.COMMUNITY_OFFICER)]
    return [whoever_is(post, event.grid) for post in POSTS.get(event.rung, ())]
