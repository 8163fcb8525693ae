"""What is found at a visit (走访) comes into the registers: all as they say confirms it, and answers a sample; what is
otherwise is a proposal, which whoever decides disputes accepts or not (`GET /disputes`). Only of somebody who holds
`registers.keep` it is a fact at once.

Each visit speaks as a source of its own, so that a second one that finds the same again confirms it again.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import orjson
from contracts.common import Presence
from contracts.grid_tasks import VisitDone, VisitMovedAway
from contracts.registry import Facts, PersonFacts, UnitFacts
from contracts.visits import VisitKind
from edge.authority import Authority
from edge.callers import Caller
from edge.powers import granted
from events import Commands, Policy, Recorded
from events.privacy.data import Erased

from registry.domain.entry import ASK, NEWEST, Register
from registry.domain.person import PERSON
from registry.domain.sample import SAMPLE, Answer
from registry.domain.unit import UNIT
from registry.policies.telling_where import PEOPLE, UNITS

visited = Policy("visited", personal=True)

KEEP = "registers.keep"
"""The power to enter what is so."""

F = TypeVar("F", PersonFacts, UnitFacts)


@visited.on(VisitDone)
async def done(commands: Commands, event: Recorded[VisitDone]) -> None:
    """Whose answers were erased before they came here says nothing but whether all was right."""
    it = event.data
    if it.kind is VisitKind.SAMPLE and it.as_registered is not None:
        await commands.execute(SAMPLE, it.cause, Answer(it.thing, it.as_registered, it.wrong, it.worker, it.done_at))
    changes: Mapping[str, Any] = orjson.loads(it.answers).get("changes", {}) if it.answers else {}
    if changes or it.as_registered:
        await _found(commands, it.visit, it.of, it.thing, changes, it.worker, it.at)


@visited.on(VisitMovedAway)
async def moved_away(commands: Commands, event: Recorded[VisitMovedAway]) -> None:
    """Who is not there any more may have moved out, and a unit may be closed: somebody decides."""
    it = event.data
    changes = {"presence": Presence.MOVED_OUT} if it.of == PEOPLE else {"closed": True}
    await _found(commands, it.visit, it.of, it.thing, changes, it.worker, it.at)


async def _found(
    commands: Commands, visit: str, of: str, thing: str, changes: Mapping[str, Any], worker: str, at: datetime
) -> None:
    rule = NEWEST if await _keeps(commands, worker, at) else ASK
    source = f"visit-{visit}"
    with suppress(Erased):  # in the meantime
        if of == PEOPLE:
            person, _ = await commands.load(PERSON, thing)
            await commands.execute(PERSON, thing, _register(person.known(), changes, source, rule))
        elif of == UNITS:
            unit, _ = await commands.load(UNIT, thing)
            if unit.facts:
                await commands.execute(UNIT, thing, _register(unit.facts, changes, source, rule))


async def _keeps(commands: Commands, worker: str, at: datetime) -> bool:
    lists = await Authority(commands.db).anew()
    return granted(lists, KEEP, Caller(worker), at) is not None


def _register(known: F, changes: Mapping[str, Any], source: str, rule: str) -> Register[F]:
    """What the visit says: the fields that are otherwise, or all of them as they are."""
    about_the_entry = dict.fromkeys(Facts.model_fields)
    plain = known.model_dump() | dict(changes) | {name: Facts.model_fields[name].default for name in about_the_entry}
    facts = type(known).model_validate(plain | {"source": source})
    return Register(facts, frozenset(changes) or None, dict.fromkeys(changes, rule))
