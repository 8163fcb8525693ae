"""Which partition a stream's events go to: Kafka's own rule (murmur2 of the key), computed here, because whoever holds
a consistency token must know it too."""

from functools import lru_cache

from aiokafka.partitioner import murmur2  # pyright: ignore[reportUnknownVariableType]


@lru_cache(maxsize=65_536)
def partition_of(stream: str, partitions: int) -> int:
    """The partition, of so many, that Kafka's default partitioner gives to this key."""
    return (murmur2(stream.encode()) & 0x7FFFFFFF) % partitions
