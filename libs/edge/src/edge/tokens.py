"""What a bearer token must be to prove who calls: a signed access token (JWT), from this issuer, for us, now.

After RFC 8725 (best practices for JWT) and RFC 9068 (access tokens as JWT). Signatures and the usual claims are judged
by PyJWT. Nothing that a token says of itself is believed before its key has proved it, and where its key is to be found
(`jku`, `x5u`, `jwk`, `x5c`) not even then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from jwt import PyJWK

LONGEST = 16_384
"""Characters of a token; beyond, it is not read."""
LEEWAY = 30
"""Seconds by which the issuer's clock may differ from ours."""
REQUIRED = ("iss", "aud", "exp", "iat")
ACCESS_TOKEN_HEADS = ("jwt", "at+jwt", "application/at+jwt")
"""The header's `typ` of an access token, if it has one. Others are of tokens for other uses (RFC 8725, 3.11)."""
ACCESS_TOKEN_CLAIM = "bearer"  # noqa: S105 - Keycloak's `typ` of an access token, beside ID, Refresh, Logout …
OF_OTHER_TOKENS = ("at_hash", "c_hash", "events")
"""Claims of ID tokens (OpenID Connect Core 1.0, 3.1.3.6, 3.3.2.11) and of logout tokens; no access token has them."""


class TokenRefused(Exception):
    """The token does not prove who calls. The message says why, after "it", and holds nothing of the token."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a token says of the key that proves it."""

    key: str
    algorithm: str


def head_of(token: str) -> Head:
    """The head of a token that nothing has proved yet; raises TokenRefused if it is no access token by its looks."""
    if len(token) > LONGEST:
        raise TokenRefused(f"it is longer than {LONGEST} characters")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise TokenRefused("it is not a JWT that can be read") from error
    if str(header.get("typ", "JWT")).lower() not in ACCESS_TOKEN_HEADS:
        raise TokenRefused("it is no access token, but a token for another use (typ in its header)")
    name, algorithm = header.get("kid"), header.get("alg")
    if not isinstance(name, str) or not isinstance(algorithm, str):
        raise TokenRefused("it does not name its key and algorithm (kid and alg in its header)")
    return Head(name, algorithm)


def claims_of(token: str, key: PyJWK, *, issuer: str, audience: str) -> Mapping[str, Any]:
    """What the token says, proved by this key; raises TokenRefused."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=issuer,
            audience=audience,
            leeway=LEEWAY,
            options={"require": list(REQUIRED)},
        )
    except jwt.InvalidTokenError as error:
        raise TokenRefused(_why(error, issuer, audience)) from error
    if str(claims.get("typ", ACCESS_TOKEN_CLAIM)).lower() != ACCESS_TOKEN_CLAIM or claims.keys() & OF_OTHER_TOKENS:
        raise TokenRefused("it is no access token, but a token for another use, such as an ID token")
    if "cnf" in claims:  # RFC 7800, 9449, 8705: worth nothing without a proof that we do not ask for
        raise TokenRefused("it is bound to a key of the caller's own, and not a bearer token")
    return claims


def _why(error: jwt.InvalidTokenError, issuer: str, audience: str) -> str:
    match error:
        case jwt.ExpiredSignatureError():
            return "it has expired; get a new one"
        case jwt.ImmatureSignatureError():
            return "it is not valid yet; are the clocks right?"
        case jwt.InvalidAudienceError():
            return f"it is not meant for {audience} (aud)"
        case jwt.InvalidIssuerError():
            return f"it is not issued by {issuer} (iss)"
        case jwt.MissingRequiredClaimError(claim=claim):
            return f"the claim {claim} is missing"
        case jwt.InvalidSignatureError():
            return "it is not signed with the key that it names"
        case _:
            return "it cannot be read"
