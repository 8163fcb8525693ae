"""What comes from outside is held to its limits before anything else is done with it, and what goes out tells browsers
how little they may do with it.

A page that needs more than nothing says so by a Content-Security-Policy of its own; an answer that may be kept, by its
own Cache-Control. HSTS is the ingress's to send: it knows whether the way to it is TLS.
"""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

from fastapi import Response
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.callers import Callers
from edge.problems import HttpProblem
from edge.rates import Buckets, Header, Rates, by_address
from edge.routing import refusal
from edge.telemetry import OPERATIONAL

MOST_HEADERS = 100
MOST_VALUES = 100
"""Values in a query."""

READING = frozenset({"GET", "HEAD", "OPTIONS"})

ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NOTHING: Header = (
    b"content-security-policy",
    b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
NOWHERE_KEPT: Header = (b"cache-control", b"no-store")
"""Any answer may hold something personal, unless its operation says that it does not."""


def page_policy(*, scripts: str = "", styles: str = "'self'", images: str = "'self' data:") -> str:
    """The Content-Security-Policy of a page: what it loads comes from its own service, if from anywhere."""
    sources = {"script-src": scripts, "style-src": styles, "img-src": images, "connect-src": "'self'"}
    allowed = "".join(f" {name} {source};" for name, source in sources.items() if source)
    return f"default-src 'none';{allowed} base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def by_hash(inline: str) -> str:
    """How a policy names what stands in the page itself, between the tags of a script or style."""
    return f"'sha256-{b64encode(sha256(inline.encode()).digest()).decode()}'"


class Outside:
    """The layer around a service: limits going in, headers coming out."""

    def __init__(self, app: ASGIApp, callers: Callers, rates: Rates | None) -> None:
        """Without rates callers may ask as often as they like."""
        self._app = app
        self._callers = callers
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused, told = self._judged(scope)

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _completed(message["headers"], (*told, *scope.get("edge.quota", ())))
            await send(message)

        await (refused or self._app)(scope, receive, telling)

    def _judged(self, scope: Scope) -> tuple[Response | None, tuple[Header, ...]]:
        """The answer if there is to be no other, and what every answer tells of the caller's quota."""
        if len(scope["headers"]) > MOST_HEADERS:
            return refusal(HttpProblem("head-too-large", f"send at most {MOST_HEADERS} headers"), scope), ()
        if scope["query_string"].count(b"&") >= MOST_VALUES:
            return refusal(HttpProblem("too-many-values", f"send at most {MOST_VALUES} values in the query"), scope), ()
        if self._rates is None or scope["path"] in OPERATIONAL:
            return None, ()
        name = self._who(scope)
        buckets = self._rates.buckets_of(name, reads=scope["method"] in READING)
        if buckets is None:
            return None, ()
        may, told = buckets.take(name)
        if may:
            return None, told
        return exceeded(buckets).response(), told

    def _who(self, scope: Scope) -> str:
        """What the request's quota goes by. A token that was not accepted yet proves nothing, so whoever sends one
        counts by their address: made-up tokens open no new bucket."""
        for name, value in scope["headers"]:
            if name == b"authorization":
                caller = self._callers.remembered(value.decode("latin-1"))
                if caller and caller.id:
                    scope["edge.caller"] = caller
                    return caller.id
                break
        client = scope.get("client")
        return by_address(client[0]) if client else "\0"


def exceeded(buckets: Buckets) -> HttpProblem:
    """What is said to whoever asks too often."""
    return HttpProblem(
        "quota-exceeded",
        f"of {buckets.name} you have had your share for now; wait for as long as Retry-After says",
        headers={"Retry-After": str(buckets.next_in)},
        violated_policies=[buckets.name],
    )


def _completed(headers: Sequence[Header], told: tuple[Header, ...]) -> list[Header]:
    has_policy = has_cache = False
    for name, _ in headers:
        if name == b"content-security-policy":
            has_policy = True
        elif name == b"cache-control":
            has_cache = True
    completed = [*headers, *ALWAYS, *told]
    if not has_policy:
        completed.append(NOTHING)
    if not has_cache:
        completed.append(NOWHERE_KEPT)
    return completed


def shared_with(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The application, open to pages of these origins (CORS). They call with a bearer token, never with cookies."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT"],
        allow_headers=[
            "Authorization",
            "Consistency-Token",
            "Content-Type",
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
            "Last-Event-ID",
            "traceparent",
        ],
        expose_headers=[
            "Consistency-Token",
            "ETag",
            "Idempotency-Replayed",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
        ],
    )
