"""Bearer tokens for one machine: a key pair made at the first start, and tokens signed with it.

Services get the public key only. In production tokens come from elsewhere, and no such key exists.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from edge.callers import ALGORITHM, AUDIENCE, ISSUER

from local.errors import NotRunning

HOURS = 12


def public_key(folder: Path) -> Path:
    """The path of the public key in this folder; the pair is made if it is not there."""
    public = folder / "token.pub"
    if not public.exists():
        key = Ed25519PrivateKey.generate()
        folder.mkdir(parents=True, exist_ok=True)
        with open(os.open(folder / "token.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public


def token(folder: Path, member: str, post: str | None = None) -> str:
    """A token for this member of the roster, good for 12 hours; raises NotRunning if there is no key yet."""
    try:
        key = load_pem_private_key((folder / "token.key").read_bytes(), password=None)
    except FileNotFoundError:
        raise NotRunning(
            f"there is no key in {folder} to sign a token with: start the system once, by make up"
        ) from None
    return _signed(key, member, post)


def signed(pem: bytes, member: str, post: str | None = None) -> str:
    """A token signed with this private key."""
    return _signed(load_pem_private_key(pem, password=None), member, post)


def _signed(key: Any, member: str, post: str | None) -> str:
    now = datetime.now(UTC)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": member, "iat": now, "exp": now + timedelta(hours=HOURS)}
    return jwt.encode(claims | ({"post": post} if post else {}), key, algorithm=ALGORITHM)
