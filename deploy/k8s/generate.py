"""Writes topics.yaml and scaling.yaml of overlays/platform: what the code says of topics and consumer groups.

Topics come from the types of the published events (package `contracts`) and from the seals of each log, consumer groups
from each service's read models and policies. Run `.venv/bin/python deploy/k8s/generate.py` after a change of either; a
test compares.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from events import Event, Service
from events.lag import group_name
from events.service import topic_of

SERVICES = ("registry", "grid_tasks", "assessment", "notifications")
PARTITIONS = 12  # fixed for ever: see "Partitions" in docs/architecture.md
PREFIX = "commongrid"
HEADER = "# Written by deploy/k8s/generate.py. Change the code that it reads, not this file.\n"

TOPIC = """\
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: {{name: {name}, labels: {{strimzi.io/cluster: commongrid}}}}
spec:
  topicName: {topic}
  partitions: {partitions}
  replicas: 3
  config: {{cleanup.policy: delete, retention.ms: -1, retention.bytes: -1}} # kept for ever
"""

SCALED = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: {name}-worker}}
spec:
  scaleTargetRef: {{kind: StatefulSet, name: {name}-worker}}
  minReplicaCount: 2
  maxReplicaCount: {partitions}
  # Each coming and going makes the others stop and share out partitions anew: leave slowly.
  advanced: {{horizontalPodAutoscalerConfig: {{behavior: {{scaleDown: {{stabilizationWindowSeconds: 600}}}}}}}}
  triggers:
"""

TRIGGER = """\
    - type: kafka
      metadata:
        bootstrapServers: commongrid-kafka-bootstrap.commongrid.svc:9092
        consumerGroup: {group}
        lagThreshold: "2000"
        offsetResetPolicy: earliest
"""


def published() -> Iterator[type[Event]]:
    """Every event class of the published language."""
    for name in SERVICES:
        for value in vars(import_module(f"contracts.{name}")).values():
            if isinstance(value, type) and issubclass(value, Event) and hasattr(value, "type_name"):
                yield value


def topics() -> str:
    """A KafkaTopic for each aggregate kind that somebody publishes, and for the seals of each service's log."""
    partitions = {topic_of(event.type_name, PREFIX): PARTITIONS for event in published()}
    partitions |= {service_named(name).seals(PREFIX): 1 for name in SERVICES}
    return HEADER + "---\n".join(
        TOPIC.format(name=topic.replace("_", "-"), topic=topic, partitions=count)
        for topic, count in sorted(partitions.items())
    )


def groups(service: Service) -> list[str]:
    """The consumer groups of a service: one for each read model or policy that follows another service's events."""
    parts = (*service.read_models, *service.policies)
    return sorted(group_name(PREFIX, service, part) for part in parts if service.foreign_topics(part, PREFIX))


def service_named(name: str) -> Service:
    """The service, as its composition root declares it."""
    [service] = {
        id(value): value for value in vars(import_module(f"{name}.service")).values() if isinstance(value, Service)
    }.values()
    return service


def scaling() -> str:
    """A ScaledObject for each worker that follows somebody: as many workers as its most delayed group asks for."""
    return HEADER + "---\n".join(
        SCALED.format(name=name.replace("_", "-"), partitions=PARTITIONS)
        + "".join(TRIGGER.format(group=group) for group in found)
        for name in SERVICES
        if (found := groups(service_named(name)))
    )


if __name__ == "__main__":
    platform = Path(__file__).parent / "overlays/platform"
    (platform / "topics.yaml").write_text(topics(), encoding="utf-8")
    (platform / "scaling.yaml").write_text(scaling(), encoding="utf-8")
