"""Kafka's clients go through the proxy; brokers, and who looks from outside, do not."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka has no types)

import asyncio
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from local.kafka import Kafka
from local.ports import HOST, free_port
from proxy import Proxy

TOPIC = "commongrid.grid_tasks.case"


async def test_a_stalled_proxy_holds_up_clients_but_not_the_broker(tmp_path: Path) -> None:
    port = free_port()
    async with Proxy(HOST, port) as proxy:
        kafka = Kafka(tmp_path / "kafka", tmp_path / "kafka.log", port, advertised=proxy.port)
        assert kafka.bootstrap == f"{HOST}:{proxy.port}"
        await proxy.stall()
        await kafka.start()
        try:
            admin = AIOKafkaAdminClient(bootstrap_servers=kafka.direct)
            await admin.start()
            await admin.create_topics([NewTopic(TOPIC, 1, 1)])
            await admin.close()
            await proxy.heal()
            await _passes(kafka, proxy)
        finally:
            await kafka.end()


async def _passes(kafka: Kafka, proxy: Proxy) -> None:
    async with (
        AIOKafkaProducer(bootstrap_servers=f"{HOST}:{kafka.port}") as through,  # it is told where the proxy is
        AIOKafkaProducer(bootstrap_servers=kafka.direct) as beside,
        AIOKafkaConsumer(TOPIC, bootstrap_servers=kafka.direct, auto_offset_reset="earliest") as consumer,
    ):
        await through.send_and_wait(TOPIC, b"reported")
        await proxy.stall()
        sending = asyncio.create_task(through.send_and_wait(TOPIC, b"closed"))
        await beside.send_and_wait(TOPIC, b"accepted")
        assert [(await consumer.getone()).value for _ in range(2)] == [b"reported", b"accepted"]
        await proxy.heal()
        await sending
        assert (await consumer.getone()).value == b"closed"
