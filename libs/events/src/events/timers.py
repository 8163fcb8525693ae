"""Durable timers: they commit with the event that sets them, survive any restart, and take effect once.

A process claims what is due for a while, runs the handler, and the command that comes of it takes the timer's row
away in its own transaction. Whoever fails tries again later, with growing pauses; in the end the timer is parked.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import structlog

from events import parking
from events.commands import Commands
from events.policy import Due, Policy
from events.read_model import Database
from events.store import Context, Fired, TimerGone
from events.telemetry import continued

CLAIM_SECONDS = 30
"""A handler that takes longer may be run by a second process: what reaches outside must be recognisable as a repeat."""
AT_ONCE = 64
PAUSE = 0.2
ATTEMPTS = 10

CLAIM = """
update log.timers t set claimed_until = clock_timestamp() + make_interval(secs => $2), attempts = t.attempts + 1
where t.id in (
    select id from log.timers
    where due <= $1 and claimed_until < clock_timestamp() and policy = any($3)
    order by due limit $4 for update skip locked
)
returning id, policy, stream, name, due, attempts, causation, correlation, traceparent"""


class Claimed(NamedTuple):
    """A timer that this process has claimed."""

    id: int
    policy: str
    stream: str
    name: str
    due: datetime
    attempts: int
    causation: str
    correlation: str | None
    traceparent: str | None


async def claim(db: Database, now: datetime, policies: list[str]) -> list[Claimed]:
    """Claims what is due, for CLAIM_SECONDS."""
    rows = await db.fetch(CLAIM, now, CLAIM_SECONDS, policies, AT_ONCE)
    return [Claimed(*row) for row in rows]


async def run_timers(commands: Commands) -> None:
    """Runs what comes due, until cancelled."""
    policies = {policy.name: policy for policy in commands.service.policies if policy.due_handlers}
    if not policies:
        return
    while True:
        claimed = await claim(commands.db, commands.clock(), list(policies))
        await asyncio.gather(*(fire(commands, policies, timer) for timer in claimed))
        if not claimed:
            await asyncio.sleep(PAUSE)


async def fire(unbound: Commands, policies: Mapping[str, Policy], timer: Claimed) -> None:
    """Runs the handler of one claimed timer, and puts it away."""
    commands = unbound.by(Context(f"policy:{timer.policy}", timer.correlation, timer.causation))
    commands.fired = Fired(timer.id, timer.due)
    try:
        with continued(timer.traceparent, f"timer {timer.policy} {timer.name}"):
            handler = policies[timer.policy].due_handlers[timer.name]
            await handler(commands, Due(timer.name, timer.stream, timer.due, timer.attempts))
    except TimerGone:
        return
    except Exception as error:
        what = parking.describe(error)
        structlog.get_logger(__name__).warning(
            "timer failed",
            policy=timer.policy,
            timer=timer.name,
            stream=timer.stream,
            attempt=timer.attempts,
            error=what,
        )
        await unbound.db.execute(
            """update log.timers set error = $3, claimed_until =
               case when $4 then 'infinity' else clock_timestamp() + make_interval(secs => $5) end
               where id = $1 and due = $2""",
            timer.id,
            timer.due,
            what,
            timer.attempts >= ATTEMPTS and not parking.is_transient(error),
            min(2.0 ** min(timer.attempts, 9), 300.0),  # the attempts at what stays away for days outgrow a float
        )
        return
    if commands.fired:  # no command took it along: there was nothing to do
        await unbound.db.execute("delete from log.timers where id = $1 and due = $2", timer.id, timer.due)
