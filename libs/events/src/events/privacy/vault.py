"""Where the key-encryption key is: outside the database, behind this port.

Envelope encryption (NIST SP 800-57 part 1, 6.2): persons' keys stand in the database wrapped, so whoever has a copy of
the database has nothing; and whoever has the key-encryption key has nothing either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Wrapped(NamedTuple):
    """A person's key as it is stored: which key-encryption key it takes, and the wrapped key."""

    kek: str
    data: bytes


@dataclass(frozen=True)
class TransitSettings:
    """Where a Vault is. `token` is the path of a file with a token, which Vault Agent keeps fresh: read each time.
    `index_key` is the index key for blind indexes, as Transit wrapped it (`vault:v1:…`)."""

    address: str
    token: str
    key: str = "commongrid"
    mount: str = "transit"
    namespace: str | None = None
    index_key: str | None = None


class NoVault(Exception):
    """The service has no key-encryption key, so it can neither seal nor open personal data."""

    def __init__(self) -> None:
        super().__init__(
            "there is no key-encryption key for personal data: set COMMONGRID_KEYS to the path of a key ring "
            "(`python -m SERVICE events keys ring PATH` makes one), or COMMONGRID_VAULT to the address of a Vault"
        )


class VaultAway(ConnectionError):
    """The vault does not answer at the moment, or refuses: try again."""


class DoesNotUnwrap(Exception):
    """A wrapped key is not as it was, or another's, or its key-encryption key is not there any more."""


class KeyVault(Protocol):
    """Wraps persons' keys, many at once. Each is bound to its subject: under another's name it does not unwrap."""

    async def current(self) -> str:
        """The id of the key-encryption key that wraps from now on. Raises VaultAway, as all of these do."""
        ...

    async def wrap(self, keys: Sequence[tuple[str, bytes]]) -> Sequence[Wrapped]:
        """Wraps (subject, key) pairs."""
        ...

    async def unwrap(self, keys: Sequence[tuple[str, Wrapped]]) -> Sequence[bytes]:
        """The keys again, whichever key-encryption key they are under. Raises DoesNotUnwrap."""
        ...

    async def index_key(self) -> bytes:
        """The key for blind indexes, which wraps nothing. It lasts: another one would make every index useless."""
        ...
