"""An issuer's public keys, as it publishes them (JWKS, RFC 7517), each bound to the algorithms that fit it.

Which algorithm a key serves is the key's own matter and never the token's (RFC 8725, 2.1 and 3.1). Symmetric keys,
private ones, short ones and those for encryption are left out: no token can be proved by them.
"""

from collections.abc import Collection, Mapping
from typing import Any, cast

from jwt import PyJWK
from jwt.exceptions import PyJWTError

FITS: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""The algorithms that may sign a token (RFC 7518, RFC 8037), and the type and curve of the key that each takes."""


class Keys:
    """The keys of one moment. They never change: an issuer that changes its keys has other Keys."""

    def __init__(self, document: Mapping[str, Any] | None = None, algorithms: Collection[str] = tuple(FITS)) -> None:
        """The keys in a JWKS document that can prove a token by one of these algorithms; none without a document.

        Raises ValueError if it is no such document. As RFC 7517 asks, a key that is not understood is passed over.
        """
        self._keys: dict[tuple[str, str], PyJWK] = {}
        listed: Any = document.get("keys") if document else []
        if not isinstance(listed, list):
            raise ValueError("it has no list of keys")
        for each in (cast("dict[str, Any]", it) for it in cast("list[Any]", listed) if isinstance(it, dict)):
            for algorithm in algorithms:
                if key := _key(each, algorithm):
                    self._keys.setdefault((each["kid"], algorithm), key)
        self._names = frozenset(name for name, _ in self._keys)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: str) -> bool:
        """Whether there is a key of this name (`kid`)."""
        return name in self._names

    def find(self, name: str, algorithm: str) -> PyJWK | None:
        """The key of this name, for this algorithm; None if its type or its own `alg` is another."""
        return self._keys.get((name, algorithm))


def _key(jwk: dict[str, Any], algorithm: str) -> PyJWK | None:
    kind, curve = FITS[algorithm]
    fits = (
        isinstance(jwk.get("kid"), str)
        and jwk.get("kty") == kind
        and (curve is None or jwk.get("crv") == curve)
        and jwk.get("alg", algorithm) == algorithm
        and jwk.get("use", "sig") == "sig"
        and "d" not in jwk
    )
    if not fits:
        return None
    try:
        key = PyJWK(jwk, algorithm)
    except (PyJWTError, ValueError, TypeError, AttributeError):  # a broken key makes the library raise any of these
        return None
    return None if key.Algorithm.check_key_length(key.key) else key
