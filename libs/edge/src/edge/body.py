"""What must be known of JSON before it is read, and what Python's reader lets through though a store must not hold it:
NaN and Infinity, which are no JSON, and the character U+0000, which Postgres cannot keep in a text."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, cast

from pydantic import BeforeValidator

from edge.problems import FieldError, HttpProblem, invalid_input

MOST_DEEP = 32
"""Lists and objects within one another. The deepest that any operation takes are 6."""

_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))

_NOT_A_NUMBER = re.compile(rb"NaN|Infinity")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number as JSON Schema has it: 3.0 is one, however strict its model is."""


def require_readable(body: bytes) -> None:
    """Raises the problem if this JSON is nested too deeply to be read, or not in UTF-8 (RFC 8259, 8.1): a reader that
    takes other encodings would find other brackets in it than are looked at here."""
    if b"\0" in body:
        raise HttpProblem("bad-json", "the body is not JSON in UTF-8: it holds the byte 0")
    if too_deep(body):
        raise HttpProblem("too-deep", f"nest at most {MOST_DEEP} lists and objects within one another")


def too_deep(body: bytes) -> bool:
    """Whether this JSON is nested more deeply than anything that is taken here; without reading it, in linear time."""
    if body.count(b"[") + body.count(b"{") <= MOST_DEEP:
        return False
    left = _TEXT.sub(b"", body).translate(_ONE_KIND, _OTHERS)
    for taken in range(MOST_DEEP):
        less = left.replace(b"[]", b"")  # takes the innermost away, one level at a time
        if len(less) == len(left):
            return taken + left.count(b"[") > MOST_DEEP
        left = less
    return b"[" in left


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
