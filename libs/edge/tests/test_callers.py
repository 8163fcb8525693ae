"""Who calls is what a token proves, and nothing else (RFC 8725, RFC 9068)."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from edge.callers import Caller, Callers
from edge.issuers import PAUSE, Issuer
from edge.problems import HttpProblem
from edge.testing import ISSUER, KEY, KEY_NAME, PrivateKey, issuer, jwk, publishing, signed, token, usual_claims
from edge.tokens import LEEWAY, LONGEST
from hypothesis import given
from hypothesis import strategies as st

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
STRANGER = Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
async def callers() -> Callers:
    """Of a service whose issuer has one key of each type, and one for encryption."""
    keys = [
        jwk(KEY),
        jwk(RSA, "rsa"),
        jwk(EC, "ec"),
        jwk(RSA, "ps", alg="PS256"),
        jwk(RSA, "for-encryption", use="enc"),
    ]
    issuer = Issuer(ISSUER, transport=publishing(lambda: keys))
    await issuer.bring(KEY_NAME)
    return Callers(issuer)


def bearer(text: str) -> str:
    return f"Bearer {text}"


def segment(document: Any) -> str:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def unsigned(head: dict[str, Any], claims: dict[str, Any] | None = None) -> str:
    return f"{segment(head)}.{segment(claims or timed())}"


def timed(**claims: Any) -> dict[str, Any]:
    """Claims whose times are numbers already."""
    return usual_claims(sub="li", iat=int(time.time()), exp=int(time.time()) + 3600, **claims)


def by_secret(head: dict[str, Any], secret: bytes) -> str:
    """What a forger makes who takes a public key for a shared secret (RFC 8725, 2.1)."""
    said = unsigned(head)
    return f"{said}.{segment(hmac.digest(secret, said.encode(), hashlib.sha256))}"


def by_key(**head: Any) -> str:
    """Rightly signed, with a header that the library would not write."""
    head = {"alg": "EdDSA", "kid": KEY_NAME} | head
    said = unsigned({name: value for name, value in head.items() if value is not None})
    return f"{said}.{segment(KEY.sign(said.encode()))}"


def test_a_good_token_says_who_calls(callers: Callers) -> None:
    assert callers.caller_of(bearer(token("li", post="grid-worker"))) == Caller("li"), "a post is the roster's to say"
    assert callers.caller_of("bearer " + token("li")) == Caller("li")
    assert callers.caller_of(bearer(by_key())) == Caller("li")


@pytest.mark.parametrize(
    ("key", "algorithm", "name"),
    [(RSA, "RS256", "rsa"), (RSA, "PS256", "rsa"), (RSA, "PS256", "ps"), (EC, "ES256", "ec")],
)
def test_each_asymmetric_algorithm_is_taken_with_a_key_of_its_type(
    callers: Callers, key: PrivateKey, algorithm: str, name: str
) -> None:
    assert callers.caller_of(bearer(signed(usual_claims(sub="li"), key, algorithm, kid=name))).id == "li"


@pytest.mark.parametrize(
    "claims",
    [
        {"client_id": "portal"},  # RFC 9068
        {"azp": "portal", "client_id": "portal"},  # Keycloak, of a service account
        {"azp": "portal"},
    ],
)
def test_a_partners_system_is_known_by_a_token_whose_subject_it_is(callers: Callers, claims: dict[str, Any]) -> None:
    assert callers.caller_of(bearer(token("portal", **claims))) == Caller("portal", "portal")
    person = callers.caller_of(bearer(token("li", **claims)))
    assert person == Caller("li"), "who signs in with a partner's program is not the partner"


async def test_the_claim_that_says_who_calls_and_the_audience_may_be_others() -> None:
    callers = Callers(issuer(), audience="grid", subject_claim="member")
    good = bearer(token("5f3c", member="grid-worker-3", aud=["account", "grid"]))
    await callers.prepare(good)
    assert callers.caller_of(good).id == "grid-worker-3"
    for other in (token("5f3c", aud="grid"), token("5f3c", member="grid-worker-3")):
        with pytest.raises(HttpProblem):
            callers.caller_of(bearer(other))


def test_without_a_token_the_caller_is_anonymous(callers: Callers) -> None:
    assert callers.caller_of(None) == Caller(None, None)


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", "application/at+jwt", "AT+JWT"])
def test_an_access_token_may_say_that_it_is_one(callers: Callers, kind: str) -> None:
    assert callers.caller_of(bearer(signed(usual_claims(sub="li", typ="Bearer"), KEY, typ=kind))).id == "li"


def test_where_a_token_says_its_key_is_found_is_not_believed(callers: Callers) -> None:
    there: dict[str, Any] = {
        "jku": "https://forger.example/keys",
        "x5u": "https://forger.example/x5",
        "jwk": jwk(STRANGER),
    }
    assert callers.caller_of(bearer(signed(usual_claims(sub="li"), KEY, **there))).id == "li"
    with pytest.raises(HttpProblem, match="not signed with the key that it names"):
        callers.caller_of(bearer(signed(usual_claims(sub="li"), STRANGER, **there)))


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -20), ("nbf", 20), ("iat", 20)])
def test_clocks_may_differ_a_little(callers: Callers, claim: str, seconds: float) -> None:
    claims: dict[str, Any] = {claim: time.time() + seconds}
    assert callers.caller_of(bearer(token("li", **claims))).id == "li"


PUBLIC_PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
NOW = time.time()

FORGED = {
    "alg none": f"{unsigned({'alg': 'none', 'kid': KEY_NAME})}.",
    "alg None": f"{unsigned({'alg': 'None', 'kid': KEY_NAME})}.",
    "alg none with a signature": f"{unsigned({'alg': 'none', 'kid': KEY_NAME})}.{token('li').rpartition('.')[2]}",
    "no alg": f"{unsigned({'kid': KEY_NAME})}.{token('li').rpartition('.')[2]}",
    "HS256 with the public key as secret": by_secret({"alg": "HS256", "kid": "rsa"}, PUBLIC_PEM),
    "HS256 with the published key as secret": by_secret(
        {"alg": "HS256", "kid": KEY_NAME}, base64.urlsafe_b64decode(jwk(KEY)["x"] + "==")
    ),
    "HS256 with nothing as secret": by_secret({"alg": "HS256", "kid": KEY_NAME}, b""),
    "the name of another key": signed(usual_claims(sub="li"), KEY, kid="ec"),
    "the name of another key of its type": signed(usual_claims(sub="li"), STRANGER),
    "a key of another type": signed(usual_claims(sub="li"), RSA, "RS256", kid=KEY_NAME),
    "an algorithm that the key is not for": signed(usual_claims(sub="li"), RSA, "RS256", kid="ps"),
    "an algorithm that is not allowed": signed(usual_claims(sub="li"), RSA, "RS512", kid="rsa"),
    "a key for encryption": signed(usual_claims(sub="li"), RSA, "RS256", kid="for-encryption"),
    "an unknown key": signed(usual_claims(sub="li"), STRANGER, kid="of-a-stranger"),
    "no name of a key": by_key(kid=None),
    "a key named by a number": by_key(kid=1),
    "a path as the name of a key": signed(usual_claims(sub="li"), STRANGER, kid="../../dev/null"),
    "an extension that must be understood": by_key(crit=["x"], x=1),
    "an empty list of extensions": by_key(crit=[]),
    "another algorithm than its signature's": by_key(alg="ES256"),
    "content of its own kind": by_key(crit=["b64"], b64=False),
    "cut short": token("li")[:-10],
    "changed": token("li").replace(".", ".e30", 1),
    "another's claims": f"{token('li').split('.')[0]}.{segment(timed())}.{token('li').split('.')[2]}",
    "encrypted": "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00iLCJraWQiOiJyc2EifQ.a.b.c.d",
    "nonsense": "nonsense",
    "dots": "...",
    "empty": "",
    "depths": f"{segment(b'[' * 5000)}.{segment({})}.AAAA",
    "no text": "ÿþ.ÿþ.ÿþ",
}

NOT_FOR_US = {
    "expired": token("li", exp=NOW - 3600),
    "expired by more than clocks differ": token("li", exp=NOW - LEEWAY - 1),
    "not valid yet": token("li", nbf=NOW + 3600),
    "not issued yet": token("li", iat=NOW + 3600),
    "for somebody else": token("li", aud="another-system"),
    "for others": token("li", aud=["account", "another-system"]),
    "for somebody whose name begins as ours": token("li", aud="commongrid-2"),
    "for everybody": token("li", aud=["*", ""]),
    "from somebody else": token("li", iss="https://forger.example/realms/tests"),
    "from somebody whose name begins as our issuer's": token("li", iss=f"{ISSUER}/"),
    "without an audience": token("li", aud=None),
    "without an issuer": token("li", iss=None),
    "without an end": token("li", exp=None),
    "with an end that is none": token("li", exp="tomorrow"),
    "without a beginning": token("li", iat=None),
    "without a subject": token("li", sub=None),
    "with an empty subject": token(""),
    "with a subject of control characters": token("li\nadmin"),
    "with an endless subject": token("l" * 101),
    "an ID token by its claim": token("li", typ="ID"),
    "an ID token by its hash": token("li", at_hash="wS69uyRk-eAEvQ6UmIf18A"),
    "a refresh token": token("li", typ="Refresh"),
    "a logout token by its header": signed(usual_claims(sub="li"), KEY, typ="logout+jwt"),
    "a logout token by its events": token("li", events={"http://schemas.openid.net/event/backchannel-logout": {}}),
    "a proof of another kind": signed(usual_claims(sub="li"), KEY, typ="dpop+jwt"),
    "bound to a key of the caller's own": token("li", cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
    "too long": token("li", more="x" * LONGEST),
}

NOT_ACCEPTED = {name: bearer(text) for name, text in (FORGED | NOT_FOR_US).items()} | {
    "another scheme": "Basic bGk6bGk=",
    "no scheme": token("li"),
    "two tokens": bearer(f"{token('li')} {token('li')}"),
}


@pytest.mark.parametrize("authorization", NOT_ACCEPTED.values(), ids=NOT_ACCEPTED.keys())
async def test_a_token_that_proves_nothing_is_not_accepted_and_not_repeated(
    callers: Callers, authorization: str
) -> None:
    await callers.prepare(authorization)
    with pytest.raises(HttpProblem) as refused:
        callers.caller_of(authorization)
    assert refused.value.status == 401
    assert refused.value.reason == "token-not-accepted"
    assert 'error="invalid_token"' in refused.value.headers["WWW-Authenticate"]
    said = refused.value.response().body
    assert not [part for part in authorization.split(".") if len(part) > 8 and part.encode() in bytes(said)]


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("expired", "has expired"),
        ("not valid yet", "not valid yet"),
        ("for somebody else", "not meant for commongrid"),
        ("from somebody else", f"not issued by {ISSUER}"),
        ("without a beginning", "the claim iat is missing"),
        ("without a subject", "the claim sub must be a text"),
        ("an ID token by its claim", "no access token"),
        ("an unknown key", "publishes no key"),
        ("an algorithm that the key is not for", "algorithm that its key is for"),
        ("no name of a key", "does not name its key"),
        ("too long", f"longer than {LONGEST} characters"),
        ("nonsense", "not a JWT"),
    ],
)
def test_what_is_wrong_with_a_token_is_said(callers: Callers, named: str, why: str) -> None:
    with pytest.raises(HttpProblem, match=why):
        callers.caller_of(NOT_ACCEPTED[named])


UNPREPARED = Callers(issuer())


@given(st.text(st.characters(max_codepoint=255)) | st.from_regex(r"Bearer [\w.-]*\.[\w.-]*\.[\w.-]*", fullmatch=True))
def test_no_header_makes_a_fault_of_ours(authorization: str) -> None:
    try:
        assert UNPREPARED.caller_of(authorization) == Caller()
    except HttpProblem as refused:
        assert refused.status == 401  # noqa: PT017


async def test_a_token_that_was_accepted_once_is_not_when_it_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    later = Callers(issuer(), clock=lambda: now)
    good = bearer(token("li", exp=now + 60))
    await later.prepare(good)
    assert later.caller_of(good) == Caller("li")

    def judged(*_: Any, **__: Any) -> Any:
        raise AssertionError("it was known")

    monkeypatch.setattr("edge.callers.claims_of", judged)
    assert later.caller_of(good) == Caller("li")
    now += 60 + LEEWAY - 1
    assert later.caller_of(good) == Caller("li")
    now += 1
    with pytest.raises(HttpProblem, match="expired"):
        later.caller_of(good)


async def test_a_token_that_was_accepted_once_is_not_when_its_key_is_gone() -> None:
    now, keys = 1000.0, [jwk(KEY)]
    issuer = Issuer(ISSUER, transport=publishing(lambda: keys), clock=lambda: now)
    callers, old, new = (
        Callers(issuer),
        bearer(token("li")),
        bearer(signed(usual_claims(sub="li"), STRANGER, kid="new")),
    )
    await callers.prepare(old)
    assert callers.caller_of(old).id == "li"

    keys[:] = [jwk(KEY), jwk(STRANGER, "new")]  # a rotation: for a while there are both
    now += PAUSE
    await callers.prepare(new)
    assert callers.caller_of(new).id == callers.caller_of(old).id == "li"

    keys[:] = [jwk(STRANGER, "new")]
    now += PAUSE
    await callers.prepare(bearer(signed(usual_claims(sub="li"), STRANGER, kid="unheard of")))
    assert callers.caller_of(new).id == "li"
    with pytest.raises(HttpProblem, match="publishes no key"):
        callers.caller_of(old)


async def test_while_the_issuer_is_away_what_its_known_keys_prove_is_accepted_and_nobody_can_tell_of_others() -> None:
    now, there = 1000.0, True
    known = publishing(lambda: [jwk(KEY)])

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if not there:
            raise httpx2.ConnectError("nobody is there")
        return await known.handle_async_request(request)

    callers = Callers(Issuer(ISSUER, transport=httpx2.MockTransport(answer), clock=lambda: now))
    good, unknown = bearer(token("li")), bearer(signed(usual_claims(sub="li"), STRANGER, kid="new"))

    there = False
    await callers.prepare(good)
    with pytest.raises(HttpProblem) as away:
        callers.caller_of(good)
    assert (away.value.status, away.value.reason) == (503, "issuer-away")
    assert away.value.headers["Retry-After"] == "5"

    there, now = True, now + PAUSE
    await callers.prepare(good)
    assert callers.caller_of(good).id == "li"

    there, now = False, now + PAUSE
    await callers.prepare(unknown)
    assert callers.caller_of(good).id == "li"
    with pytest.raises(HttpProblem) as away:
        callers.caller_of(unknown)
    assert away.value.reason == "issuer-away"


async def test_of_too_many_tokens_none_is_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.callers.KNOWN", 3)
    callers = Callers(issuer())
    for n in range(7):
        await callers.prepare(bearer(token(f"li-{n}")))
        assert callers.caller_of(bearer(token(f"li-{n}"))).id == f"li-{n}"
        assert len(callers._known) <= 3  # type: ignore[reportPrivateUsage]


def test_a_service_without_an_issuer_accepts_no_token() -> None:
    assert Callers(None).caller_of(None) == Caller()
    with pytest.raises(HttpProblem, match="no issuer"):
        Callers(None).caller_of(bearer(token("li")))


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
