"""Finding somebody by a number that is not kept: a keyed hash of it, the same each time (a blind index).

A bare hash would keep nothing: there are some 10^10 mobile numbers and, of one district, some 10^8 identity numbers, so
all of them are hashed in minutes. What makes it blind is the key, which is not in the database: HMAC-SHA256 (RFC 2104),
with a key for each field derived by HKDF (RFC 5869), so that equal numbers in two fields do not look equal.

Whoever holds the key can still try all numbers, and equal values show as equal: index only what must be looked up, and
drop the row with the person.
"""

import hmac
import re
import unicodedata
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BYTES = 16
"""128 bits: two of a billion numbers share one with a probability of some 10^-21."""

_MOBILE = re.compile(r"(?:00)?86(1\d{10})")


def blind_index(key: bytes, field: str, value: str) -> bytes:
    """What to look up this value of this field by. Equal for all ways to write a number: see `normalised`.

    `key` is the ring's index key. Raises ValueError where nothing is left to look up.
    """
    text = normalised(value)
    if not text:
        raise ValueError("there is nothing in it to look up")
    return hmac.digest(_key_of(key, field), text.encode(), "sha256")[:BYTES]


def blind_word(key: bytes, field: str, word: str) -> bytes:
    """What to look up a word by that is written in one way only, such as one of a name's spellings; half as long, as
    several things are looked up by the same word anyway."""
    return hmac.digest(_key_of(key, field), word.encode(), "sha256")[: BYTES // 2]


def normalised(value: str) -> str:
    """An identity number (GB 11643) or a telephone number as all its notations have it: digits, and an upper-case X; no
    spaces, hyphens or full-width forms; a Chinese mobile number without +86."""
    text = "".join(re.findall(r"[0-9X]", unicodedata.normalize("NFKC", value).upper()))
    mobile = _MOBILE.fullmatch(text)
    return mobile[1] if mobile else text


@lru_cache(maxsize=64)
def _key_of(key: bytes, field: str) -> bytes:
    info = b"commongrid blind index\0" + field.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)
