"""Idempotency keys: a client that repeats a request, for want of an answer, gets the first answer and no second effect.

After the IETF draft: the key may be bare or a quoted string. Its scope is the caller and the operation; the kernel
keeps it in the transaction of the events, with a fingerprint of the request and with what was answered.
"""

import hashlib
import re

import orjson
from events import Key

from edge.problems import HttpProblem

_KEY = re.compile(r"[!-~]{1,200}")


def key_of(
    header: str | None, *, caller: str | None, method: str, template: str, path: str, query: bytes, body: bytes
) -> Key:
    """The kernel's key for this request; raises the 400 problem if the header is missing or malformed.

    `template` is the operation's path with its parameters' names, `path` the one that was asked for.
    """
    if header is None:
        raise HttpProblem(
            "idempotency-key-missing",
            "send Idempotency-Key with a value of your own, a UUID for instance, and the same one when you repeat the "
            "request",
        )
    value = header.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if not _KEY.fullmatch(value):
        raise HttpProblem(
            "idempotency-key-malformed", "an Idempotency-Key has 1 to 200 visible ASCII characters; a UUID is good"
        )
    asked = b"\0".join((method.encode(), path.encode(), query, canonical(body)))
    return Key(value_of(value, caller, method, template), hashlib.sha256(asked).digest())


def value_of(key: str, caller: str | None, method: str, template: str) -> str:
    """By what the kernel keeps a key that this caller gave to this operation."""
    scope = "\0".join((caller or "", method, template, key))
    return hashlib.sha256(scope.encode()).hexdigest()


def canonical(body: bytes) -> bytes:
    """The JSON body with sorted keys and no spaces, so that the same content has the same fingerprint."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return body
