"""Apache Kafka as operators run it: several nodes, each topic kept by up to three, and written by two at least.

Topics must be made with so many replicas: COMMONGRID_TOPIC_REPLICAS=3 tells the services.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from local.brokers import leader
from local.kafka import Kafka, Place, cluster_of
from local.ports import free_port


class KafkaCluster:
    """The nodes, numbered from 1. Their ports and data stay."""

    def __init__(
        self,
        folder: Path,
        logs: Path,
        *,
        brokers: int = 3,
        ports: Mapping[int, int] | None = None,
        advertised: Mapping[int, int] | None = None,
        data: Mapping[int, Path] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`ports`, `advertised` and `data` are given by node, where they matter: see Kafka. Each writes to `logs`."""
        controllers = {node: free_port() for node in range(1, brokers + 1)}
        replicas = min(brokers, 3)
        self.nodes = {
            node: Kafka(
                folder / f"{node}",
                logs / f"kafka-{node}.log",
                (ports or {}).get(node, 0),
                advertised=(advertised or {}).get(node, 0),
                data=(data or {}).get(node),
                place=Place(node, cluster_of(folder), controllers),
                properties=_kept_by(replicas),
                say=say,
            )
            for node in controllers
        }

    @property
    def bootstrap(self) -> str:
        """The addresses of all nodes, for clients."""
        return ",".join(it.bootstrap for it in self.nodes.values())

    @property
    def direct(self) -> str:
        """The addresses of all nodes, for clients that let nothing stand between."""
        return ",".join(it.direct for it in self.nodes.values())

    async def start(self, *nodes: int) -> None:
        """Starts these nodes, or all, at once: one alone would wait for the others. Raises a Trouble."""
        try:
            async with asyncio.TaskGroup() as group:
                for node in nodes or self.nodes:
                    group.create_task(self.nodes[node].start())
        except ExceptionGroup as errors:
            await self.end()
            raise errors.exceptions[0] from None

    async def end(self) -> None:
        """Stops all in order."""
        await asyncio.gather(*(it.end() for it in self.nodes.values()))

    async def kill(self, *nodes: int) -> None:
        """Ends these nodes, or all, at once, by SIGKILL; they stay down until they are started."""
        killed = [child for node in nodes or self.nodes if (child := self.nodes[node].child)]
        for child in killed:
            child.kill()
        for child in killed:
            await child.wait()

    async def leader(self, topic: str, partition: int) -> int | None:
        """The node that leads the partition; None while nobody does."""
        return await leader(self.direct, topic, partition)


def _kept_by(replicas: int) -> dict[str, str]:
    least = str(max(1, replicas - 1))
    return {
        "default.replication.factor": str(replicas),
        "min.insync.replicas": least,
        "offsets.topic.replication.factor": str(replicas),
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": least,
        "share.coordinator.state.topic.replication.factor": str(replicas),
        "share.coordinator.state.topic.min.isr": least,
        "log.cleaner.dedupe.buffer.size": "16777216",  # of Kafka's 128 MB, which three need not have
    }
