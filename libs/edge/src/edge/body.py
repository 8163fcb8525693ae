"""What Python's JSON reader lets through and a store must not hold: NaN and Infinity, and the character U+0000, which
Postgres cannot keep in a text."""

import json
import re

from edge.problems import HttpProblem

_NOT_A_NUMBER = re.compile(rb"NaN|Infinity")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def require_storable(body: bytes) -> None:
    """Raises the 400 problem if this JSON holds either; the framework has read it as JSON before."""
    if _NUL.search(body):
        raise HttpProblem("bad-json", "text may not hold the character U+0000")
    if _NOT_A_NUMBER.search(body):
        json.loads(body, parse_constant=_refuse)


def _refuse(constant: str) -> float:
    raise HttpProblem("bad-json", f"{constant} is no number in JSON")
