"""A real Keycloak, with the realm that operators begin with: its access tokens say who calls, no others do."""

import base64
import json
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from edge.callers import Caller, Callers
from edge.issuers import AGE, PAUSE, Issuer
from edge.problems import HttpProblem
from local.keycloak import Keycloak

REALM: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "deploy/keycloak/commongrid-realm.json").read_text(encoding="utf-8")
)
pytestmark = pytest.mark.timeout(600)  # the first run on a machine fetches and builds it
WORD = "for-this-test-only"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


def tried() -> dict[str, Any]:
    """The realm, with what a test needs besides: somebody to sign in without a browser, and more partners."""
    app, portal = ({**client} for client in REALM["clients"])
    app["directAccessGrantsEnabled"] = True
    portal["secret"] = WORD
    others = [
        {**portal, "clientId": f"portal-{algorithm}", "attributes": {"access.token.signed.response.alg": algorithm}}
        for algorithm in ALGORITHMS
    ]
    others.append({**portal, "clientId": "portal-rfc9068", "attributes": {"access.token.header.type.rfc9068": "true"}})
    others.append({**portal, "clientId": "for-another-system", "protocolMappers": []})
    person = {
        "username": "li",
        "enabled": True,
        "email": "li@example.org",
        "firstName": "Li",
        "lastName": "Li",
        "attributes": {"member": ["grid-worker-3"]},
        "credentials": [{"type": "password", "value": WORD}],
    }
    return {**REALM, "clients": [app, portal, *others], "users": [person]}


@pytest.fixture(scope="module")
async def keycloak(shared_folder: Path) -> AsyncGenerator[Keycloak]:
    """One for all tests here: it takes its time to start."""
    keycloak = Keycloak(shared_folder / "keycloak.log")
    await keycloak.start()
    try:
        async with await keycloak.administrator() as admin:
            (await admin.post("/realms", json=tried())).raise_for_status()
        yield keycloak
    finally:
        await keycloak.end()


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(keycloak: Keycloak, clock: Clock) -> Issuer:
    """The realm, as a service knows it."""
    return Issuer(keycloak.issuer("commongrid"), local=True, clock=clock)


@pytest.fixture
def callers(issuer: Issuer) -> Callers:
    return Callers(issuer, subject_claim="member")


async def of_person(keycloak: Keycloak) -> Any:
    return await keycloak.token(
        "commongrid", grant_type="password", client_id="grid-app", username="li", password=WORD, scope="openid"
    )


async def of_partner(keycloak: Keycloak, client: str = "gov-portal") -> str:
    answer = await keycloak.token("commongrid", grant_type="client_credentials", client_id=client, client_secret=WORD)
    return answer["access_token"]


def said(token: str, part: int) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[part] + "=="))


def head(token: str) -> dict[str, Any]:
    return said(token, 0)


async def who(callers: Callers, token: str) -> Caller:
    await callers.prepare(f"Bearer {token}")
    return callers.caller_of(f"Bearer {token}")


async def refused(callers: Callers, token: str) -> str:
    """Why it is."""
    with pytest.raises(HttpProblem) as problem:
        await who(callers, token)
    assert problem.value.reason == "token-not-accepted"
    return problem.value.detail


async def test_a_person_is_known_by_their_place_on_the_roster(keycloak: Keycloak, callers: Callers) -> None:
    token = (await of_person(keycloak))["access_token"]
    assert await who(callers, token) == Caller("grid-worker-3")
    assert said(token, 1)["azp"] == "grid-app"


async def test_a_partners_system_signs_in_by_itself(keycloak: Keycloak, callers: Callers) -> None:
    assert await who(callers, await of_partner(keycloak)) == Caller("gov-portal", "gov-portal")
    impostor = await who(callers, await of_partner(keycloak, "portal-RS256"))
    assert impostor.client is None, "its subject is another program than the one that it was issued to"


async def test_without_a_mapped_claim_the_subject_is_keycloaks_own_id(keycloak: Keycloak, issuer: Issuer) -> None:
    token = (await of_person(keycloak))["access_token"]
    assert (await who(Callers(issuer), token)).id == said(token, 1)["sub"]


@pytest.mark.parametrize("client", [*(f"portal-{algorithm}" for algorithm in ALGORITHMS), "portal-rfc9068"])
async def test_each_algorithm_and_form_of_its_access_tokens_is_taken(
    keycloak: Keycloak, callers: Callers, client: str
) -> None:
    token = await of_partner(keycloak, client)
    assert (await who(callers, token)).id == "gov-portal"
    assert (head(token)["alg"], head(token)["typ"]) == (
        client.removeprefix("portal-").replace("rfc9068", "RS256"),
        "at+jwt" if client == "portal-rfc9068" else "JWT",
    )


async def test_its_other_tokens_are_no_access_tokens(keycloak: Keycloak, issuer: Issuer, callers: Callers) -> None:
    tokens = await of_person(keycloak)
    assert "not meant for commongrid" in await refused(callers, tokens["id_token"])
    assert "no access token" in await refused(Callers(issuer, audience="grid-app"), tokens["id_token"])
    assert await refused(callers, tokens["refresh_token"])


async def test_a_token_for_another_system_is_refused(keycloak: Keycloak, callers: Callers) -> None:
    assert "the claim aud is missing" in await refused(callers, await of_partner(keycloak, "for-another-system"))


async def test_a_token_of_another_realm_is_refused(keycloak: Keycloak, callers: Callers) -> None:
    async with await keycloak.administrator() as admin:
        other = admin.headers["Authorization"].removeprefix("Bearer ")
    assert "publishes no key" in await refused(callers, other)


async def test_an_expired_token_is_refused(keycloak: Keycloak, issuer: Issuer) -> None:
    ahead = 0.0
    callers = Callers(issuer, subject_claim="member", clock=lambda: time.time() + ahead)
    token = await of_partner(keycloak)
    await who(callers, token)
    ahead = REALM["accessTokenLifespan"] + 60
    assert "expired" in await refused(callers, token)


async def test_a_new_key_is_known_at_once_and_a_disabled_one_when_keys_are_fetched_anew(
    keycloak: Keycloak, issuer: Issuer, callers: Callers, clock: Clock
) -> None:
    old = await of_partner(keycloak)
    assert (await who(callers, old)).id == "gov-portal"

    async with await keycloak.administrator() as admin:
        realm = (await admin.get("/realms/commongrid")).json()["id"]
        kind = "org.keycloak.keys.KeyProvider"
        keys = (await admin.get("/realms/commongrid/keys")).json()["keys"]
        (signs,) = (key["providerId"] for key in keys if key["kid"] == head(old)["kid"])
        before = (await admin.get(f"/realms/commongrid/components/{signs}")).json()
        after = {
            "name": "the new key",
            "providerId": "rsa-generated",
            "providerType": kind,
            "parentId": realm,
            "config": {"priority": ["200"], "algorithm": ["RS256"], "active": ["true"], "enabled": ["true"]},
        }
        (await admin.post("/realms/commongrid/components", json=after)).raise_for_status()

        new = await of_partner(keycloak)
        assert head(new)["kid"] != head(old)["kid"]
        clock.now += PAUSE
        assert (await who(callers, new)).id == "gov-portal"
        assert (await who(callers, old)).id == "gov-portal", "the old key is published still"

        before["config"]["enabled"] = ["false"]
        (await admin.put(f"/realms/commongrid/components/{before['id']}", json=before)).raise_for_status()

    slept: list[float] = []

    async def passes(seconds: float) -> None:
        slept.append(seconds)
        raise StopAsyncIteration

    with pytest.raises(StopAsyncIteration):
        await issuer.follow(passes)  # as in a service: once, and then when they are old
    assert slept == [AGE]
    assert "publishes no key" in await refused(callers, old)
    assert (await who(callers, new)).id == "gov-portal"
