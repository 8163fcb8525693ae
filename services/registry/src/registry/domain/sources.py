"""Several sources tell of one thing, and do not always agree.

A source is listened to when it says something new: one that only repeats itself does not undo what was put right in the
meantime, however often its old file is brought. Where it says something new and differs, the rule of the field settles
who is believed; what is not believed is on record as disputed, and a person can decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple, TypeVar

from contracts.registry import Confirmed, Disputed, Facts
from events import Event, Refused

from registry.domain.entry import ASK, NEWEST, Register, Rule
from registry.domain.entry import completed as spoken

F = TypeVar("F", bound=Facts)

DECISION = "decision"
"""The source of what a person has decided: it is believed before all others."""

OF_THE_ENTRY = frozenset(Facts.model_fields)


class NotInDispute(Refused):
    """Nobody says otherwise."""

    reason = "not-in-dispute"


class Kinds(NamedTuple):
    """The events of a register."""

    registered: type[Facts]
    changed: type[Facts]
    disputed: type[Disputed]
    confirmed: type[Confirmed]


@dataclass(frozen=True)
class Held(Generic[F]):
    """What the register holds of a thing, what each source said last, and from which source each field is: `first`, but
    for those that `sources` names."""

    facts: F | None = None
    first: str = ""
    said: Mapping[str, F] = field(default_factory=dict[str, F])
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    disputed: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The fields that each source is not believed in."""


def values(facts: Facts, besides: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What is so, without what the entry says of itself, and without the fields that follow from others."""
    return {name: value for name, value in facts if name not in OF_THE_ENTRY and name not in besides}


def completed(held: Held[F], command: Register[F]) -> F:
    """What would be held if the source were believed; since when and who says so it says itself."""
    if held.facts is None or command.said is None:
        return command.facts
    said = command.said | OF_THE_ENTRY
    return spoken(held.facts, replace(command, said=said))


def believes(rule: Rule, source: str, holder: str) -> bool:
    """Whether a source is believed in a field that is held from another one."""
    if source in (holder, DECISION):
        return True
    if rule == NEWEST:
        return True
    if rule == ASK or isinstance(rule, str):
        return False
    return _rank(rule, source) <= _rank(rule, holder)


def _rank(order: tuple[str, ...], source: str) -> int:
    if source == DECISION:
        return -1
    return order.index(source) if source in order else len(order)


def told(
    held: Held[F], command: Register[F], kinds: Kinds, id_field: str, derived: frozenset[str] = frozenset()
) -> Sequence[Event]:
    """What follows from what a source says. `id_field` names the thing's id; `derived` are fields that follow from
    others, and are no reason for an event."""
    facts = completed(held, command)
    if held.facts is None:
        return [kinds.registered(**dict(facts))]
    known, now = values(held.facts, derived), values(facts, derived)
    source = facts.source
    before = held.said.get(source)
    earlier = values(before, derived) if before else {}
    news = {name for name in now if name not in earlier or earlier[name] != now[name]}
    differing = [name for name in now if name in news and known[name] != now[name]]
    believed = [
        name
        for name in differing
        if believes(command.rules.get(name, NEWEST), source, held.sources.get(name, held.first))
    ]
    events: list[Event] = []
    if believed or (not differing and _since_when(held.facts, before, facts)):
        update = {name: getattr(facts, name) for name in (*believed, *OF_THE_ENTRY, *derived)}
        events.append(kinds.changed(**dict(held.facts.model_copy(update=update))))
    if disputed := tuple(name for name in differing if name not in believed):
        events.append(kinds.disputed(**dict(facts), disputed=disputed))
    if not events and not differing and (news or (source == DECISION and held.disputed)):
        events.append(kinds.confirmed(**{id_field: getattr(facts, id_field), "source": source}))
    return events


def _since_when(held: Facts, before: Facts | None, facts: Facts) -> bool:
    """Whether it says, for the first time, since which day it is so."""
    return facts.since not in (None, held.since) and (before is None or before.since != facts.since)


def evolved(held: Held[F], event: Event) -> Held[F]:
    """What is held after an event of its register."""
    new: Any = event
    if isinstance(event, Disputed):
        said = {**held.said, new.source: new}
        return replace(held, said=said, disputed={**held.disputed, new.source: event.disputed})
    if isinstance(event, Confirmed) and held.facts:
        said = {**held.said, event.source: held.facts}
        return replace(held, said=said, disputed=_open_still(held, said, held.facts, event.source))
    if held.facts is None:
        return Held(new, new.source, {new.source: new})
    known = values(held.facts)
    changed = {name: new.source for name, value in values(new).items() if known[name] != value}
    said = {**held.said, new.source: new}
    return Held(new, held.first, said, {**held.sources, **changed}, _open_still(held, said, new, new.source))


def _open_still(held: Held[F], said: Mapping[str, F], now: F, source: str) -> Mapping[str, tuple[str, ...]]:
    """A decision ends all disputes; others end when the register says what their source says."""
    if source == DECISION or not held.disputed:
        return {}
    found = {
        other: tuple(name for name in fields if getattr(said[other], name) != getattr(now, name))
        for other, fields in held.disputed.items()
    }
    return {other: fields for other, fields in found.items() if fields}
