"""For tests: a client of a service in this process, tokens that it accepts, and what the registry would tell it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import asyncpg
import httpx2
import jwt
import uvicorn
from contracts.common import Holder, HolderKind, Post, Purpose, Scope, Title
from contracts.registry import MemberAppointed, PowerListed
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from events import Connection, Event, Position, ReadModel
from events.event import Catalogue, Raw, encode
from events.runtime import Runtime
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.types import ASGIApp

from edge.access import Edge
from edge.application import Application
from edge.authority import authority
from edge.callers import AUDIENCE, Callers
from edge.issuers import Issuer
from edge.serving import Server

PrivateKey = Ed25519PrivateKey | RSAPrivateKey | EllipticCurvePrivateKey

ISSUER = "https://issuer.example/realms/tests"
KEY = Ed25519PrivateKey.generate()
"""What this process's tests sign with; no other process knows it."""
KEY_NAME = "of-this-process"
FOUNDING = Path(__file__).parents[4] / "examples/founding/powers.json"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def token(id: str, *, key: PrivateKey = KEY, **claims: Any) -> str:
    """A bearer token for this caller, good for an hour; further claims replace the usual ones, None leaves one out."""
    return signed(usual_claims(**{"sub": id, **claims}), key)


def usual_claims(**claims: Any) -> dict[str, Any]:
    """What a token says that is good for an hour; further claims replace the usual ones, None leaves one out."""
    now = datetime.now(UTC)
    usual = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + timedelta(hours=1)}
    return {name: value for name, value in (usual | claims).items() if value is not None}


def signed(claims: Mapping[str, Any], key: PrivateKey, algorithm: str = "EdDSA", **head: Any) -> str:
    """A token that says this; further words go into its header."""
    return jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": KEY_NAME, **head})


def jwk(key: PrivateKey, name: str = KEY_NAME, **members: Any) -> dict[str, Any]:
    """How an issuer publishes the public part of a key."""
    match key:
        case Ed25519PrivateKey():
            published = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case RSAPrivateKey():
            published = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case _:
            published = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {name: value for name, value in published.items() if name != "key_ops"} | {"kid": name, **members}


def publishing(keys: Callable[[], Sequence[Any]], address: str = ISSUER) -> httpx2.AsyncBaseTransport:
    """The way to an issuer that publishes these keys; whoever is asked for anything else does not know it."""
    documents: Mapping[str, Callable[[], Any]] = {
        f"{address}/.well-known/openid-configuration": lambda: {"issuer": address, "jwks_uri": f"{address}/keys"},
        f"{address}/keys": lambda: {"keys": keys()},
    }

    def answer(request: httpx2.Request) -> httpx2.Response:
        document = documents.get(str(request.url))
        return _answer(document()) if document else httpx2.Response(404)

    return httpx2.MockTransport(answer)


def _answer(document: Any) -> httpx2.Response:
    return httpx2.Response(200, stream=httpx2.ByteStream(json.dumps(document).encode()))


def issuer() -> Issuer:
    """The issuer of the tokens of this process's tests."""
    return Issuer(ISSUER, transport=publishing(lambda: [jwk(KEY)]))


def given(power: str, *holders: str, purposes: Mapping[str, Sequence[str]] = MappingProxyType({})) -> PowerListed:
    """A power on the list since 2020, for these holders: "anyone", "grid_worker@own_grid", "partner:fire 60/20"."""
    return PowerListed(
        power=power,
        title=Title(zh=power, en=power),
        legal_basis="a test",
        holders=tuple(map(_holder, holders)),
        purposes=tuple(Purpose(purpose=it, fields=tuple(fields)) for it, fields in purposes.items()),
        since=datetime(2020, 1, 1, tzinfo=UTC),
    )


def _holder(text: str) -> Holder:
    who, _, scope = text.partition("@")
    reach = Scope(scope or Scope.ALL)
    if who == HolderKind.ANYONE:
        return Holder(kind=HolderKind.ANYONE, scope=reach)
    if who.startswith("partner:"):
        name, _, quota = who.removeprefix("partner:").partition(" ")
        return Holder(kind=HolderKind.PARTNER, name=name, scope=reach, quota=quota or None)
    return Holder(kind=HolderKind.POST, name=Post(who), scope=reach)


def in_post(member: str, post: Post, grid: str | None = None, division_code: str | None = None) -> MemberAppointed:
    """Somebody in a post."""
    return MemberAppointed(
        member=member, name="某某", post=post, grid=grid, division_code=division_code, email=f"{member}@example.org"
    )


def founding() -> list[PowerListed]:
    """The power list with which a community of ours begins."""
    return [PowerListed(**it) for it in json.loads(FOUNDING.read_text(encoding="utf-8"))]


async def told(database_url: str, *events: Event, by: ReadModel = authority) -> None:
    """Lets a service know powers, posts and grids, or what else a read model follows, as if it had been told."""
    raws = [
        Raw(Position(1, 1, nth), f"{event.type_name}-{nth}", 1, event.type_name, encode(event).encode(), AT)
        for nth, event in enumerate(events, 1)
    ]
    db: Connection = await asyncpg.connect(database_url, server_settings={"search_path": by.schema})
    try:
        await by.apply(db, raws, Catalogue(by.follows))
    finally:
        await db.close()


def client(application: Application, runtime: Runtime, token: str | None = None) -> httpx2.AsyncClient:
    """A client of the service's API, in process: `async with client(application, runtime, token("li")) as http`."""
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(application.api(runtime, Callers(issuer()))),
        base_url=f"http://{application.service.name}",
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )


@asynccontextmanager
async def served(app: ASGIApp, **options: Any) -> AsyncGenerator[str]:
    """The address of an HTTP server with this application; further options are uvicorn's."""
    config = uvicorn.Config(
        app, port=0, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1, **options
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        if isinstance(app, Edge):
            app.state.stopping.set()  # so that streams end
        server.should_exit = True
        await serving
