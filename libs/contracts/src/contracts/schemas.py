"""The published form of an event's data: JSON Schema 2020-12, from the class that reads it."""

from typing import Any

from events import Event
from pydantic.json_schema import DEFAULT_REF_TEMPLATE

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(cls: type[Event], ref_template: str = DEFAULT_REF_TEMPLATE) -> Schema:
    """What a reader may rely on, and a writer must keep. Personal fields are marked `x-personal`."""
    return {"$schema": DIALECT, "x-event-type": cls.type_name} | cls.model_json_schema(ref_template=ref_template)
