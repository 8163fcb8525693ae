"""An event's personal fields, sealed on the way into the store and opened on the way out. Pure: keys are passed in.

Each value is sealed as JSON, for the very place where it stands: type, stream, version and field. What tells nothing
(None, an empty text, the value for the erased) stays as it is. A value that is not sealed stays, too: events of a time
before their field was declared personal remain readable.
"""

from collections.abc import Container, Iterable, Mapping
from os import urandom
from typing import TYPE_CHECKING, Any

import orjson

from events.privacy.sealing import PersonKey, Random, Sealed, parsed

if TYPE_CHECKING:
    from events.event import Event, Raw

Json = dict[str, Any]
Keys = Mapping[str, PersonKey]


def place(type_name: str, stream: str, version: int, field: str) -> str:
    """Where a value stands. No part can hold the NUL that parts them: Postgres takes none."""
    return f"{type_name}\0{stream}\0{version}\0{field}"


def subjects_of(event: "Event", stream: str) -> set[str]:
    """Whose data the event holds."""
    values = event.__dict__
    return {it.subject(values, stream) for it in event.personal.values() if it.tells(values[it.name])}


def seal_event(event: "Event", stream: str, version: int, keys: Keys, random: Random = urandom) -> str:
    """The event's data as it is stored and sent, its personal fields sealed. Needs the keys of `subjects_of`."""
    data = event.model_dump(mode="json")
    where = place(event.type_name, stream, version, "")
    for name, it in event.personal.items():
        value = data[name]
        if it.tells(value):
            data[name] = keys[it.subject(data, stream)].seal(where + name, orjson.dumps(value), random)
    return orjson.dumps(data).decode()


class SealedEvent:
    """An event's data with what in it is sealed."""

    __slots__ = ("_blanks", "_data", "_found", "raw")

    def __init__(self, raw: "Raw", blanks: Mapping[str, Any]) -> None:
        """`blanks` names the fields that are personal in events of this type, with the values for the erased."""
        self.raw = raw
        self._blanks = blanks
        self._data: Json = orjson.loads(raw.data)
        value = self._data.get
        self._found: list[tuple[str, Sealed]] = [(name, it) for name in blanks if (it := parsed(value(name)))]

    @property
    def subjects(self) -> Iterable[str]:
        """Whose keys it takes to read it."""
        return {sealed.subject for _, sealed in self._found}

    def opened(self, keys: Mapping[str, PersonKey | None], seen: Container[str] | None = None) -> "Raw":
        """The event with its data in the open, and `erased` naming what cannot be read any more, or is not among the
        fields that are to be `seen` (None: all). Raises DoesNotOpen."""
        if not self._found:
            return self.raw
        raw, data = self.raw, self._data
        where = place(raw.type, raw.stream, raw.version, "")
        erased: list[str] = []
        for name, sealed in self._found:
            key = keys.get(sealed.subject) if seen is None or name in seen else None
            if key is None or key.id != sealed.key_id:
                data[name] = self._blanks[name]
                erased.append(name)
            else:
                data[name] = orjson.Fragment(key.open(where + name, sealed))
        return raw._replace(data=orjson.dumps(data), erased=frozenset(erased))
