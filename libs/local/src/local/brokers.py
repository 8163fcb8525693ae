"""The little that this package asks of a Kafka broker."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka has no types)

import logging

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it logs what it also raises


async def answers(bootstrap: str) -> bool:
    """Whether it tells its metadata, with at least one broker alive."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2_000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await admin.close()


async def leader(bootstrap: str, topic: str, partition: int) -> int | None:
    """The node that leads the partition; None while nobody does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (told,) = await admin.describe_topics([topic])
        node = next(it["leader"] for it in told["partitions"] if it["partition"] == partition)
        return node if node > 0 else None
    finally:
        await admin.close()


async def drop_topics(bootstrap: str, prefix: str) -> None:
    """Deletes all topics whose names begin so."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        if topics := [topic for topic in await admin.list_topics() if topic.startswith(prefix)]:
            await admin.delete_topics(topics)
    finally:
        await admin.close()
