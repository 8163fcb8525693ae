"""Loads and appends of many commands, each group in one query: see `together`."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from events import store
from events.event import Position, Raw
from events.privacy.keys import PersonKeys
from events.privacy.vault import DoesNotUnwrap, VaultAway
from events.read_model import Pool
from events.store import Appending, Conflict, KeysMade, KeyUsed, TimerGone
from events.together import Together


def loads(db: Pool) -> Together[str, Sequence[Raw]]:
    """Loads streams: the events of each, first to last; none if there is no such stream."""

    async def load(streams: Sequence[str]) -> Sequence[Sequence[Raw]]:
        found = await store.load_many(db, streams)
        return [found.get(stream, ()) for stream in streams]

    return Together(load)


def loads_with_keys(db: Pool, keys: PersonKeys) -> Together[str, Sequence[Raw]]:
    """The same, for streams that may tell of a person: their keys are known then, if the vault answers."""

    async def load(streams: Sequence[str]) -> Sequence[Sequence[Raw]]:
        asked_at = keys.now()
        found, wrapped = await store.load_with_keys(db, streams)
        with suppress(VaultAway, DoesNotUnwrap):  # whoever needs that one will ask for it, and be told
            await keys.learn(asked_at, wrapped)
        return [found.get(stream, ()) for stream in streams]

    return Together(load)


def appends(db: Pool) -> Together[Appending, Position]:
    """Appends as `store.append` does, and answers with the position of each one's last event."""

    async def append(appendings: Sequence[Appending]) -> Sequence[Position]:
        return await store.append(db, appendings)

    def touches(appending: Appending) -> Iterable[str]:
        yield from appending.expected
        if appending.key:
            yield f"key {appending.key.value}"
        for subject in appending.new_keys:
            yield f"person {subject}"

    return Together(append, touches, (Conflict, KeysMade, KeyUsed, TimerGone))
