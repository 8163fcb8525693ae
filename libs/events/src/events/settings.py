"""Where a service's parts are, and how they are to be used."""

from dataclasses import dataclass

from events.personal.ring import read_ring
from events.personal.vault import KeyVault


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
    keys: str | None = None
    """The key ring for personal data: the path of its file, or the ring itself."""

    def vault(self) -> KeyVault | None:
        """Where the key-encryption keys are, if anywhere. Raises NotARing, or OSError if there is no such file."""
        return read_ring(self.keys) if self.keys else None
