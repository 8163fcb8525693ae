"""What the kernel calls: keys first, fetched for a whole batch, then its events opened or sealed without waiting."""

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from typing import NamedTuple, cast

import orjson

from events.aggregate import Refused
from events.event import Catalogue, Event, Json, Raw, service_of
from events.privacy.codec import SealedEvent, subjects_of
from events.privacy.keys import Keys, Material, PersonKeys
from events.privacy.sealing import DoesNotOpen, PersonKey, parsed

ForeignKeys = Mapping[str, Keys]
"""Where the keys of other services' events come from, by the name of the service that keeps them."""


class Erased(Refused):
    """Whose data it would hold is erased: nothing more is recorded of them but what stands for the erased."""

    reason = "erased"

    def __init__(self) -> None:
        super().__init__("who this is about was erased, and nothing more can be recorded of them")


class Change(NamedTuple):
    """What a command adds to one stream, after this version of it."""

    stream: str
    version: int
    events: Sequence[Event]

    @property
    def subjects(self) -> set[str]:
        """Whose data it holds."""
        return {subject for event in self.events if event.personal for subject in subjects_of(event, self.stream)}


class History(NamedTuple):
    """A stream's events in the open, and the living keys that it took to read them."""

    raws: Sequence[Raw]
    keys: Mapping[str, PersonKey]


class Answer(NamedTuple):
    """What a command was answered, with the fingerprint of what was asked."""

    fingerprint: bytes
    outcome: Json | None


class PersonalData:
    """Opens and seals the events of one service, and opens others' where their keys are to be had."""

    def __init__(self, service: str, catalogue: Catalogue, own: PersonKeys, foreign: ForeignKeys | None = None) -> None:
        self._catalogue = catalogue
        self._own = service
        self.keys = own
        self._foreign: ForeignKeys = foreign or {}
        self._seen: frozenset[str] | None = None

    def unseen(self) -> "PersonalData":
        """The same for whoever is to see nobody: all personal fields read as erased, and no key is asked for."""
        return PersonalData("", self._catalogue, self.keys)

    def seeing(self, fields: Collection[str]) -> "PersonalData":
        """The same for whoever is to see some fields: the others read as erased."""
        some = copy(self)
        some._seen = frozenset(fields)
        return some

    async def open(self, raws: Sequence[Raw], catalogue: Catalogue | None = None) -> Sequence[Raw]:
        """The events with their personal fields in the open, as far as there are keys: the rest reads as erased.
        Raises DoesNotOpen where a sealed value was moved or changed, KeysAway, VaultAway."""
        return [_or_raise(it) for it in await self.open_each(raws, catalogue)]

    async def open_each(self, raws: Sequence[Raw], catalogue: Catalogue | None = None) -> Sequence[Raw | DoesNotOpen]:
        """The same, with what does not open in its place. Raises KeysAway or VaultAway."""
        sealed = _sealed(raws, catalogue or self._catalogue)
        if not sealed:
            return raws
        keys = await self._keys(sealed.values())
        opened: list[Raw | DoesNotOpen] = list(raws)
        for place, it in sealed.items():
            try:
                opened[place] = it.opened(keys[service_of(it.raw.type)], self._seen)
            except DoesNotOpen as error:
                opened[place] = error
        return opened

    async def open_history(self, raws: Sequence[Raw]) -> History:
        """A stream of this service. Raises DoesNotOpen or VaultAway."""
        sealed = _sealed(raws, self._catalogue)
        if not sealed:
            return History(raws, {})
        keys = (await self._keys(sealed.values()))[self._own]
        opened = [it.opened(keys) if (it := sealed.get(place)) else raw for place, raw in enumerate(raws)]
        return History(opened, {subject: key for subject, key in keys.items() if key})

    async def _keys(self, sealed: Collection[SealedEvent]) -> dict[str, Mapping[str, PersonKey | None]]:
        """The keys that these events take, by the service that keeps them."""
        asked: dict[str, set[str]] = {}
        for it in sealed:
            asked.setdefault(service_of(it.raw.type), set()).update(it.subjects)
        keys: dict[str, Mapping[str, PersonKey | None]] = {}
        for owner, subjects in asked.items():
            source = self.keys if owner == self._own else self._foreign.get(owner)
            keys[owner] = await source.obtain(subjects) if source and subjects else {}
        return keys

    async def material(self, changes: Sequence[Change], *, optimistic: bool) -> Material:
        """What it takes to seal these. Raises Erased, VaultAway or NoVault.

        `optimistic`: what a new stream's own events hold needs a key of its own, which nobody has made before.
        """
        subjects = {subject for change in changes for subject in change.subjects}
        if not subjects:
            return NOTHING
        new = {change.stream for change in changes if change.version == 0} & subjects if optimistic else ()
        material = await self.keys.material(subjects, new)
        if material.erased:
            raise Erased
        return material

    async def erased(self, changes: Sequence[Change]) -> set[str]:
        """The streams of those changes that hold data of somebody erased."""
        subjects = {change.stream: them for change in changes if (them := change.subjects)}
        erased = await self.keys.erased({it for them in subjects.values() for it in them})
        return {stream for stream, them in subjects.items() if them & erased}

    def seal_answer(self, keys: Mapping[str, PersonKey], key: str, answer: Answer) -> str:
        """The answer to the command with this idempotency key, sealed for each of those it may tell of: it can be read
        as long as none of them is erased."""
        fingerprint = b64encode(answer.fingerprint).decode()
        value: object = {"fingerprint": fingerprint, "outcome": answer.outcome}
        for _, person in sorted(keys.items()):
            value = person.seal(_place_of_answer(key), orjson.dumps(value))
        return str(value)

    async def open_answer(self, key: str, outcome: object) -> Answer | None:
        """What `seal_answer` sealed; None if somebody that it may tell of was erased."""
        value: object = outcome
        while it := parsed(value):
            person = (await self.keys.obtain((it.subject,)))[it.subject]
            if person is None or person.id != it.key_id:
                return None
            value = orjson.loads(person.open(_place_of_answer(key), it))
        answer = cast("Json", value)
        return Answer(b64decode(answer["fingerprint"]), answer["outcome"])


NOTHING = Material({}, {}, ())


def _sealed(raws: Sequence[Raw], catalogue: Catalogue) -> dict[int, SealedEvent]:
    """Those among them that may hold something sealed, by their place."""
    sealed: dict[int, SealedEvent] = {}
    for place, raw in enumerate(raws):
        if blanks := catalogue.personal(raw.type):
            try:
                sealed[place] = SealedEvent(raw, blanks)
            except (orjson.JSONDecodeError, AttributeError):
                continue  # no event at all: whoever decodes it will say so
    return sealed


def _or_raise(it: Raw | DoesNotOpen) -> Raw:
    if isinstance(it, DoesNotOpen):
        raise it
    return it


def _place_of_answer(key: str) -> str:
    return f"answer\0{key}"
