"""Sealing one value for one person: AES-256-GCM (NIST SP 800-38D). Pure: the randomness is passed in.

    sealed.1.A256GCM.<key id>.<subject>.<nonce, ciphertext and tag>

`1` is the version of this form, `A256GCM` the algorithm as JOSE calls it (RFC 7518), the last part base64url without
padding (RFC 4648). The subject is the person's pseudonym, which stands in the open elsewhere too. Authenticated with
the value is where it stands: what is put elsewhere, or under another's name, does not open.
"""

import hashlib
from base64 import urlsafe_b64encode
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from os import urandom
from typing import NamedTuple, TypeGuard

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEAD = "sealed.1.A256GCM."
PATTERN = r"^sealed\.1\.A256GCM\.[A-Za-z0-9_-]{8}\..+\.[A-Za-z0-9_-]{38,}$"
"""What a sealed value looks like, as published in the schemas."""
KEY_BYTES = 32
NONCE_BYTES = 12
"""96 random bits, SP 800-38D 8.2.2: good for 2^32 values of one key, and a key is one person's."""

Random = Callable[[int], bytes]

# base64url by tables: a fifth of the time that the base64 module takes, of what every personal field goes through.
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


class DoesNotOpen(Exception):
    """A sealed value is not where it was sealed for, or not as it was."""


class PersonKey:
    """The key of one person. `id` says which key it is without saying anything of it: a key made later, after one was
    lost, has another."""

    __slots__ = ("_aead", "_head", "id", "secret", "subject")

    def __init__(self, subject: str, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError("a person's key has 32 bytes")
        self.subject = subject
        self.secret = secret
        self.id = urlsafe_b64encode(hashlib.sha256(b"commongrid key id\0" + secret).digest()[:6]).decode()
        self._head = f"{HEAD}{self.id}.{subject}."
        self._aead = AESGCM(secret)

    def __repr__(self) -> str:
        return f"PersonKey({self.subject!r}, {self.id})"

    def seal(self, where: str, value: bytes, random: Random = urandom) -> str:
        """Seals a value for the place where it will stand."""
        nonce = random(NONCE_BYTES)
        box = nonce + self._aead.encrypt(nonce, value, self._bound(where))
        return self._head + b2a_base64(box, newline=False).translate(_TO_URL, b"=").decode()

    def open(self, where: str, sealed: "Sealed") -> bytes:
        """The value. Raises DoesNotOpen where it was sealed for another place or person, or was changed."""
        try:
            box = a2b_base64((sealed.box + "=" * (-len(sealed.box) % 4)).encode("ascii").translate(_FROM_URL))
            return self._aead.decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], self._bound(where))
        except (InvalidTag, NotBase64, ValueError):
            raise DoesNotOpen("a sealed value was changed, or moved from where it was sealed for") from None

    def _bound(self, where: str) -> bytes:
        return f"{self._head}\0{where}".encode()


class Sealed(NamedTuple):
    """A sealed value, taken apart."""

    key_id: str
    subject: str
    box: str


def is_sealed(value: object) -> TypeGuard[str]:
    """Whether this is a sealed value."""
    return isinstance(value, str) and value.startswith(HEAD)


def parsed(value: object) -> Sealed | None:
    """The parts of a sealed value; None if it is none."""
    if not is_sealed(value):
        return None
    head, _, box = value.rpartition(".")
    key_id, dot, subject = head[len(HEAD) :].partition(".")
    return Sealed(key_id, subject, box) if dot else None
