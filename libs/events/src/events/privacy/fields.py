"""Which fields of an event are personal, whose they are, and what stands in their place once that person is erased."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

PERSONAL = "x-personal"


class _Undeclared:
    """No value for the erased was declared."""


_UNDECLARED = _Undeclared()


@dataclass(frozen=True, slots=True)
class Personal:
    """The mark that `personal()` leaves on a field."""

    of: str | None
    kind: str | None
    erased: Any


@dataclass(frozen=True, slots=True)
class PersonalField:
    """A field to be sealed. `blank` is the JSON value that stands for that of somebody erased."""

    name: str
    of: str | None
    kind: str | None
    blank: Any

    def subject(self, data: Mapping[str, Any], stream: str) -> str:
        """Whose it is, as a pseudonym: the thing that `of` names, as its stream is called (`person-P0001`), or the
        event's own stream where it names none, or nobody."""
        if not self.of:
            return stream
        whose = data.get(self.of)
        return f"{self.kind or self.of}-{whose}" if whose else stream

    def tells(self, value: Any) -> bool:
        """Whether there is anything to seal in this value."""
        return value is not None and value != "" and value != self.blank  # no tuple is made: it is asked of each field


def personal(
    *, sealed: bool = True, of: str | None = None, kind: str | None = None, erased: Any = _UNDECLARED, **kwargs: Any
) -> Any:
    """A field that names or locates a person: `name: str = personal()`.

    It is sealed with the key of that person before it reaches the store, unless `sealed` is False: then it is only
    marked. The person is who the event's stream is about, or whom another field names: `of="person"` is person-<value>,
    `of="reporter", kind="person"` too. Once the person is erased, it reads as `erased`; by itself that is None where
    the field may be None, and "" for a text.

    In the published schema it is marked `x-personal`; it is never shown in logs or on the live view.
    """
    info: FieldInfo = Field(json_schema_extra={PERSONAL: True}, **kwargs)
    if sealed:
        info.metadata.append(Personal(of, kind, erased))
    return info


def personal_fields(cls: type[BaseModel]) -> dict[str, PersonalField]:
    """The personal fields of an event's class. Raises TypeError where one is declared so that it could not be kept."""
    found: dict[str, PersonalField] = {}
    for name, info in cls.model_fields.items():
        for inner in _models_in(info.annotation):
            if any(_mark(field) for field in inner.model_fields.values()):
                raise TypeError(
                    f"{cls.__name__}.{name} holds a {inner.__name__} with personal fields, which would not be sealed: "
                    "mark the field of the event instead"
                )
        if mark := _mark(info):
            if mark.of is not None and (mark.of == name or mark.of not in cls.model_fields):
                raise TypeError(f"{cls.__name__}.{name} is of {mark.of}, which is no other field of it")
            if mark.of is not None and (other := cls.model_fields[mark.of]) and _mark(other):
                raise TypeError(f"{cls.__name__}.{name} is of {mark.of}, which is personal itself: name a pseudonym")
            found[name] = PersonalField(name, mark.of, mark.kind, _blank(cls, name, info, mark))
    return found


def _mark(info: FieldInfo) -> Personal | None:
    return next((it for it in info.metadata if isinstance(it, Personal)), None)


def _blank(cls: type[BaseModel], name: str, info: FieldInfo, mark: Personal) -> Any:
    annotation: Any = Annotated[info.annotation, *info.metadata]  # pyright: ignore[reportInvalidTypeForm]
    adapter = TypeAdapter[Any](annotation)
    for value in (None, "") if mark.erased is _UNDECLARED else (mark.erased,):
        try:
            return adapter.dump_python(adapter.validate_python(value), mode="json")
        except ValidationError:
            continue
    raise TypeError(
        f"{cls.__name__}.{name} needs a value for those who are erased, which its type allows: personal(erased=…)"
    )


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a value of this type may hold, however deep."""
    waiting, seen = [annotation], set[Any]()
    while waiting:
        it = waiting.pop()
        waiting.extend(get_args(it))
        if isinstance(it, type) and issubclass(it, BaseModel) and it not in seen:
            seen.add(it)
            yield it
            waiting.extend(info.annotation for info in it.model_fields.values())
