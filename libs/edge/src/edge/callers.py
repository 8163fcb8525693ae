"""Who calls: the only place that knows how a caller proves it.

A caller brings a bearer token: a JWT signed with Ed25519, with the claims `iss`, `aud`, `exp`, `sub` (a pseudonymous
id) and, for a partner's system, `client_id`. What they may do it does not say: see `edge.powers`. Without a token the
caller is anonymous; with a bad one the answer is 401.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from edge.problems import HttpProblem

ISSUER = "commongrid-local"
AUDIENCE = "commongrid"
ALGORITHM = "EdDSA"
LEEWAY = 5
"""Seconds by which clocks may differ."""
KNOWN = 10_000
"""Tokens that are remembered; beyond, all are checked anew."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a pseudonymous id, and the client id of a partner's system; both None if they did not say."""

    id: str | None = None
    client: str | None = None


ANONYMOUS = Caller()


class Callers:
    """Tells who calls from the Authorization header. Without a key no token is accepted."""

    def __init__(self, key: Ed25519PublicKey | None, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970."""
        self._key = key
        self._clock = clock
        self._known: dict[str, tuple[Caller, float]] = {}

    @classmethod
    def from_file(cls, path: Path | None) -> "Callers":
        """With the public key in this PEM file; raises ValueError saying what is wrong with it."""
        if path is None:
            return cls(None)
        try:
            key = load_pem_public_key(path.read_bytes())
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise ValueError(f"{path} is not a PEM file with a public key that can be read") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError(f"the key in {path} is not an Ed25519 public key")
        return cls(key)

    def caller_of(self, authorization: str | None) -> Caller:
        """The caller; raises the 401 problem if there is a token that is not accepted."""
        if not authorization:
            return ANONYMOUS
        scheme, _, token = map(str.strip, authorization.partition(" "))
        if scheme.lower() != "bearer":
            raise _not_accepted("use Authorization: Bearer, with a token")
        if self._key is None:
            raise _not_accepted("this service was given no key to check tokens with; call it without one")
        caller, expires = self._known.get(token) or self._checked(token, self._key)
        if expires < self._clock() - LEEWAY:
            self._known.pop(token, None)
            raise _expired()
        return caller

    def _checked(self, token: str, key: Ed25519PublicKey) -> tuple[Caller, float]:
        """Who a token says that it is, and until when; raises the 401 problem. What was found is kept: a caller sends
        the same token for hours, and its signature takes longer to check than the rest of a request's head."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise _expired() from None
        except jwt.InvalidTokenError as error:
            raise _not_accepted(f"the token is not accepted: {_why(error)}") from None
        client = claims.get("client_id")
        caller = Caller(_name(claims["sub"], "sub"), None if client is None else _name(client, "client_id"))
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[token] = caller, float(claims["exp"])
        return self._known[token]


def _why(error: jwt.InvalidTokenError) -> str:
    match error:
        case jwt.InvalidAudienceError():
            return f"it is not meant for {AUDIENCE}"
        case jwt.InvalidIssuerError():
            return f"it is not issued by {ISSUER}"
        case jwt.MissingRequiredClaimError(claim=claim):
            return f"the claim {claim} is missing"
        case jwt.InvalidSignatureError() | jwt.InvalidAlgorithmError():
            return f"it is not signed with the right key, by {ALGORITHM}"
        case _:
            return "it cannot be read"


def _name(value: object, claim: str) -> str:
    if isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable():
        return value
    raise _not_accepted(f"the claim {claim} must be a text of 1 to 100 printable characters")


def _expired() -> HttpProblem:
    return _not_accepted("the token has expired; get a new one")


def _not_accepted(detail: str) -> HttpProblem:
    return HttpProblem(
        "token-not-accepted", detail, headers={"WWW-Authenticate": 'Bearer realm="commongrid", error="invalid_token"'}
    )


def not_signed_in() -> HttpProblem:
    """The answer to an anonymous caller who asks for what only somebody may do."""
    return HttpProblem(
        "not-signed-in",
        "send Authorization: Bearer, with a token that says who you are",
        headers={"WWW-Authenticate": 'Bearer realm="commongrid"'},
    )


class BearerToken(SecurityBase):
    """How the document says that a token is sent."""

    def __init__(self) -> None:
        self.scheme_name = "token"
        self.model = HTTPBearer(bearerFormat="JWT", description=__doc__)
