"""What a service does when a person is erased: it drops what it held of them, and says so.

    erasure = erasures(ErasureConfirmed)     # the service's own contract
    Service("grid_tasks", aggregates=[…, erasure.aggregate], policies=[…, erasure.policy])

What is in events is sealed with the person's key, which the registry destroys: it stays, and nobody can read it. Read
models are dropped by their own handlers; the policy waits for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts import erasure
from contracts.registry import PersonErased
from events import Aggregate, Commands, Event, Policy, Recorded, Token
from events.privacy.erasure import Forgotten, forget_all
from events.read_model import ReadModel

PATIENCE = 60.0
"""Seconds to wait for the read models that drop their rows."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """It is done."""

    person: str
    forgotten: Forgotten
    at: datetime


@dataclass(frozen=True, slots=True)
class Erasures:
    """The parts of a service that confirm erasures."""

    aggregate: Aggregate[Event | None, Confirm]
    policy: Policy


def erasures(confirmed: type[erasure.ErasureConfirmed], *read_models: ReadModel, owner: bool = False) -> Erasures:
    """The parts for a service whose event of the confirmation this is. `read_models` drop rows of the person; `owner`
    says that the service keeps the persons' keys, and destroys them."""

    def decide(known: Event | None, command: Confirm) -> Sequence[Event]:
        if known:
            return []
        return [confirmed(person=command.person, **command.forgotten._asdict(), at=command.at)]

    def evolve(_: Event | None, event: Event) -> Event | None:
        return event

    aggregate = Aggregate[Event | None, Confirm]("erasure", None, decide, evolve, (confirmed,))
    policy = Policy("erasing")

    @policy.on(PersonErased)
    async def erased(commands: Commands, event: Recorded[PersonErased]) -> None:
        person = event.data.person
        if owner:
            await commands.personal.keys.destroy(event.stream)
        token = Token("registry", event.stream, event.raw.position)
        for read_model in read_models:
            await commands.wait_for(token, read_model, PATIENCE)
        forgotten = await forget_all(commands.db, event.stream)
        await commands.execute(aggregate, person, Confirm(person, forgotten, commands.clock()))

    return Erasures(aggregate, policy)
