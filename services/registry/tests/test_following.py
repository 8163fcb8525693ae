"""A register is kept from another system's topic, by a mapping, as from a file."""

# pyright: reportUnknownMemberType=false
# (aiokafka is hardly typed)

import asyncio

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from edge.mapping import Mapped
from registry.domain.imports import Tally
from registry.importing.following import enter, follow
from registry.importing.mapping import read_mapping

from .conftest import Office, Runtime

GRID = """{"type": "FeatureCollection", "features": [{"type": "Feature", "properties":
{"code": "G1", "name_zh": "样例", "name_en": "Sample"}, "geometry": {"type": "Polygon", "coordinates":
[[[120, 30], [120.01, 30], [120.01, 30.01], [120, 30.01], [120, 30]]]}}]}"""
ADDRESSES = """address_ref,division_code,street,number,building,unit,floor,room,longitude,latitude
A1,990502001001,样例路,1,,,,,120.005,30.005
"""
MAPPED: Mapped = read_mapping(
    b"""{"source": "market_office", "columns": {
    "unit_ref": "id", "name": "title", "category": {"from": "type", "values": {"T1": "shop"}},
    "address_ref": {"value": "A1"}, "credit_code": "uscc", "phone": {"value": ""}}}"""
)


def message(nth: int, title: str, uscc: str = "92990502MA9K4MJ71U") -> bytes:
    return orjson.dumps({"id": f"M{nth}", "title": title, "type": "T1", "uscc": uscc})


@pytest.fixture
async def town(office: Office) -> Office:
    await office.brings("grids", GRID)
    await office.brings("addresses", ADDRESSES)
    return office


async def test_what_comes_later_holds_and_a_bad_message_stops_nothing(town: Office, runtime: Runtime) -> None:
    messages = [message(1, "一"), b"no JSON", message(2, "二", uscc="wrong"), message(1, "一改")]
    tally = await enter(runtime.commands, "units", MAPPED, messages, [f"t[0]@{nth}" for nth in range(4)])
    assert tally == Tally(rows=4, registered=1, changed=1, unchanged=0, refused=2)
    again = await enter(runtime.commands, "units", MAPPED, messages[-1:], ["t[0]@3"])
    assert again == Tally(rows=1, unchanged=1)


@pytest.fixture
async def topic(kafka_server: str, topic_prefix: str) -> str:
    """Another system's topic, with three messages on it."""
    name = f"{topic_prefix}.market.units"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_server)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka_server)
    await producer.start()
    for nth in range(3):
        await producer.send_and_wait(name, message(nth, f"店{nth}"))
    await producer.stop()
    return name


async def test_a_topic_is_followed_and_goes_on_where_it_was(
    town: Office, runtime: Runtime, kafka_server: str, topic: str
) -> None:
    async def first() -> Tally:
        async for tally in follow(runtime.commands, kafka_server, topic, "units", MAPPED, topic):
            return tally
        raise AssertionError

    assert (await asyncio.wait_for(first(), 60)).registered == 3
    town.token = ""
    await runtime.commands.caught_up(next(it for it in runtime.service.read_models if it.name == "units"), 60)
    assert {row["name"] for row in await town.sees_all("/units")} == {"店0", "店1", "店2"}
