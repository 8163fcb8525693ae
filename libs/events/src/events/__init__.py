"""The event kernel: store, relay, projections, timers. Knows Postgres and Kafka; knows no domain and no HTTP.

What a service is written with stands here; what runs it stands in `events.runtime`, what operators use in
`events.operate`, and what tests use in `events.testing`.
"""

from events.aggregate import Aggregate, Refused
from events.clock import Clock, system_clock
from events.commands import Commands, Done, KeyMismatch, NotFound, VersionMismatch
from events.event import Batch, Event, Position, Recorded, personal
from events.freshness import NotYet, Token
from events.policy import Cancel, Due, Policy, Several, Timer
from events.read_model import Connection, Database, Pool, ReadModel
from events.service import Service
from events.store import Conflict, Context, EventTooLarge, Key

__all__ = [
    "Aggregate",
    "Batch",
    "Cancel",
    "Clock",
    "Commands",
    "Conflict",
    "Connection",
    "Context",
    "Database",
    "Done",
    "Due",
    "Event",
    "EventTooLarge",
    "Key",
    "KeyMismatch",
    "NotFound",
    "NotYet",
    "Policy",
    "Pool",
    "Position",
    "ReadModel",
    "Recorded",
    "Refused",
    "Service",
    "Several",
    "Timer",
    "Token",
    "VersionMismatch",
    "personal",
    "system_clock",
]
