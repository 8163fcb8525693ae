"""What must hold, whatever was killed: pure functions from what was seen, and what clients were told, to complaints."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from expected import shown, told
from looking import Fact, Messages, Store
from notes import Notes


class Kind(StrEnum):
    """What is wrong."""

    LOST = "lost"
    DOUBLED = "doubled"
    OUT_OF_ORDER = "out of order"
    UNASKED = "unasked"
    """Something stands there that nobody did."""
    READ_MODEL = "read model"
    PARKED = "parked"
    BROKEN = "broken"
    """Something did not come back."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that must not be."""

    kind: Kind
    what: str


@dataclass
class Seen:
    """All that was looked at in one round, by service."""

    stores: dict[str, Store]
    messages: Messages
    mails: Counter[str] = field(default_factory=Counter[str])
    """By the id of the notification."""
    webhooks: Counter[str] = field(default_factory=Counter[str])
    beforehand: Counter[str] = field(default_factory=Counter[str])
    """Events by type that stood there before the first command."""


def complaints(seen: Seen, notes: Notes) -> list[Complaint]:
    """Everything that is wrong."""
    found: list[Complaint] = []
    for service, store in seen.stores.items():
        found += whole(service, store.facts)
        found += acknowledged_once(service, store, notes, seen.beforehand)
        found += on_topics(service, store.facts, seen.messages)
        found += [Complaint(Kind.PARKED, f"{service}: {what}") for what in store.parked]
    if any(whole(service, store.facts) for service, store in seen.stores.items()):
        return found  # nothing can be worked out from half a history
    found += read_models(seen)
    found += policies(seen)
    found += messages_outside(seen)
    return found


def whole(service: str, facts: Iterable[Fact]) -> list[Complaint]:
    """Each stream has its versions 1..n, once, in the order of positions."""
    found: list[Complaint] = []
    streams: dict[str, list[int]] = defaultdict(list)
    for fact in sorted(facts, key=lambda fact: fact.position):
        streams[fact.stream].append(fact.version)
    for stream, versions in streams.items():
        right = list(range(1, max(versions) + 1))
        if missing := sorted(set(right) - set(versions)):
            found.append(Complaint(Kind.LOST, f"{service}: {stream} has no version {missing}"))
        elif len(versions) > len(right):
            found.append(Complaint(Kind.DOUBLED, f"{service}: {stream} has versions {versions}"))
        elif versions != right:
            found.append(Complaint(Kind.OUT_OF_ORDER, f"{service}: {stream} has versions {versions}"))
    return found


def acknowledged_once(service: str, store: Store, notes: Notes, beforehand: Mapping[str, int]) -> list[Complaint]:
    """Each acknowledged command is in the store with its event and its key, and nothing that no command asked for."""
    found: list[Complaint] = []
    facts = {(fact.stream, fact.version): fact for fact in store.facts}
    positions = {fact.position for fact in store.facts}
    promised: Counter[tuple[str, int]] = Counter()
    asked: Counter[str] = Counter()
    for nth, it in enumerate(notes.of(service)):
        fact = facts.get((it.stream, it.version))
        promised[it.stream, it.version] += 1
        asked[it.type] += 1
        if fact is None or fact.type != it.type:
            stands = fact.type if fact else "nothing"
            found.append(Complaint(Kind.LOST, f"{service}: {it.stream}/{it.version} {it.type}: {stands} stands there"))
        if it.key is None:
            continue
        kept = store.keys.get(it.key)
        if kept is None and nth >= notes.forgotten[service]:
            found.append(Complaint(Kind.LOST, f"{service}: the key of {it.stream}/{it.version}"))
        if kept and (kept.stream != it.stream or kept.position not in positions):
            found.append(Complaint(Kind.LOST, f"{service}: the key of {it.stream}/{it.version} leads to {kept}"))
    twice = [place for place, count in promised.items() if count > 1]
    found += [Complaint(Kind.LOST, f"{service}: {place} was promised to several commands") for place in twice]
    found += [
        Complaint(Kind.UNASKED, f"{service}: a refused command has taken effect under key {key}")
        for at, key in notes.refused
        if at == service and key in store.keys
    ]
    # What only people do is there as often as they did it.
    done = Counter(fact.type for fact in store.facts if not (fact.actor or "").startswith("policy:"))
    for type_ in asked:
        if done[type_] != asked[type_] + beforehand.get(type_, 0):
            kind = Kind.DOUBLED if done[type_] > asked[type_] + beforehand.get(type_, 0) else Kind.LOST
            found.append(Complaint(kind, f"{service}: {done[type_]} events {type_} by {asked[type_]} commands"))
    return found


def on_topics(service: str, facts: Sequence[Fact], messages: Messages) -> list[Complaint]:
    """Each event is on its topic at least once and unchanged, each stream in order, and nothing else is there."""
    found: list[Complaint] = []
    stored = {(fact.stream, fact.version): fact for fact in facts}
    reached: Counter[str] = Counter()
    for (topic, partition), there in messages.items():
        if topic.split(".")[1] != service:
            continue
        for message in there:
            fact = stored.get((message.stream, message.version))
            if fact is None or (fact.type, fact.data, fact.position) != (message.type, message.data, message.position):
                found.append(
                    Complaint(
                        Kind.UNASKED, f"{topic} {partition}: {message.id} at {message.position} is not the store's"
                    )
                )
            if message.version > reached[message.stream] + 1:
                found.append(Complaint(Kind.OUT_OF_ORDER, f"{topic} {partition}: {message.id} comes too early"))
            reached[message.stream] = max(reached[message.stream], message.version)
    on_them = {(m.stream, m.version) for (topic, _), there in messages.items() if _of(topic, service) for m in there}
    found += [
        Complaint(Kind.LOST, f"{service}: {stream}/{version} is on no topic")
        for stream, version in stored.keys() - on_them
    ]
    return found


def repeats(messages: Messages) -> int:
    """How many messages repeat an earlier one, as they may."""
    return sum(len(there) - len({(m.stream, m.version) for m in there}) for there in messages.values())


def _of(topic: str, service: str) -> bool:
    return topic.split(".")[1] == service


def read_models(seen: Seen) -> list[Complaint]:
    """Each event has taken effect once in each read model that follows it."""
    found: list[Complaint] = []
    for service, models in shown({name: store.facts for name, store in seen.stores.items()}).items():
        if service not in seen.stores:
            continue
        for name, (columns, rows) in models.items():
            there = Counter(tuple(row[column] for column in columns) for row in seen.stores[service].tables[name])
            if there != rows:
                found.append(Complaint(Kind.READ_MODEL, f"{service}: {name} {_differing(columns, there, rows)}"))
    return found


def _differing(columns: Sequence[str], there: Counter[tuple[object, ...]], rows: Counter[tuple[object, ...]]) -> str:
    more, less = list((there - rows).elements()), list((rows - there).elements())
    return f"({', '.join(columns)}): {len(more)} rows are wrong {more[:3]}, {len(less)} are missing {less[:3]}"


def policies(seen: Seen) -> list[Complaint]:
    """What had to follow from an event, in the same or in another service, followed once."""
    facts = {name: store.facts for name, store in seen.stores.items()}
    found: list[Complaint] = []
    steps: dict[str, Counter[str]] = defaultdict(Counter)
    for what, said in told(facts, "grid_tasks", "case"):
        steps[said["case"]][what] += 1
    for case, done in steps.items():
        if done["accepted"] != 1 or not done["dispatched"]:
            kind = Kind.DOUBLED if done["accepted"] > 1 else Kind.LOST
            found.append(Complaint(kind, f"case {case} was accepted {done['accepted']} times, {dict(done)}"))
    if "notifications" in facts:
        found += _everybody_told(facts)
    return found


def _everybody_told(facts: Mapping[str, Sequence[Fact]]) -> list[Complaint]:
    must, may = _notifications(facts)
    requested: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for what, said in told(facts, "notifications", "notification"):
        requested[said["notification"]] += what == "requested"
        ended[said["notification"]] += what in ("delivered", "withdrawn")
    found = [Complaint(Kind.LOST, f"notification {id_} ({must[id_]}) was never asked for") for id_ in must - requested]
    found += [
        Complaint(Kind.UNASKED, f"notification {id_} was asked for without a reason")
        for id_ in requested
        if id_ not in must and id_ not in may
    ]
    for id_, count in requested.items():
        if count != 1 or ended[id_] != 1:
            kind = Kind.DOUBLED if count > 1 or ended[id_] > 1 else Kind.LOST
            found.append(
                Complaint(kind, f"notification {id_} was asked for {count} times, and ended {ended[id_]} times")
            )
    return found


TOLD = {"leader": "grid_leader", "instructor": "grid_instructor", "officer_or_secretary": "community_officer"}
"""The post that is told on each rung."""


def _notifications(facts: Mapping[str, Sequence[Fact]]) -> tuple[Counter[str], set[str]]:
    """The ids of the notifications that must be, and of those that may be."""
    contacts = {said["case"]: said["contact"] for what, said in told(facts, "grid_tasks", "case") if what == "reported"}
    must: Counter[str] = Counter()
    may: set[str] = set()
    for fact in facts["grid_tasks"]:
        what, said = fact.type.split(".")[3], fact.json()
        match what:
            case "dispatched" | "sent_back" | "warned":
                recipient, channels = said["worker"], ("email", "webhook")
            case "escalated" if post := TOLD.get(said["rung"]):
                recipient, channels = f"{post}:{said['grid']}", ("email", "webhook")
            case "closed":
                recipient, channels = "reporter", ("email",)
            case _:
                continue
        ids = [sha256(f"{fact.id}\n{recipient}\n{channel}".encode()).hexdigest()[:32] for channel in channels]
        if what == "closed" and not contacts[said["case"]]:
            may.update(ids)
        else:
            must.update(ids)
    return must, may


def messages_outside(seen: Seen) -> list[Complaint]:
    """What was delivered has arrived, and nothing else has. It may arrive again after a crash, by the same id."""
    facts = {name: store.facts for name, store in seen.stores.items()}
    sent: dict[str, set[str]] = {"email": set(), "webhook": set()}
    asked: dict[str, set[str]] = {"email": set(), "webhook": set()}
    for what, said in told(facts, "notifications", "notification"):
        if what == "delivered":
            sent[said["channel"]].add(said["notification"])
        if what == "requested":
            asked[said["channel"]].add(said["notification"])
    found: list[Complaint] = []
    for channel, arrived in (("email", seen.mails), ("webhook", seen.webhooks)):
        lost, unasked = sent[channel] - arrived.keys(), arrived.keys() - asked[channel]
        found += [Complaint(Kind.LOST, f"{channel} {id_} was delivered and never arrived") for id_ in lost]
        found += [Complaint(Kind.UNASKED, f"{channel} {id_} arrived and was never asked for") for id_ in unasked]
    return found
