"""Events as values: what happened, and what the log knows about it.

An event is a frozen pydantic model with a type name in the past tense. It is data for ever, so old
types stay readable: the newest class declares how older ones are read (`upcasts`). A `Recorded` event
adds what the log knows: its stream, version and position, who caused it, and the trace it belongs to.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, cast

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter

from events.privacy.blind_index import blind_index
from events.privacy.fields import PersonalField, personal, personal_fields

__all__ = ["personal"]  # where events are written, this is what marks a field

Json = dict[str, Any]
Upcaster = Callable[[Json], Json]
E = TypeVar("E", bound="Event")
E_co = TypeVar("E_co", bound="Event", covariant=True)


class Event(BaseModel):
    """Base of every event. Subclass with the published type name, and say how older types are read:

        class CaseReported(Event, type="commongrid.grid_tasks.case.reported.v2",
                           upcasts={"commongrid.grid_tasks.case.reported.v1": add_source}): ...

    An upcaster takes the older type's JSON object and returns this type's; it must be pure. Personal fields come to it
    in the open: those that this class declares, and, under other names, those that `sealed_before` gives with their
    values for the erased: {"….v1": {"full_name": ""}}.
    Unknown properties are ignored, so that a producer may add optional ones.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    type_name: ClassVar[str]
    upcasts: ClassVar[Mapping[str, Upcaster]]
    personal: ClassVar[Mapping[str, PersonalField]]
    """The fields that name or locate a person."""
    sealed_before: ClassVar[Mapping[str, Mapping[str, Any]]]

    def __init_subclass__(
        cls,
        *,
        type: str = "",
        upcasts: Mapping[str, Upcaster] | None = None,
        sealed_before: Mapping[str, Mapping[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:  # `type` shadows the builtin, as it does in CloudEvents
        super().__init_subclass__(**kwargs)
        if type:
            if len(type.split(".")) != 5:
                raise TypeError(
                    f"event type {type!r} of {cls.__name__} is not commongrid.<service>.<aggregate>.<past tense>.vN"
                )
            cls.type_name = type
            cls.upcasts = dict(upcasts or {})
            cls.sealed_before = dict(sealed_before or {})

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.personal = personal_fields(cls)


def service_of(type_name: str) -> str:
    """The service that publishes this event type: `registry` of `commongrid.registry.grid.drawn.v1`."""
    return type_name.split(".")[1]


def aggregate_of(type_name: str) -> str:
    """The aggregate kind that this event type belongs to: `grid` of `commongrid.registry.grid.drawn.v1`."""
    return type_name.split(".")[2]


class Position(NamedTuple):
    """Where an event stands in its store, in the order in which every reader is given events.

    `incarnation` is raised when a store is brought back from a backup; `tx` is the id of the writing
    transaction; `number` counts within it. Compare positions of one store only.
    """

    incarnation: int
    tx: int
    number: int

    def __str__(self) -> str:
        return f"{self.incarnation}.{self.tx}.{self.number}"

    @classmethod
    def parse(cls, text: str | bytes) -> "Position":
        """Reads `1.8123.45`; raises ValueError on anything else."""
        incarnation, tx, number = map(int, text.split(b"." if isinstance(text, bytes) else "."))  # type: ignore[arg-type]
        if not (0 <= incarnation < 2**31 and 0 <= tx < 2**64 and 0 <= number < 2**63):
            raise ValueError("no store has such a position")
        return cls(incarnation, tx, number)


START = Position(0, 0, 0)


class Raw(NamedTuple):
    """An event as it is stored and sent: metadata, and its data as undecoded JSON. Its personal fields are sealed until
    `PersonalData.open` has opened them; `erased` then names those that nobody can read any more."""

    position: Position
    stream: str
    version: int
    type: str
    data: bytes
    recorded_at: datetime
    actor: str | None = None
    correlation: str | None = None
    causation: str | None = None
    traceparent: str | None = None
    erased: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Unique in its service: the stream and the version in it."""
        return f"{self.stream}/{self.version}"


@dataclass(frozen=True, slots=True)
class Recorded(Generic[E_co]):
    """A decoded event with what the log knows about it."""

    data: E_co
    raw: Raw

    @property
    def id(self) -> str:
        """Unique in its service: the stream and the version in it, `case-0199…/3`."""
        return self.raw.id

    @property
    def stream(self) -> str:
        return self.raw.stream

    @property
    def version(self) -> int:
        return self.raw.version

    @property
    def recorded_at(self) -> datetime:
        """When the store took it (the machine's time, not the trade's)."""
        return self.raw.recorded_at

    @property
    def erased(self) -> frozenset[str]:
        """The personal fields that cannot be read any more: what stands there is the value for the erased."""
        return self.raw.erased


class UnknownEventType(LookupError):
    def __init__(self, type_name: str) -> None:
        super().__init__(
            f"no class reads events of type {type_name}: list one in an aggregate's events, or give one `upcasts`"
        )


class Catalogue:
    """Which class reads which event type, older types included. TypeError where two classes read the same."""

    def __init__(self, classes: Iterable[type[Event]]) -> None:
        self._readers: dict[str, tuple[type[Event], Upcaster | None]] = {}
        self._personal: dict[str, Mapping[str, Any]] = {}
        for cls in classes:
            self._add(cls.type_name, cls, None)
            for older, upcast in cls.upcasts.items():
                self._add(older, cls, upcast)

    def _add(self, type_name: str, cls: type[Event], upcast: Upcaster | None) -> None:
        other, _ = self._readers.setdefault(type_name, (cls, upcast))
        if other is not cls:
            raise TypeError(f"{other.__name__} and {cls.__name__} both read {type_name}; give it to one of them")
        blanks = {it.name: it.blank for it in cls.personal.values()} | dict(cls.sealed_before.get(type_name, {}))
        if blanks:
            self._personal[type_name] = blanks

    def __contains__(self, type_name: str) -> bool:
        return type_name in self._readers

    def class_of(self, type_name: str) -> type[Event]:
        """The class that reads this type; raises UnknownEventType."""
        try:
            return self._readers[type_name][0]
        except KeyError:
            raise UnknownEventType(type_name) from None

    def personal(self, type_name: str) -> Mapping[str, Any]:
        """The fields that may be sealed in events of this type, with their values for the erased; none where nobody
        reads it."""
        return self._personal.get(type_name, {})

    def json_of(self, raw: Raw) -> Json:
        """The event's JSON object, in the shape of the newest type."""
        self.class_of(raw.type)
        upcast = self._readers[raw.type][1]
        value: Json = orjson.loads(raw.data)
        return upcast(value) if upcast else value

    def decode(self, raw: Raw) -> Event:
        """The event itself; raises UnknownEventType or pydantic's ValidationError."""
        cls, upcast = self._readers.get(raw.type) or (self.class_of(raw.type), None)
        if upcast is None:
            return cls.model_validate_json(raw.data)
        return cls.model_validate(upcast(orjson.loads(raw.data)))


def encode(event: Event) -> str:
    """The event's data as compact JSON, Chinese left as it is, and nothing sealed."""
    return event.model_dump_json()


@cache
def _column_reader(cls: type[Event], name: str) -> tuple[TypeAdapter[list[Any]], Any]:
    info = cls.model_fields[name]
    annotation = Any if info.annotation is None else info.annotation
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    return TypeAdapter[list[Any]](list.__class_getitem__(annotation)), default  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, slots=True)
class Batch(Generic[E_co]):
    """Events of one class, in an order that keeps each stream's own. Iterate it, or take columns for SQL."""

    cls: type[E_co]
    raws: Sequence[Raw]
    catalogue: Catalogue
    index_key: bytes | None = field(default=None, repr=False)
    _json: list[Json] = field(default_factory=list[Json], init=False, repr=False)

    def __len__(self) -> int:
        return len(self.raws)

    def __iter__(self) -> Iterator[Recorded[E_co]]:
        decode = cast("Callable[[Raw], E_co]", self.catalogue.decode)
        return (Recorded(decode(raw), raw) for raw in self.raws)

    def column(self, name: str) -> list[Any]:
        """One field of all events, typed as the event declares it: for `unnest($1::text[])`."""
        if not self._json:
            self._json.extend(map(self.catalogue.json_of, self.raws))
        adapter, default = _column_reader(self.cls, name)
        return adapter.validate_python([data.get(name, default) for data in self._json])

    def blind_index(self, name: str) -> list[bytes | None]:
        """What to look up the values of a personal field by (see `events.privacy.blind_index`), None where there is
        none; only for a read model that is to see personal fields, in the service that keeps their keys."""
        if self.index_key is None:
            raise TypeError(f"there is no key to index {name} with: the read model must be personal=True, indexed=True")
        return [blind_index(self.index_key, name, it) if it else None for it in self.column(name)]

    @property
    def streams(self) -> list[str]:
        """The stream of each event."""
        return [raw.stream for raw in self.raws]
