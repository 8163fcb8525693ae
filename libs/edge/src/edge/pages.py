"""Pages by keyset: a page ends with a cursor that says where the next one begins, so nothing is skipped or shown twice
while rows come and go. A cursor is opaque to clients; it holds the sort key of the last row shown.
"""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Generic, TypeVar, overload

from fastapi import Query
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from edge.problems import HttpProblem

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
D = TypeVar("D")

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items on the page")]
"""The parameter of a query that says how long a page may be: `limit: Limit = 50`."""

Cursor = Annotated[str | None, Query(max_length=1000, description="`next` of the page before")]
"""The parameter of a query that says where the page begins: `cursor: Cursor = None`."""


class Page(BaseModel, Generic[T]):
    """Some items, and where to go on."""

    items: list[T]
    next: str | None = Field(None, description="Give it as `cursor` to get the next page; null on the last one")

    @classmethod
    def of(cls, items: Sequence[T], limit: int, key: Callable[[T], Sequence[Any]]) -> "Page[T]":
        """A page of at most `limit` items from a query that asked for one more; `key` is an item's sort key."""
        shown = list(items[:limit])
        return cls(items=shown, next=encode_cursor(*key(shown[-1])) if len(items) > limit else None)


def encode_cursor(*values: str | int | float | bool | datetime | date | None) -> str:
    """The cursor after the row with these sort keys."""
    text = json.dumps([value.isoformat() if isinstance(value, date) else value for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@cache
def _adapter(types: tuple[Any, ...]) -> TypeAdapter[tuple[Any, ...]]:
    return TypeAdapter(tuple[types])  # type: ignore[valid-type]


@overload
def decode_cursor(text: str, first: type[A], /) -> tuple[A]: ...
@overload
def decode_cursor(text: str, first: type[A], second: type[B], /) -> tuple[A, B]: ...
@overload
def decode_cursor(text: str, first: type[A], second: type[B], third: type[D], /) -> tuple[A, B, D]: ...
@overload
def decode_cursor(text: str, /, *types: Any) -> tuple[Any, ...]: ...
def decode_cursor(text: str, /, *types: Any) -> tuple[Any, ...]:
    """The sort keys in the cursor, as these types (`int | None` too); raises the 422 problem on anything else."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = _adapter(types).validate_json(raw)
    except (ValueError, ValidationError):
        raise _malformed() from None
    if any(isinstance(value, str) and "\0" in value for value in values):
        raise _malformed()
    if any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in values):
        raise _malformed()
    return values


def _malformed() -> HttpProblem:
    return HttpProblem("cursor-malformed", "pass on, unchanged, `next` of a page of this same list")
