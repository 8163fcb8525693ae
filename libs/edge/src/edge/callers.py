"""Who calls: the only place that knows how a caller proves it.

A caller brings a bearer token: an access token (JWT) of the system's issuer (OpenID Connect), with the claims `iss`,
`aud`, `exp`, `iat` and `sub`. It says who calls, and nothing of what they may do: see
`edge.powers`. Without a token the caller is anonymous; with one that is not accepted the answer is 401.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from edge.issuers import PAUSE, Issuer
from edge.problems import HttpProblem
from edge.tokens import LEEWAY, TokenRefused, claims_of, head_of

AUDIENCE = "commongrid"
"""Whom tokens are meant for, unless the settings say otherwise."""
SUBJECT = "sub"
"""The claim that says who calls, unless the settings say otherwise."""
KNOWN = 10_000
"""Tokens that are remembered; beyond, all are checked anew."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls; all None if they did not say."""

    id: str | None = None
    """A member of the roster, or a partner's system: the token's subject."""
    client: str | None = None
    """The partner's system that calls by itself: its client id. None where a person calls, by whatever program."""


ANONYMOUS = Caller()


class Callers:
    """Tells who calls from the Authorization header. Without an issuer no token is accepted."""

    def __init__(
        self,
        issuer: Issuer | None,
        *,
        audience: str = AUDIENCE,
        subject_claim: str = SUBJECT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives seconds since 1970."""
        self.issuer = issuer
        self._audience = audience
        self._subject_claim = subject_claim
        self._clock = clock
        self._known: dict[bytes, tuple[Caller, float]] = {}
        self._known_by = issuer.keys if issuer else None

    async def prepare(self, authorization: str) -> None:
        """Has the issuer's keys fetched if the token names one that is not at hand, and waits for them. Raises nothing:
        the token is judged by `caller_of`, which does not wait."""
        token = _bearer(authorization)
        if self.issuer and token and _digest(token) not in self._known:
            with suppress(TokenRefused):
                await self.issuer.bring(head_of(token).key)

    def remembered(self, authorization: str) -> Caller | None:
        """The caller, if this very token was accepted before and still is; None if it has yet to be judged."""
        token = _bearer(authorization)
        if not token or self.issuer is None or self._known_by is not self.issuer.keys:
            return None
        known = self._known.get(_digest(token))
        return known[0] if known and known[1] > self._clock() - LEEWAY else None

    def caller_of(self, authorization: str | None) -> Caller:
        """The caller; raises the 401 problem if a token is not accepted, and 503 while nobody can tell."""
        if not authorization:
            return ANONYMOUS
        token = _bearer(authorization)
        if token is None:
            raise _not_accepted("use Authorization: Bearer, with a token")
        if self.issuer is None:
            raise _not_accepted("this service was given no issuer whose tokens it would accept; call it without one")
        if self._known_by is not self.issuer.keys:  # a key may be gone, and what it proved with it
            self._known.clear()
            self._known_by = self.issuer.keys
        digest = _digest(token)
        try:
            caller, expires = self._known.get(digest) or self._judged(token, digest, self.issuer)
        except TokenRefused as refused:
            raise _not_accepted(f"the token is not accepted: {refused}") from None
        if expires <= self._clock() - LEEWAY:
            self._known.pop(digest, None)
            raise _not_accepted("the token is not accepted: it has expired; get a new one")
        return caller

    def _judged(self, token: str, digest: bytes, issuer: Issuer) -> tuple[Caller, float]:
        """Who a token says that it is, and until when; raises TokenRefused. What was found is kept: a caller sends the
        same token again and again, and its signature takes longer to check than the rest of a request's head."""
        head = head_of(token)
        key = issuer.keys.find(head.key, head.algorithm)
        if key is None:
            raise _no_key(head.key, issuer)
        claims = claims_of(token, key, issuer=issuer.address, audience=self._audience)
        subject = _name(claims, self._subject_claim)
        caller = Caller(subject, _client(claims, subject))
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[digest] = caller, float(claims["exp"])
        return self._known[digest]


def _bearer(authorization: str) -> str | None:
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _digest(token: str) -> bytes:
    """What a token is remembered by: it is shorter, and nobody can sign in with it."""
    return sha256(token.encode()).digest()


def _no_key(name: str, issuer: Issuer) -> Exception:
    if name in issuer.keys:
        return TokenRefused("it is not signed by an algorithm that its key is for and that this service takes")
    if issuer.away:  # the token may well be good
        return HttpProblem(
            "issuer-away",
            "the issuer of tokens does not answer, so this token cannot be checked; repeat the request in a moment",
            headers={"Retry-After": f"{PAUSE:g}"},
        )
    return TokenRefused("its issuer publishes no key of the name that it names (kid)")


def _client(claims: Mapping[str, Any], subject: str) -> str | None:
    """The program, if the token is its own: then it is the token's subject (RFC 9068, 2.2). A person's token names the
    program too that they signed in with; what that may do by itself they may not."""
    return subject if subject in (claims.get("client_id"), claims.get("azp")) else None


def _name(claims: Mapping[str, Any], claim: str) -> str:
    value = claims.get(claim)
    if isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable():
        return value
    raise TokenRefused(f"the claim {claim} must be a text of 1 to 100 printable characters")


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
