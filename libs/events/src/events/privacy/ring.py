"""A ring of key-encryption keys, from a file or from the environment, one of them current.

    {"current": "2026-11", "keys": {"2026-11": "<32 bytes, base64>"}, "index": "<32 bytes, base64>"}

To turn to a new key: add it, make it current, restart the service, `events keys rotate`, and take the old one off when
`events keys status` says that nothing is under it any more.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from events.privacy.sealing import KEY_BYTES, NONCE_BYTES, Random
from events.privacy.vault import DoesNotUnwrap, Wrapped


class NotARing(ValueError):
    """What should be a key ring is none. The message repeats nothing of it."""


@dataclass(frozen=True)
class KeyRing:
    """A KeyVault in memory: AES-256-GCM with a random nonce, bound to the key's subject."""

    current_id: str
    keys: Mapping[str, bytes] = field(repr=False)
    index: bytes = field(repr=False)
    random: Random = os.urandom

    def __post_init__(self) -> None:
        if self.current_id not in self.keys:
            raise NotARing("the key ring's current key is not among its keys")
        if any(len(key) != KEY_BYTES for key in (*self.keys.values(), self.index)):
            raise NotARing("each key of a key ring has 32 bytes, in base64")
        if self.index in self.keys.values():
            raise NotARing("the index key wraps nothing: it must be another than the key ring's keys")

    async def current(self) -> str:
        return self.current_id

    async def wrap(self, keys: Sequence[tuple[str, bytes]]) -> Sequence[Wrapped]:
        aead = AESGCM(self.keys[self.current_id])
        wrapped: list[Wrapped] = []
        for subject, key in keys:
            nonce = self.random(NONCE_BYTES)
            wrapped.append(Wrapped(self.current_id, nonce + aead.encrypt(nonce, key, _bound(subject))))
        return wrapped

    async def unwrap(self, keys: Sequence[tuple[str, Wrapped]]) -> Sequence[bytes]:
        aeads = {id_: AESGCM(self.keys[id_]) for id_ in {wrapped.kek for _, wrapped in keys} if id_ in self.keys}
        unwrapped: list[bytes] = []
        for subject, (kek, data) in keys:
            if kek not in aeads:
                raise DoesNotUnwrap(f"the key of {subject} is wrapped with {kek}, which is not on the key ring")
            try:
                unwrapped.append(aeads[kek].decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _bound(subject)))
            except (InvalidTag, ValueError):
                raise DoesNotUnwrap(f"the key of {subject} does not unwrap with {kek}: it was changed") from None
        return unwrapped

    async def index_key(self) -> bytes:
        return self.index

    def with_new(self, id: str) -> "KeyRing":
        """The same ring with one more key, which is current from now on."""
        if id in self.keys:
            raise NotARing(f"the key ring has a key {id} already")
        return KeyRing(id, {**self.keys, id: self.random(KEY_BYTES)}, self.index, self.random)

    def text(self) -> str:
        """As a file holds it."""
        keys = {id_: b64encode(key).decode() for id_, key in self.keys.items()}
        ring = {"current": self.current_id, "keys": keys, "index": b64encode(self.index).decode()}
        return orjson.dumps(ring, option=orjson.OPT_INDENT_2).decode() + "\n"

    def save(self, path: Path) -> None:
        """Writes it where only its owner can read it, whole or not at all."""
        beside = path.with_name(f"{path.name}.new")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(self.text())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


def new_ring(id: str, random: Random = os.urandom) -> KeyRing:
    """A ring with one key."""
    return KeyRing(id, {id: random(KEY_BYTES)}, random(KEY_BYTES), random)


def read_ring(source: str) -> KeyRing:
    """The ring in the file of this path, or the ring itself where it begins with a brace. Raises NotARing, OSError."""
    text = source if source.lstrip().startswith("{") else Path(source).read_text(encoding="utf-8")
    try:
        found = cast("dict[str, Any]", orjson.loads(text))
        keys = {str(id_): b64decode(key, validate=True) for id_, key in found["keys"].items()}
        return KeyRing(found["current"], keys, b64decode(found["index"], validate=True))
    except NotARing:
        raise
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotARing(
            'a key ring is JSON like {"current": "2026-11", "keys": {"2026-11": "<32 bytes, base64>"}, '
            '"index": "<32 bytes, base64>"}'
        ) from None


def _bound(subject: str) -> bytes:
    return b"commongrid key of " + subject.encode()
