"""A message that is due is sent, and what became of it is recorded in the transaction that takes its timer away.

The kernel lets one process at a time have the timer. If that process dies between sending and recording, the timer
comes due again, and the message is sent again with the same id: the receiver can tell that it has had it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from contracts.notifications import Channel, NotificationDelayed, NotificationRequested, NotificationResumed
from events import Commands, Due, Policy, Timer

from notifications.channels.letter import TIMEOUT, NotTaken, Outlets
from notifications.domain.notification import (
    NOTIFICATION,
    Command,
    NotWaiting,
    RecordDelivery,
    RecordFailure,
    Stage,
    Withdraw,
)
from notifications.policies.addressing import Nobody, letter_of
from notifications.policies.passing_on import PassOn

SEND = "send"


def delivering(outlets: Callable[[], Outlets], pass_on: PassOn, jitter: Callable[[], float]) -> Policy:
    """The policy; `pass_on` tells partners' systems, and `jitter` gives numbers from 0 to 1."""
    policy = Policy("delivering")

    @policy.timer(NotificationRequested)
    def requested(event: NotificationRequested) -> Timer:
        return Timer(SEND, event.send_at)

    @policy.timer(NotificationDelayed)
    def delayed(event: NotificationDelayed) -> Timer:
        return Timer(SEND, event.retry_at)

    @policy.timer(NotificationResumed)
    def resumed(event: NotificationResumed) -> Timer:
        return Timer(SEND, event.at)

    async def write(commands: Commands, asked: NotificationRequested) -> None:
        outlet = outlets().get(asked.channel)
        if outlet is None:
            raise NotTaken(f"channel {asked.channel} is not configured")
        letter = await letter_of(commands.db, asked)
        async with asyncio.timeout(TIMEOUT):
            await outlet.send(letter)

    @policy.due(SEND)
    async def send(commands: Commands, due: Due) -> None:
        state, _ = await commands.load(NOTIFICATION, due.id)
        if state.asked is None or state.stage is not Stage.WAITING:
            return
        outcome: Command
        try:
            if state.asked.channel is Channel.PARTNER:
                await pass_on(commands, state.asked)
            else:
                await write(commands, state.asked)
            outcome = RecordDelivery(commands.clock())
        except TimeoutError:
            outcome = RecordFailure("no answer in time", False, jitter(), commands.clock())
        except Nobody as nobody:
            outcome = Withdraw(str(nobody), commands.clock())
        except NotTaken as failure:
            outcome = RecordFailure(str(failure), failure.permanent, jitter(), commands.clock())
        with suppress(NotWaiting):  # another process, believing that this one had died, was faster
            await commands.execute(NOTIFICATION, due.id, outcome)

    return policy
