"""A key proves tokens of its own kind only, and some keys prove nothing."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from edge.keys import Keys
from edge.testing import jwk
from jwt.algorithms import RSAAlgorithm

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = Ed25519PrivateKey.generate()


def test_a_key_serves_the_algorithms_of_its_type_or_the_one_that_it_names() -> None:
    keys = Keys({"keys": [jwk(RSA, "any"), jwk(RSA, "one", alg="PS256"), jwk(EC, "ec"), jwk(ED, "ed")]})
    served = {
        name: [
            algorithm
            for algorithm in ("RS256", "PS256", "ES256", "EdDSA", "HS256", "none")
            if keys.find(name, algorithm)
        ]
        for name in ("any", "one", "ec", "ed", "unknown")
    }
    assert served == {"any": ["RS256", "PS256"], "one": ["PS256"], "ec": ["ES256"], "ed": ["EdDSA"], "unknown": []}
    assert len(keys) == 4
    assert "ed" in keys
    assert "unknown" not in keys


def test_only_algorithms_that_the_settings_name_count() -> None:
    keys = Keys({"keys": [jwk(RSA, "rsa"), jwk(ED, "ed")]}, ["RS256"])
    assert keys.find("rsa", "RS256")
    assert not keys.find("rsa", "PS256")
    assert "ed" not in keys


PROVE_NOTHING: dict[str, Any] = {
    "symmetric": {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "alg": "HS256", "kid": "k"},
    "symmetric, under an asymmetric name": {"kty": "oct", "k": "c2VjcmV0", "alg": "RS256", "kid": "k"},
    "for encryption": jwk(RSA, use="enc"),
    "without a name": {name: value for name, value in jwk(RSA).items() if name != "kid"},
    "with a name that is no text": jwk(RSA, kid=1),
    "private": RSAAlgorithm.to_jwk(RSA, as_dict=True) | {"kid": "k"},
    "short": jwk(rsa.generate_private_key(65537, 1024)),  # noqa: S505
    "of another curve": jwk(ec.generate_private_key(ec.SECP384R1())),
    "of one type, for an algorithm of another": jwk(ED, alg="RS256"),
    "not on the curve": jwk(EC) | {"y": jwk(ec.generate_private_key(ec.SECP256R1()))["y"]},
    "cut short": jwk(ED) | {"x": "AAAA"},
    "made of numbers": jwk(RSA) | {"n": 5, "e": 3},
    "no object": "a key",
}


@pytest.mark.parametrize("published", PROVE_NOTHING.values(), ids=PROVE_NOTHING.keys())
def test_a_key_that_cannot_prove_a_token_is_passed_over_and_the_others_count(published: Any) -> None:
    assert len(Keys({"keys": [published]})) == 0
    assert len(Keys({"keys": [published, jwk(ED, "good")]})) == 1


def test_of_two_keys_of_one_name_the_first_counts() -> None:
    keys = Keys({"keys": [jwk(ED), jwk(Ed25519PrivateKey.generate())]})
    assert keys.find("of-this-process", "EdDSA") is not None
    assert len(keys) == 1


@pytest.mark.parametrize("document", [{"kid": 1}, {"keys": "all"}, {"keys": {}}])
def test_what_is_no_list_of_keys_is_no_jwks(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no list of keys"):
        Keys(document)
