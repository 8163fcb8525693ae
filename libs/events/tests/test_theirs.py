"""Other systems' topics: what was not taken whole is read again, and what was is not."""

from contextlib import aclosing

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from events.theirs import Message, NoSuchTopic, lots, telling


@pytest.fixture
async def topic(kafka_server: str, topic_prefix: str) -> str:
    name = f"{topic_prefix}.theirs"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_server)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    return name


async def read(kafka: str, topic: str, lots_wanted: int, most: int) -> list[list[Message]]:
    """So many lots; who reads is ended before it has taken the last."""
    found: list[list[Message]] = []
    async with aclosing(lots(kafka, topic, topic, most)) as reading:
        async for lot in reading:
            found.append(list(lot))
            if len(found) == lots_wanted:
                break
    return found


async def test_a_lot_that_was_not_taken_is_read_again_and_what_was_taken_is_not(kafka_server: str, topic: str) -> None:
    async with telling(kafka_server, topic) as tell:
        await tell([(None, b"%d" % nth) for nth in range(5)])
    first = await read(kafka_server, topic, 2, 2)
    assert first == [
        [Message(f"{topic}[0]@0", b"0"), Message(f"{topic}[0]@1", b"1")],
        [Message(f"{topic}[0]@2", b"2"), Message(f"{topic}[0]@3", b"3")],
    ]
    assert [it.value for it in (await read(kafka_server, topic, 1, 5))[0]] == [b"2", b"3", b"4"]


async def test_a_topic_that_is_not_there_is_said_at_once(kafka_server: str) -> None:
    with pytest.raises(NoSuchTopic, match=r"no\.such"):
        await anext(lots(kafka_server, "no.such", "group"))
    with pytest.raises(NoSuchTopic, match=r"no\.such"):
        async with telling(kafka_server, "no.such"):
            pass
