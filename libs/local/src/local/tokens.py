"""Bearer tokens for one machine: a key pair made at the first start, the documents by which services find its public
part, as an OpenID Connect issuer publishes them (Discovery 1.0, JWKS), and tokens signed with it.

Who can read the folder can sign in as anybody. In production tokens come from an identity provider.
"""

import hashlib
import json
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
from edge.callers import AUDIENCE
from edge.issuers import LOCAL
from jwt.algorithms import OKPAlgorithm

from local.errors import NotRunning

HOURS = 12
ALGORITHM = "EdDSA"


def publish(folder: Path, address: str) -> Path:
    """Writes what the issuer at this address publishes; returns the folder that is to be served at the address's root.
    The pair of keys is made if it is not there."""
    published = _published(folder)
    description = published / LOCAL / ".well-known" / "openid-configuration"
    description.parent.mkdir(parents=True, exist_ok=True)
    keys = f"{address}/keys"
    (published / LOCAL / "keys").write_text(json.dumps({"keys": [_jwk(_made_key(folder))]}))
    description.write_text(
        json.dumps(
            {
                "issuer": address,
                "jwks_uri": keys,
                "response_types_supported": [],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
            }
        )
    )
    return published


def token(folder: Path, member: str, hours: int = HOURS, **claims: Any) -> str:
    """A token for this member of the roster, good for 12 hours; raises NotRunning if there is no issuer yet."""
    try:
        pem = _private(folder).read_bytes()
        description = json.loads((_published(folder) / LOCAL / ".well-known" / "openid-configuration").read_text())
    except FileNotFoundError:
        raise NotRunning(
            f"there is no key in {folder} to sign a token with: start the system once, by make up"
        ) from None
    return signed(pem, description["issuer"], member, hours, **claims)


def service_token(folder: Path, service: str) -> Path:
    """The path of the file with a service's own token, by which others know it; it is made anew, good for a year.
    Raises NotRunning if there is no issuer yet."""
    path = folder / f"{service}.token"
    made = token(folder, service, hours=24 * 365, client_id=service)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(made)
    return path


def signed(pem: bytes, issuer: str, member: str, hours: int = HOURS, **claims: Any) -> str:
    """A token of this issuer, signed with its private key; further claims are added."""
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the local issuer's key is an Ed25519 key")
    now = datetime.now(UTC)
    claims = {
        **claims,
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": member,
        "iat": now,
        "exp": now + timedelta(hours=hours),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": _name(key), "typ": "at+jwt"})


def _made_key(folder: Path) -> Ed25519PrivateKey:
    if not _private(folder).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with open(os.open(_private(folder), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(_private(folder).read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{_private(folder)} is not an Ed25519 key")
    return key


def _jwk(key: Ed25519PrivateKey) -> dict[str, Any]:
    public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"kty": "OKP", "crv": "Ed25519", "x": public["x"], "kid": _name(key), "alg": ALGORITHM, "use": "sig"}


def _name(key: Ed25519PrivateKey) -> str:
    """The key's own name (`kid`): another key has another."""
    return hashlib.sha256(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def _private(folder: Path) -> Path:
    return folder / "token.key"


def _published(folder: Path) -> Path:
    return folder / "published"
