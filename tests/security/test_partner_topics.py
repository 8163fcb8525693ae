"""What a partner can learn from Kafka: the topics that the power list lets them follow, and no others.

Against a real broker that asks its ACLs, given those of deploy/k8s/overlays/platform/partners.yaml as the operator of
Strimzi would give them. How a partner proves who they are is simpler here (PLAIN instead of SCRAM over TLS).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka has no types)

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from aiokafka.protocol.admin import CreateAclsRequest
from local.kafka import Kafka

PARTNERS = Path(__file__).parents[2] / "deploy/k8s/overlays/platform/partners.yaml"
TOPICS = ("commongrid.registry.grid", "commongrid.registry.person", "commongrid.grid_tasks.case")
# As numbered by Kafka's protocol.
KINDS = {"topic": 2, "group": 3}
PATTERNS = {"literal": 3, "prefix": 4}
OPERATIONS = {"Read": 3, "Describe": 8}
ALLOW = 3
MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"
SASL: dict[str, Any] = {
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "PLAIN",
    "sasl_plain_password": "secret",
}


def users() -> dict[str, list[dict[str, Any]]]:
    documents = yaml.safe_load_all(PARTNERS.read_text(encoding="utf-8"))
    return {it["metadata"]["name"]: it["spec"]["authorization"]["acls"] for it in documents}


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Kafka]:
    """A broker with two doors as in the manifests: one of the services' own, one where partners say who they are."""
    folder = tmp_path_factory.mktemp("kafka")
    passwords = " ".join(f'user_{name}="secret"' for name in users())
    kafka = Kafka(
        folder,
        folder / "log.txt",
        properties={
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.plaintext.plain.sasl.jaas.config": f"{MODULE} required {passwords};",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        },
    )
    await kafka.start()
    try:
        await filled(kafka.direct)
        await allowed(kafka.direct)
        yield kafka
    finally:
        await kafka.end()


async def filled(bootstrap: str) -> None:
    """With the topics, and an event on each."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1) for topic in TOPICS])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for topic in TOPICS:
            await producer.send_and_wait(topic, topic.encode())


async def allowed(bootstrap: str) -> None:
    """What the committed file gives to each of its users."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    for name, acls in users().items():
        for acl in acls:
            for operation in acl["operations"]:
                it = acl["resource"]
                given = (KINDS[it["type"]], it["name"], PATTERNS[it["patternType"]], f"User:{name}", "*")
                request = CreateAclsRequest(*given, OPERATIONS[operation], ALLOW)
                answer = await client.send(client.get_random_node(), request)
                assert [error for error, _ in answer.creation_responses] == [0]
    await client.close()


@asynccontextmanager
async def consumer(kafka: Kafka, who: str, topic: str, group: str) -> AsyncGenerator[AIOKafkaConsumer]:
    it = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        sasl_plain_username=who,
        **SASL,
    )
    try:
        await it.start()
        yield it
    finally:
        await it.stop()


async def first(kafka: Kafka, who: str, topic: str, group: str) -> bytes | None:
    async with consumer(kafka, who, topic, group) as reading:
        record = await reading.getone()
        await reading.commit()
        return record.value


async def test_a_partner_follows_what_the_list_gives_them_in_groups_of_their_own(kafka: Kafka) -> None:
    assert await first(kafka, "city-platform", "commongrid.registry.grid", "city-platform.map") == TOPICS[0].encode()
    assert await first(kafka, "hotline-12345", "commongrid.grid_tasks.case", "hotline-12345.a") == TOPICS[2].encode()


@pytest.mark.parametrize(
    ("topic", "group", "error"),
    [
        ("commongrid.registry.person", "city-platform.map", TopicAuthorizationFailedError),
        ("commongrid.grid_tasks.case", "city-platform.map", TopicAuthorizationFailedError),
        ("commongrid.registry.grid", "hotline-12345.a", GroupAuthorizationFailedError),
        ("commongrid.registry.grid", "commongrid.notifications.contacts", GroupAuthorizationFailedError),
    ],
)
async def test_other_topics_and_others_groups_are_not_theirs(
    kafka: Kafka, topic: str, group: str, error: type[KafkaError]
) -> None:
    with pytest.raises(error):
        await first(kafka, "city-platform", topic, group)


async def test_they_are_not_even_told_that_there_are_other_topics(kafka: Kafka) -> None:
    async with consumer(kafka, "city-platform", "commongrid.registry.grid", "city-platform.map") as reading:
        assert await reading.topics() == {"commongrid.registry.grid"}


async def test_they_write_nothing(kafka: Kafka) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, sasl_plain_username="city-platform", enable_idempotence=False, **SASL
    ) as producer:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait("commongrid.registry.grid", b"made up")
