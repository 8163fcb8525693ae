"""A full disk, and what Kafka does about it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka has no types)

import asyncio
import errno
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from disk import SmallDisk, small_disk
from local.errors import MissingPart
from local.kafka import Kafka

TOPIC = "commongrid.grid_tasks.case"


@pytest.fixture
def small(tmp_path: Path) -> Generator[SmallDisk]:
    try:
        with small_disk(tmp_path / "disk", mebibytes=32) as it:
            yield it
    except MissingPart as missing:
        pytest.skip(str(missing))


def test_a_full_disk_takes_nothing_until_it_is_freed(small: SmallDisk) -> None:
    (small.folder / "note").write_bytes(b"reported")
    small.fill()
    with pytest.raises(OSError, match="No space left") as refused:
        (small.folder / "more").write_bytes(b"closed")
    assert refused.value.errno == errno.ENOSPC
    small.free()
    (small.folder / "more").write_bytes(b"closed")
    assert (small.folder / "note").read_bytes() == b"reported"


def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with suppress(MissingPart), small_disk(folder, mebibytes=1) as it:
        assert folder.is_mount()
        it.fill()
    assert not folder.exists()


def test_who_may_not_mount_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "mount"
    program.write_text("#!/bin/sh\necho 'mount: permission denied.' >&2\nexit 32\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(MissingPart, match=r"needs the right to mount.*permission denied"),
        small_disk(tmp_path / "disk", 1),
    ):
        pytest.fail("it was mounted")


async def test_kafka_halts_on_a_full_disk_and_has_kept_what_it_acknowledged(small: SmallDisk, tmp_path: Path) -> None:
    kafka = Kafka(tmp_path / "kafka", tmp_path / "kafka.log", data=small.folder / "log")
    await kafka.start()
    try:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic(TOPIC, 1, 1)])
        await admin.close()
        acknowledged = await _sent(kafka, 5)
        sending = asyncio.create_task(_sent(kafka, 1_000_000, first=5))
        small.fill()
        assert kafka.child
        assert await asyncio.wait_for(kafka.child.wait(), 120) > 0, "it halts"
        acknowledged += await sending

        small.free()
        await kafka.start()
        after = [2_000_000]
        assert await _sent(kafka, 1, first=after[0]) == after
        assert set(acknowledged + after) <= set(await _kept(kafka, after[0]))
    finally:
        await kafka.end()


async def _sent(kafka: Kafka, count: int, first: int = 0) -> list[int]:
    """Sends numbers, each with much beside it, until one is refused; returns those that were acknowledged."""
    acknowledged: list[int] = []
    with suppress(KafkaError):
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", request_timeout_ms=5000) as producer:
            for number in range(first, first + count):
                await producer.send_and_wait(TOPIC, str(number).encode().ljust(20_000))
                acknowledged.append(number)
    return acknowledged


async def _kept(kafka: Kafka, last: int) -> list[int]:
    found: list[int] = []
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as consumer:
        while not found or found[-1] != last:
            found.append(int((await consumer.getone()).value or b""))
    return found
