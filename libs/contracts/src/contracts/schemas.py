"""The published form of an event's data: JSON Schema 2020-12, from the class that reads it."""

from typing import Any

from events import Event
from events.privacy.fields import PERSONAL, PersonalField
from events.privacy.sealing import PATTERN
from pydantic.json_schema import DEFAULT_REF_TEMPLATE

Schema = dict[str, Any]

ABOUT = ("title", "description", "default")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(cls: type[Event], ref_template: str = DEFAULT_REF_TEMPLATE) -> Schema:
    """What a reader may rely on, and a writer must keep, as it is on the wire.

    A personal field is sealed there; its `x-personal` says what is in it: `of`, whose it is; `value`, the schema of the
    value once it is opened; `erased`, what it reads as once that person is erased.
    """
    schema = cls.model_json_schema(ref_template=ref_template)
    for name, field in cls.personal.items():
        schema["properties"][name] = _sealed(schema["properties"][name], field)
    return {"$schema": DIALECT, "x-event-type": cls.type_name} | schema


def _sealed(value: Schema, field: PersonalField) -> Schema:
    """A sealed value, or one that tells nothing and stands in the open."""
    nothing = list({"": "", **({field.blank: field.blank} if isinstance(field.blank, str) else {})})
    choices: list[Schema] = [{"type": "string", "pattern": PATTERN}, {"type": "string", "enum": nothing}]
    if field.blank is None:
        choices.append({"type": "null"})
    elif not isinstance(field.blank, str):
        choices.append({"const": field.blank})
    opened = {keyword: part for keyword, part in value.items() if keyword not in (PERSONAL, *ABOUT)}
    sealed: Schema = {"anyOf": choices, PERSONAL: {"of": whose(field), "value": opened, "erased": field.blank}}
    return {keyword: value[keyword] for keyword in ABOUT if keyword in value} | sealed


def whose(field: PersonalField) -> str:
    """Whose a field is: the stream's, or that of whom another field names."""
    return f"{field.kind or field.of}-{{{field.of}}}" if field.of else "{stream}"
