"""For tests: a client of a service in this process, and tokens that it accepts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from events.runtime import Runtime

from edge.application import Application
from edge.callers import ALGORITHM, AUDIENCE, ISSUER, Callers

KEY = Ed25519PrivateKey.generate()
"""What this process's tests sign with; no other process knows it."""


def token(id: str, post: str | None = None, *, key: Ed25519PrivateKey = KEY, **claims: Any) -> str:
    """A bearer token for this caller, good for an hour; further claims replace the usual ones, None leaves one out."""
    usual: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": datetime.now(UTC) + timedelta(hours=1),
        "sub": id,
        "post": post,
    }
    kept = {name: value for name, value in (usual | claims).items() if value is not None}
    return jwt.encode(kept, key, algorithm=ALGORITHM)


def client(application: Application, runtime: Runtime, token: str | None = None) -> httpx2.AsyncClient:
    """A client of the service's API, in process: `async with client(application, runtime, token("li")) as http`."""
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(application.api(runtime, Callers(KEY.public_key()))),
        base_url=f"http://{application.service.name}",
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )
