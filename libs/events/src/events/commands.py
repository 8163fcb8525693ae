"""Executing commands: load, decide, append; again on a conflict; once for each idempotency key."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from opentelemetry import trace

from events import store, telemetry
from events.aggregate import Aggregate, Refused
from events.clock import Clock
from events.event import Event, Json, Position, Raw, Recorded
from events.freshness import Token, wait_for
from events.policy import Cancel, Timer
from events.privacy.data import Answer, Change, Erased, PersonalData
from events.privacy.sealing import PersonKey, is_sealed
from events.read_model import Pool, ReadModel
from events.service import Service
from events.store import Appending, Conflict, Context, Encoded, Fired, Key, KeysMade, KeyUsed, TimerChange
from events.telemetry import current_traceparent
from events.together import Together
from events.wake import Wake

S = TypeVar("S")
C = TypeVar("C")
View = Callable[[Any, int], Json]
NO_KEYS: Mapping[str, PersonKey] = {}

ATTEMPTS = 5
"""How often a command that nobody expects a version of is decided anew when others change the stream."""


class NotFound(Refused):
    """There is no such thing: the command needs a stream that exists."""

    reason = "not-found"


class VersionMismatch(Refused):
    """The caller decided on another version than the present one (`If-Match`)."""

    reason = "version-mismatch"


class KeyMismatch(Refused):
    """The idempotency key was used before, for something else."""

    reason = "idempotency-key-reused"


@dataclass(frozen=True, slots=True)
class Done(Generic[S]):
    """What came of a command. `outcome` is what the view made of the state (or made then, if `repeated`)."""

    state: S
    version: int
    events: tuple[Event, ...]
    token: Token | None
    outcome: Json | None = None
    repeated: bool = False


@dataclass
class Commands:
    """Executes commands on behalf of somebody, for a reason: a request, an event, or a timer.

    `db` serves queries of this service's read models; `clock` is the trade's time. In a reaction to an event
    each command gets a key by itself, so that a second run of the reaction changes nothing. What a timer led to goes
    in one transaction with the timer, so a timer's handler executes one command.
    """

    service: Service
    db: Pool
    clock: Clock
    wake: Wake
    load_together: Together[str, Sequence[Raw]]
    load_with_keys_together: Together[str, Sequence[Raw]]
    append_together: Together[Appending, Position]
    personal: PersonalData
    context: Context = field(default_factory=Context)
    partitions: int = 12
    prefix: str = "commongrid"
    key_seed: str | None = None
    fired: Fired | None = None
    _keyed: Counter[str] = field(default_factory=Counter[str])

    def by(self, context: Context) -> "Commands":
        """The same, on behalf of somebody else."""
        other = copy(self)
        other.context, other._keyed = context, Counter()
        return other

    async def load(self, aggregate: Aggregate[S, C], id: object) -> tuple[S, int]:
        """The present state of a thing and its version; version 0 if there is none."""
        state, version, _ = await self._load(aggregate, id)
        return state, version

    async def _load(self, aggregate: Aggregate[S, C], id: object) -> tuple[S, int, Mapping[str, PersonKey]]:
        """The same, with the keys of those whom the state may tell of."""
        stream = aggregate.stream(id)
        tells_of_somebody = any(cls.personal for cls in aggregate.events)
        loaded = await (self.load_with_keys_together if tells_of_somebody else self.load_together)(stream)
        history = await self.personal.open_history(loaded)
        return aggregate.fold(map(self.service.catalogue.decode, history.raws)), len(loaded), history.keys

    async def history(self, aggregate: Aggregate[S, C], id: object) -> list[Recorded[Event]]:
        """What has happened to a thing, first to last."""
        decode = self.service.catalogue.decode
        raws = await self.personal.open(await store.load(self.db, aggregate.stream(id)))
        return [Recorded(decode(raw), raw) for raw in raws]

    async def execute(
        self,
        aggregate: Aggregate[S, C],
        id: object,
        command: C,
        *,
        new: bool = False,
        expected: int | None = None,
        key: Key | None = None,
        view: View | None = None,
        permit: Callable[[S], None] | None = None,
    ) -> Done[S]:
        """Decides the command on the thing's present state and appends what follows.

        `new` says that the thing does not exist yet, and spares the load. `expected` is the version that the caller
        has seen. `permit` looks at a thing that exists before anything is decided, and raises what is to be raised if
        it is not for the caller to change. With `key`, a repetition changes nothing and gives the first outcome.
        Commands of reactions and timers are given keys by themselves.

        Raises whatever `decide` raises (a subclass of Refused), VersionMismatch, KeyMismatch, Erased, Conflict (after
        several attempts), TimerGone; VaultAway where the key-encryption keys cannot be had.
        """
        key = key or self._derived_key(aggregate.stream(id))
        with telemetry.command(type(command).__name__, aggregate.stream(id)):
            try:
                return await self._decide_and_append(aggregate, id, command, new, expected, key, view, permit)
            except (KeyUsed, Refused, Conflict):
                # On what the first run left, a repetition may well be refused: look it up first.
                if key and (done := await self._earlier(aggregate, id, key, view)):
                    return done
                raise

    async def _decide_and_append(
        self,
        aggregate: Aggregate[S, C],
        id: object,
        command: C,
        new: bool,
        expected: int | None,
        key: Key | None,
        view: View | None,
        permit: Callable[[S], None] | None,
    ) -> Done[S]:
        stream = aggregate.stream(id)
        for attempt in range(1, ATTEMPTS + 1):
            state, version, keys = (aggregate.initial, 0, NO_KEYS) if new else await self._load(aggregate, id)
            if permit and version:
                permit(state)
            if expected is not None and expected != version:
                raise VersionMismatch(
                    f"this is version {version} now, you decided on version {expected}; look at it again",
                    current=version,
                )
            events = tuple(aggregate.decide(state, command))
            after = aggregate.fold(events, state)
            outcome = view(after, version + len(events)) if view else None
            if not events:
                if key and (done := await self._earlier(aggregate, id, key, view)):
                    return done
                return Done(after, version, (), None, outcome)
            try:
                position = await self._append([Change(stream, version, events)], key, outcome, keys)
            except Conflict:
                if new or attempt == ATTEMPTS:
                    raise
                continue
            return Done(after, version + len(events), events, self._token(stream, position), outcome)
        raise AssertionError("unreachable")

    async def execute_many(
        self, aggregate: Aggregate[S, C], commands: Mapping[str, C], *, append: bool = True
    ) -> dict[str, Done[S] | Refused]:
        """Decides one command for each of many things (by id) and appends all that follows in one transaction.

        What is refused is returned as such, and stops nothing else. For imports: made for hundreds at a time. Without
        `append` nothing happens: the answers say what would, and have no tokens.
        """
        for attempt in range(1, ATTEMPTS + 1):
            histories = await self._histories([aggregate.stream(id_) for id_ in commands])
            answers: dict[str, Done[S] | Refused] = {}
            changes: list[Change] = []
            for id_, command in commands.items():
                stream = aggregate.stream(id_)
                history: Sequence[Raw] = histories.get(stream, ())
                state = aggregate.fold(map(self.service.catalogue.decode, history))
                try:
                    events = tuple(aggregate.decide(state, command))
                except Refused as refused:
                    answers[id_] = refused
                    continue
                answers[id_] = Done(aggregate.fold(events, state), len(history) + len(events), events, None)
                if events:
                    changes.append(Change(stream, len(history), events))
            erased = await self.personal.erased(changes)
            for id_ in commands:
                if aggregate.stream(id_) in erased:
                    answers[id_] = Erased()
            changes = [change for change in changes if change.stream not in erased]
            if not changes or not append:
                return answers
            try:
                position = await self._append(changes)
            except Conflict:
                if attempt == ATTEMPTS:
                    raise
                continue
            return {
                id_: Done(done.state, done.version, done.events, self._token(aggregate.stream(id_), position))
                if isinstance(done, Done) and done.events
                else done
                for id_, done in answers.items()
            }
        raise AssertionError("unreachable")

    async def caught_up(self, read_model: ReadModel, seconds: float = 5.0) -> None:
        """Waits until the read model shows all that this service's own store holds now. Raises NotYet."""
        row = await self.db.fetchrow(
            """select incarnation, tx, position, stream from log.events
               order by incarnation desc, tx desc, position desc limit 1"""
        )
        if row:
            token = self._token(row["stream"], Position(row["incarnation"], row["tx"], row["position"]))
            await self.wait_for(token, read_model, seconds)

    async def wait_for(self, token: Token, read_model: ReadModel, seconds: float = 5.0) -> None:
        """Waits until the read model shows what the token's writer wrote. Raises NotYet after `seconds`."""
        await wait_for(self.db, self.service, read_model, token, self.prefix, self.partitions, seconds)

    async def _histories(self, streams: Sequence[str]) -> dict[str, list[Raw]]:
        """The events of several streams, in the open."""
        loaded = await store.load_many(self.db, streams)
        histories: dict[str, list[Raw]] = {}
        for raw in await self.personal.open([raw for raws in loaded.values() for raw in raws]):
            histories.setdefault(raw.stream, []).append(raw)
        return histories

    async def _append(
        self,
        changes: Sequence[Change],
        key: Key | None = None,
        outcome: Json | None = None,
        keys: Mapping[str, PersonKey] = NO_KEYS,
    ) -> Position:
        """Seals and appends. `keys` are those of whom the outcome may tell, beside those whose data is appended."""
        for attempt in range(ATTEMPTS):
            material = await self.personal.material(changes, optimistic=attempt == 0)
            appending = Appending(
                store.trace_of(self.context, current_traceparent()), key, outcome, self.fired, new_keys=material.new
            )
            for change in changes:
                appending.add(*change, material.keys)
            appending.timers = self._timers_of(appending.events)
            if key and outcome is not None and (told_of := {**keys, **material.keys}):
                answer = Answer(key.fingerprint, outcome)
                appending.key = Key(key.value)  # a hash of what was asked could be guessed at
                appending.outcome = self.personal.seal_answer(told_of, key.value, answer)
            asked_at = self.personal.keys.now()
            try:
                position = await self.append_together(appending)
            except KeysMade:
                continue
            self.personal.keys.remember(asked_at, material)
            self.fired = None
            self.wake.appended()
            return position
        raise Conflict

    def _timers_of(self, events: Sequence[Encoded]) -> list[TimerChange]:
        changes: list[TimerChange] = []
        for policy in self.service.policies:
            for it in events:
                rule = policy.timer_rules.get(type(it.event))
                match rule(it.event) if rule else None:
                    case Timer(name, due):
                        changes.append(TimerChange(policy.name, it.stream, name, due, f"{it.stream}/{it.version}"))
                    case Cancel(name):
                        changes.append(TimerChange(policy.name, it.stream, name, None, f"{it.stream}/{it.version}"))
                    case None:
                        pass
        return list({(c.policy, c.stream, c.name): c for c in changes}.values())  # the last word on each timer

    def _token(self, stream: str, position: Position) -> Token:
        return Token(self.service.name, stream, position)

    def _derived_key(self, stream: str) -> Key | None:
        """Counted for each stream: a second run may find other things, or find them in another order."""
        if self.key_seed is None:
            return None
        self._keyed[stream] += 1
        return Key(f"{self.key_seed}:{stream}:{self._keyed[stream]}")

    async def _earlier(self, aggregate: Aggregate[S, C], id: object, key: Key, view: View | None) -> Done[S] | None:
        found = await store.earlier(self.db, key)
        if found is None:
            return None
        answer: Answer | None = Answer(found.fingerprint, found.outcome)
        if is_sealed(found.outcome):
            answer = await self.personal.open_answer(key.value, found.outcome)
        if answer and answer.fingerprint != key.fingerprint:
            raise KeyMismatch(
                "this Idempotency-Key was used before for another request; use a new key for a new request"
            )
        trace.get_current_span().set_attribute("commongrid.repeated", True)
        state, version = await self.load(aggregate, found.stream.partition("-")[2])
        now = view(state, version) if view else None  # what can be said, if somebody that it told of was erased since
        outcome = answer.outcome if answer else now
        return Done(state, version, (), self._token(found.stream, found.position), outcome, repeated=True)
