"""What Python's JSON reader lets through and a store must not hold: NaN and Infinity, which are no JSON, and the
character U+0000, which Postgres cannot keep in a text."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from edge.problems import FieldError, HttpProblem, invalid_input

_NOT_A_NUMBER = re.compile(rb"NaN|Infinity")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def require_storable(body: bytes) -> None:
    """Raises the problem if this JSON, which the framework has read before, holds either."""
    if _NOT_A_NUMBER.search(body):
        json.loads(body, parse_constant=_refuse)
    if _NUL.search(body):
        raise invalid_input(
            [
                FieldError(place="body", field=field, message="text may not hold the character U+0000")
                for field in _fields_with_nul(json.loads(body), "")
            ]
        )


def _refuse(constant: str) -> float:
    raise HttpProblem("bad-json", f"{constant} is no number in JSON")


def _fields_with_nul(value: Any, field: str) -> Iterator[str]:
    match value:
        case str() if "\0" in value:
            yield field
        case dict():
            for name, each in cast("dict[str, Any]", value).items():
                inside = f"{field}.{name}".lstrip(".")
                yield from [inside] if "\0" in name else _fields_with_nul(each, inside)
        case list():
            for nth, each in enumerate(cast("list[Any]", value)):
                yield from _fields_with_nul(each, f"{field}.{nth}".lstrip("."))
        case _:
            pass
