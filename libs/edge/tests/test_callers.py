"""Who calls is what a token proves, and nothing else."""

import time
from pathlib import Path

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from edge.callers import AUDIENCE, ISSUER, Caller, Callers
from edge.problems import HttpProblem
from edge.testing import KEY, token

callers = Callers(KEY.public_key())


def bearer(text: str) -> str:
    return f"Bearer {text}"


def claims() -> dict[str, object]:
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "li", "exp": time.time() + 60}


def test_a_good_token_says_who_calls_and_their_post() -> None:
    assert callers.caller_of(bearer(token("li", client_id="fire-brigade"))) == Caller("li", "fire-brigade")
    assert callers.caller_of("bearer " + token("li")) == Caller("li", None)


def test_without_a_token_the_caller_is_anonymous() -> None:
    assert callers.caller_of(None) == Caller(None, None)


PUBLIC_PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

NOT_ACCEPTED = {
    "expired": bearer(token("li", exp=time.time() - 3600)),
    "for somebody else": bearer(token("li", aud="another-system")),
    "from somebody else": bearer(token("li", iss="another-issuer")),
    "without an audience": bearer(token("li", aud=None)),
    "without an end": bearer(token("li", exp=None)),
    "without a subject": bearer(token("li", sub=None)),
    "an empty subject": bearer(token("")),
    "a subject with control characters": bearer(token("li\nadmin")),
    "a client that is no text": bearer(token("li", client_id=["fire-brigade"])),
    "not valid yet": bearer(token("li", nbf=time.time() + 3600)),
    "another key": bearer(token("li", key=Ed25519PrivateKey.generate())),
    "alg none": bearer(jwt.encode(claims(), "", algorithm="none")),
    "another algorithm": bearer(jwt.encode(claims(), rsa.generate_private_key(65537, 2048), algorithm="RS256")),
    "cut short": bearer(token("li")[:-10]),
    "changed": bearer(token("li").replace(".", ".e30", 1)),
    "nonsense": "Bearer nonsense",
    "empty": "Bearer ",
    "another scheme": "Basic bGk6bGk=",
}


@pytest.mark.parametrize("authorization", NOT_ACCEPTED.values(), ids=NOT_ACCEPTED.keys())
def test_a_token_that_proves_nothing_is_not_accepted(authorization: str) -> None:
    with pytest.raises(HttpProblem) as refused:
        callers.caller_of(authorization)
    assert refused.value.status == 401
    assert refused.value.reason == "token-not-accepted"
    assert 'error="invalid_token"' in refused.value.headers["WWW-Authenticate"]


def test_a_token_that_was_accepted_once_is_not_when_it_has_expired() -> None:
    now = time.time()
    later = Callers(KEY.public_key(), lambda: now)
    good = bearer(token("li", exp=now + 60))
    assert later.caller_of(good) == later.caller_of(good) == Caller("li", None)
    now += 70
    with pytest.raises(HttpProblem, match="expired"):
        later.caller_of(good)


def test_a_service_without_a_key_accepts_no_token() -> None:
    assert Callers(None).caller_of(None) == Caller()
    with pytest.raises(HttpProblem):
        Callers(None).caller_of(bearer(token("li")))


def test_the_key_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(PUBLIC_PEM)
    assert Callers.from_file(file).caller_of(bearer(token("li"))).id == "li"
    file.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="is not a PEM file"):
        Callers.from_file(file)
    public = rsa.generate_private_key(65537, 2048).public_key()
    file.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(ValueError, match="is not an Ed25519 public key"):
        Callers.from_file(file)


async def test_a_route_takes_the_caller_from_the_call(http: httpx2.AsyncClient, anonymous: httpx2.AsyncClient) -> None:
    assert (await http.get("/suggestions/mine/post")).json() == {"caller": "li", "post": "grid_worker"}
    response = await anonymous.get("/suggestions/mine/post")
    assert response.status_code == 401
    assert response.json()["type"].endswith("/not-signed-in")
    assert response.headers["www-authenticate"] == 'Bearer realm="commongrid"'


async def test_a_bad_token_is_refused_even_where_none_is_needed(anonymous: httpx2.AsyncClient) -> None:
    response = await anonymous.get("/suggestions", headers={"Authorization": "Bearer nonsense"})
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
