"""The relay against what one would pick instead: Debezium's outbox event router, in a Kafka Connect worker.

`python -m benchmarks.debezium` pins its jars anew, after a change of a version.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from events import store
from events.event import START, Raw
from events.kafka import Partition, TopicReader, ensure_topics
from events.read_model import Connection
from events.settings import Settings
from events.wire import source_of
from local.jars import VERSION, Jars
from local.kafka import java
from local.ports import HOST, free_port
from local.postgres import ADMIN, Postgres
from local.processes import start

from benchmarks.append import fill
from benchmarks.desk import Reports, desk
from benchmarks.measuring import Bench, Benchmark, per_second
from benchmarks.relay import relayed

DEBEZIUM = "3.7.0.Final"
JARS = Jars(
    "Debezium",
    f"debezium-{DEBEZIUM}-kafka-{VERSION}",
    "+".join(
        [
            *(f"org.apache.kafka:{it}:{VERSION}" for it in ("connect-runtime", "connect-api", "connect-json")),
            *(f"org.apache.kafka:{it}:{VERSION}" for it in ("connect-transforms", "kafka-clients")),
            f"io.debezium:debezium-connector-postgres:{DEBEZIUM}",
            # jgo would take newer ones of these three than of the rest of Jetty:
            *(
                f"org.eclipse.jetty{it}:12.0.34"
                for it in (".ee10:jetty-ee10-servlet", ":jetty-security", ":jetty-session")
            ),
            "org.slf4j:slf4j-simple:1.7.36",
        ]
    ),
    Path(__file__).with_suffix(".sha256"),
)
JAVA_OPTIONS = (
    "-Xms1g",
    "-Xmx1g",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "--sun-misc-unsafe-memory-access=allow",  # what Kafka's libraries still do, and Java warns of
)
SECONDS_TO_START = 120
SECONDS_TO_ARRIVE = 300

OUTBOX = f"""
create table outbox (
    id text primary key,
    content_type text not null default 'application/json',
    specversion text not null default '1.0',
    source text not null default '{source_of("desk")}',
    type text not null,
    time timestamptz not null,
    subject text not null,
    sequence integer not null,
    position text not null,
    actor text,
    correlation text,
    causation text,
    traceparent text,
    data json not null
)"""
COLUMNS = (
    "id", "type", "time", "subject", "sequence", "position", "actor", "correlation", "causation", "traceparent", "data",
)  # fmt: skip
HEADERS = {
    "content_type": "content-type",
    "specversion": "ce_specversion",
    "source": "ce_source",
    "type": "ce_type",
    "time": "ce_time",
    "subject": "ce_subject",
    "sequence": "ce_sequence",
    "position": "ce_position",
    "actor": "ce_actor",
    "correlation": "ce_correlationid",
    "causation": "ce_causationid",
    "traceparent": "traceparent",
}
"""Which column goes into which header, as on our wire. The router adds one of its own, `id`, for our `ce_id`."""

STRINGS = "org.apache.kafka.connect.storage.StringConverter"


def worker(folder: Path, kafka: str) -> dict[str, str]:
    """The worker's properties: one that produces in batches as large as our relay's."""
    return {
        "bootstrap.servers": kafka,
        "listeners": f"http://{HOST}:{free_port()}",
        "offset.storage.file.filename": str(folder / "offsets"),
        "plugin.discovery": "service_load",
        "key.converter": STRINGS,
        "value.converter": STRINGS,
        "header.converter": STRINGS,
        "producer.acks": "all",
        "producer.enable.idempotence": "true",
        "producer.max.in.flight.requests.per.connection": "5",
        "producer.compression.type": "lz4",
        "producer.linger.ms": "5",
        "producer.batch.size": "900000",
        "producer.buffer.memory": "67108864",
    }


def connector(url: str, topic: str) -> dict[str, str]:
    """The connector's properties: queue and batches larger than by default, and short pauses."""
    place = urlsplit(url)
    return {
        "name": "outbox",
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "plugin.name": "pgoutput",
        "database.hostname": str(place.hostname),
        "database.port": str(place.port),
        "database.user": str(place.username),
        "database.password": str(place.password),
        "database.dbname": place.path.removeprefix("/"),
        "topic.prefix": "outbox",
        "table.include.list": "public.outbox",
        "publication.autocreate.mode": "filtered",
        "snapshot.mode": "no_data",
        "max.batch.size": "8192",
        "max.queue.size": "32768",
        "poll.interval.ms": "10",
        "transforms": "outbox",
        "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
        "transforms.outbox.table.field.event.id": "id",
        "transforms.outbox.table.field.event.key": "subject",
        "transforms.outbox.table.field.event.payload": "data",
        "transforms.outbox.table.fields.additional.placement": ",".join(
            f"{column}:header:{header}" for column, header in HEADERS.items()
        ),
        "transforms.outbox.route.by.field": "type",
        "transforms.outbox.route.topic.replacement": topic,
    }


def written(path: Path, properties: Mapping[str, str]) -> Path:
    """The file with these properties."""
    path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    return path


@asynccontextmanager
async def routing(kafka: str, topic: str) -> AsyncGenerator[Connection]:
    """An outbox in a PostgreSQL of its own, and the connector at work on it; yields a connection."""
    await asyncio.to_thread(JARS.fetch)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="commongrid-debezium-")))
        server = Postgres(folder / "postgres", folder / "postgres.log", settings={"wal_level": "logical"})
        stack.push_async_callback(server.end)
        await server.start()
        db = await asyncpg.connect(server.url(ADMIN))
        stack.push_async_callback(db.close)
        await db.execute(OUTBOX)
        connect = await start(
            "Kafka Connect",
            [
                java(),
                *JAVA_OPTIONS,
                "org.apache.kafka.connect.cli.ConnectStandalone",
                written(folder / "worker.properties", worker(folder, kafka)),
                written(folder / "connector.properties", connector(server.url(ADMIN), topic)),
            ],
            log=folder / "connect.log",
            env=os.environ | {"CLASSPATH": os.pathsep.join(map(str, JARS.paths))},
            cwd=folder,
        )
        stack.push_async_callback(connect.end, 15)

        async def streams() -> bool:
            return await db.fetchval("select exists (select from pg_stat_replication where state = 'streaming')")

        await connect.until(streams, SECONDS_TO_START)
        yield db


async def put(db: Connection, raws: Sequence[Raw]) -> None:
    """Commits the events to the outbox, in one transaction. The connector passes over what is removed before."""
    await db.execute("truncate outbox")
    rows = (
        (
            raw.id, raw.type, raw.recorded_at, raw.stream, raw.version, "{}.{}.{}".format(*raw.position),
            raw.actor, raw.correlation, raw.causation, raw.traceparent, raw.data.decode(),
        )
        for raw in raws
    )  # fmt: skip
    await db.copy_records_to_table("outbox", columns=COLUMNS, records=rows)


class Topic:
    """What the connector has brought to the topic."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._reader = TopicReader(settings, [name], None)
        self._partitions: Sequence[Partition] = ()

    async def start(self) -> None:
        async def assigned(partitions: list[Partition]) -> None:
            self._partitions = partitions
            for partition in partitions:
                self._reader.seek(partition, 0)

        await self._reader.start(assigned)

    async def stop(self) -> None:
        await self._reader.stop()

    async def count(self) -> int:
        """How many messages there are: asked of the broker, because to fetch them would take the machine's time."""
        return sum((await self._reader.ends(self._partitions)).values())

    async def until(self, count: int) -> None:
        """Waits until there are so many; raises TimeoutError."""
        deadline = time.monotonic() + SECONDS_TO_ARRIVE
        while await self.count() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"of {count} events, {await self.count()} came to the topic")
            await asyncio.sleep(0.005)

    async def read(self, count: int) -> list[Raw]:
        """The first so many, as our consumers read them."""
        found: list[Raw] = []
        while len(found) < count:
            for _, _, raws in await self._reader.read(1.0, 2000):
                found += raws
        return found


async def measure(bench: Bench) -> Sequence[float]:
    """Ours from the relay's start to its mark at the end; theirs, at work already, from the commit to the last event's
    acknowledgement. Before that it is held to bring the same events, and Java has had rounds to warm up."""
    count = bench.size(50_000, 10_000)
    async with AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(bench.runtime(desk(), "relay-debezium"))
        await fill(runtime, Reports(), count)
        raws = await store.read_after(runtime.db, START, count)

        settings = Settings("", bench.servers.kafka, "debezium")
        await ensure_topics(desk(), settings)
        name = desk().topics(settings.topic_prefix)[0]
        db = await stack.enter_async_context(routing(bench.servers.kafka, name))
        topic = Topic(settings, name)
        stack.push_async_callback(topic.stop)
        await topic.start()

        async def ours() -> float:
            return await per_second(count, relayed(runtime))

        async def theirs() -> float:
            there = await topic.count()
            async with db.transaction():
                await put(db, raws)
            return await per_second(count, topic.until(there + count))

        await theirs()
        if sorted(await topic.read(count), key=lambda raw: raw.position) != raws:
            raise AssertionError("Debezium's events are not ours")
        await theirs()
        return await bench.ratios(ours, theirs)


BENCHMARKS = [
    Benchmark(
        "relay-debezium",
        "relay",
        f"Debezium {DEBEZIUM}, outbox event router, at work already",
        1.0,
        measure,
    )
]

if __name__ == "__main__":
    JARS.pin()
