"""Where a service's parts are, and how they are to be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from events.privacy.keys import Keys
from events.privacy.ring import read_ring
from events.privacy.vault import KeyVault, TransitSettings


@dataclass(frozen=True)
class Settings:
    """`kafka` is a list of host:port, comma-separated. `instance` names this replica for ever, if its place in the
    cluster does (a StatefulSet's pod): Kafka then hands it its partitions back without a rebalance."""

    database_url: str
    kafka: str
    topic_prefix: str = "commongrid"
    instance: str | None = None
    partitions: int = 12
    replication: int = 1
    min_pool: int = 1
    max_pool: int = 16
    statement_cache_size: int = 1024
    """Statements that each connection keeps prepared; 0 behind a transaction pooler."""
    keys: str | None = field(default=None, repr=False)
    """The key ring for personal data: the path of its file, or the ring itself."""
    transit: TransitSettings | None = None
    """A Vault that has the key-encryption key, instead of a ring."""
    key_owners: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where other services, whose events are read, give out their keys: the base URL of each, by name."""
    key_token: str | None = None
    """The path of the file with the bearer token to ask them with."""
    key_purpose: str = ""
    """What this service needs others' personal data for: they decide by it, and record it."""

    # What speaks HTTP is loaded by those alone who use it: it is some megabytes of every process.

    def vault(self) -> KeyVault | None:
        """Where the key-encryption keys are, if anywhere. Raises NotARing, or OSError if there is no such file."""
        if self.transit:
            from events.privacy.transit import Transit

            return Transit(self.transit)
        return read_ring(self.keys) if self.keys else None

    def foreign_keys(self) -> Mapping[str, Keys]:
        """Where the keys of other services' events come from."""
        if not (self.key_owners and self.key_token):
            return {}
        from events.privacy.client import KeyClient

        token = Path(self.key_token)
        return {owner: KeyClient(url, token, self.key_purpose) for owner, url in self.key_owners.items()}
