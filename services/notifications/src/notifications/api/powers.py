"""The powers that the operations of notifications need."""

from enum import StrEnum


class Powers(StrEnum):
    """Their codes on the power list."""

    READ = "notifications.read"
    RETRY = "notifications.retry"
    READ_CHANNELS = "channels.read"
    WATCH = "events.watch"
    SUBSCRIBE = "subscriptions.keep"
