"""Three brokers: what was acknowledged outlives any of them."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false
# (aiokafka has no types)

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from events.testing import eventually
from local.kafka_cluster import KafkaCluster
from local.services import Service

TOPIC = "commongrid.grid_tasks.case"


@pytest.fixture(scope="module")
async def cluster(shared_folder: Path) -> AsyncGenerator[KafkaCluster]:
    brokers = KafkaCluster(shared_folder / "kafka", shared_folder)
    await brokers.start()
    yield brokers
    await brokers.end()


@pytest.fixture(scope="module")
async def topic(cluster: KafkaCluster) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 3, 3)])
    await admin.close()
    return TOPIC


class Sender:
    """Sends numbers, one after the other, each again and again until it is acknowledged."""

    def __init__(self, cluster: KafkaCluster, topic: str) -> None:
        self._cluster, self._topic = cluster, topic
        self.acknowledged: list[int] = []

    async def run(self) -> None:
        while True:
            with suppress(KafkaError):  # after an error a producer is of no use any more: its numbers have a gap
                await self._send()

    async def _send(self) -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=self._cluster.bootstrap, enable_idempotence=True, acks="all", request_timeout_ms=5000
        ) as producer:
            while True:
                number = len(self.acknowledged)
                await producer.send_and_wait(self._topic, str(number).encode(), partition=0)
                self.acknowledged.append(number)

    async def sends(self, more: int) -> None:
        """Waits until it has sent so many more."""
        wanted = len(self.acknowledged) + more

        async def sent() -> bool:
            return len(self.acknowledged) >= wanted

        await eventually(sent)


async def kept(cluster: KafkaCluster, topic: str) -> list[int]:
    """What the partition holds."""
    async with AIOKafkaConsumer(bootstrap_servers=cluster.direct) as consumer:
        it = TopicPartition(topic, 0)
        consumer.assign([it])
        await consumer.seek_to_beginning(it)
        end = (await consumer.end_offsets([it]))[it]
        found: list[int] = []
        while await consumer.position(it) < end:
            found += [int(message.value or b"") for message in (await consumer.getmany(timeout_ms=500)).get(it, [])]
        return found


async def leader(cluster: KafkaCluster, topic: str) -> int:
    found: list[int] = []

    async def somebody() -> bool:
        node = await cluster.leader(topic, 0)
        found[:] = [node] if node else []
        return bool(node)

    await eventually(somebody)
    return found[0]


async def test_what_was_acknowledged_outlives_the_leader_and_then_all_three(cluster: KafkaCluster, topic: str) -> None:
    sender = Sender(cluster, topic)
    sending = asyncio.create_task(sender.run())
    await sender.sends(20)

    first = await leader(cluster, topic)
    await cluster.kill(first)
    await sender.sends(20)
    assert await leader(cluster, topic) != first
    await cluster.start(first)
    await sender.sends(20)
    await cluster.kill()
    await cluster.start()
    await sender.sends(20)

    sending.cancel()
    await asyncio.wait([sending])
    assert sending.cancelled()
    found = await kept(cluster, topic)
    assert set(sender.acknowledged) <= set(found)
    assert found == sorted(found)


async def test_topics_of_a_service_are_kept_by_three_and_written_by_two(
    cluster: KafkaCluster, fresh_database: str, tmp_path: Path
) -> None:
    environment = {
        "COMMONGRID_DATABASE_URL": fresh_database,
        "COMMONGRID_KAFKA": cluster.bootstrap,
        "COMMONGRID_TOPIC_PREFIX": "three",
        "COMMONGRID_TOPIC_REPLICAS": "3",
        "COMMONGRID_LOCAL": "true",
    }
    service = Service("grid_tasks", tmp_path / "grid_tasks.log", 0, lambda: environment)
    service.take_port()
    await service.migrate()
    case = "three.grid_tasks.case"
    async with AIOKafkaConsumer(case, bootstrap_servers=cluster.bootstrap, group_id="board"):
        pass  # offsets of groups are kept in a topic of their own

    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    await admin.start()
    told = await admin.describe_topics([case, "__consumer_offsets"])
    (configs,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, case)])
    await admin.close()

    assert {len(it["replicas"]) for topic in told for it in topic["partitions"]} == {3}
    values = {name: value for name, value, *_ in configs.resources[0][4]}
    assert values["min.insync.replicas"] == "2"
