"""Which channels are used here, and how they do."""

from collections.abc import Callable

from contracts.notifications import Channel
from edge import Call, Router
from pydantic import BaseModel, Field

from notifications.api.powers import Powers
from notifications.channels.letter import Outlets
from notifications.channels.partners import Partners
from notifications.domain.notification import Stage
from notifications.read_models.notification_board import counts


class ChannelView(BaseModel):
    """A channel. One that is not configured is not used: nobody is told by it, and nothing waits for it."""

    channel: Channel
    configured: bool
    notifications: dict[Stage, int] = Field(description="How many stand where")


def router(outlets: Callable[[], Outlets], partners: Callable[[], Partners | None]) -> Router:
    """The routes, for these channels."""
    routes = Router(prefix="/channels", tags=["channels"])

    @routes.get("", power=Powers.READ_CHANNELS)
    async def channels(call: Call) -> list[ChannelView]:
        """All channels; no addresses, no secrets."""
        found = await counts(call.db)
        return [
            ChannelView(
                channel=channel,
                configured=partners() is not None if channel is Channel.PARTNER else channel in outlets(),
                notifications={stage: found.get((channel, stage), 0) for stage in Stage},
            )
            for channel in Channel
        ]

    return routes
