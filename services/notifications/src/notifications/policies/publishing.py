"""What happens to a case is told to partners' systems that subscribed it.

It only requests, as `telling` does: where to, and signed with what, is found when it is sent, if the power list still
gives it to them then.
"""

from typing import Any

from contracts.notifications import Channel, Occasion
from events import Commands, Policy, Recorded

from notifications.domain.notification import NOTIFICATION, Request, subscriber
from notifications.domain.subscription import STEPS
from notifications.read_models.subscriptions import told_of

publishing = Policy("publishing")


async def step(commands: Commands, event: Recorded[Any]) -> None:
    """Each who subscribed it is told once."""
    it = event.data  # as all steps it has a case and a time
    for subscription in await told_of(commands.db, it.type_name):
        recipient = subscriber(subscription)
        request = Request(Occasion.CASE_STEP, event.id, it.case, recipient, Channel.PARTNER, None, it.at, it.type_name)
        await commands.execute(NOTIFICATION, request.id, request)


for each in STEPS:
    publishing.on(each)(step)
