"""Writes topics.yaml, scaling.yaml and partners.yaml of overlays/platform: what the code says of topics and consumer
groups, and who else may read which topic.

Topics come from the types of the published events (package `contracts`) and from the seals of each log, consumer groups
from each service's read models and policies, and who may follow a topic from the power list. Run
`.venv/bin/python deploy/k8s/generate.py` after a change of any of them; a test compares. The committed partners.yaml is
that of the example list. For a running system, and again whenever its list changes:

    curl -s http://registry/powers | .venv/bin/python deploy/k8s/generate.py --partners >partners.yaml
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from contracts.common import HolderKind
from contracts.registry import PowerFacts
from edge.powers import in_force
from events import Event, Service
from events.lag import group_name
from events.service import topic_of
from registry.domain.power import TOPICS

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

USER = """\
apiVersion: kafka.strimzi.io/v1
kind: KafkaUser
metadata: {{name: {name}, labels: {{strimzi.io/cluster: commongrid}}}}
spec:
  authentication: {{type: scram-sha-512}}
  authorization:
    type: simple
    acls:
      - {{resource: {{type: group, name: {name}., patternType: prefix}}, operations: [Read]}}
"""

MAY_READ = """\
      - {{resource: {{type: topic, name: {topic}, patternType: literal}}, operations: [Read, Describe]}}
"""

FOUNDING = Path(__file__).parents[2] / "examples/founding/powers.json"


def published() -> Iterator[type[Event]]:
    """Every event class of the published language."""
    for name in SERVICES:
        for value in vars(import_module(f"contracts.{name}")).values():
            if isinstance(value, type) and issubclass(value, Event) and hasattr(value, "type_name"):
                yield value


def topics() -> str:
    """A KafkaTopic for each aggregate kind that somebody publishes, and for the seals of each service's log."""
    return HEADER + "---\n".join(
        TOPIC.format(name=topic.replace("_", "-"), topic=topic, partitions=count)
        for topic, count in sorted(partitions().items())
    )


def partitions() -> dict[str, int]:
    """How many each topic has."""
    of_events = {topic_of(event.type_name, PREFIX): PARTITIONS for event in published()}
    return of_events | {service_named(name).seals(PREFIX): 1 for name in SERVICES}


def partners(powers: Iterable[PowerFacts], at: datetime) -> str:
    """A KafkaUser for each partner that may follow a topic at this moment: it may read that topic, in groups that begin
    with its name and a dot, and nothing else. Raises ValueError where the list names a topic that is not there."""
    may: dict[str, set[str]] = {}
    there = partitions()
    for facts in powers:
        if facts.power.startswith(TOPICS) and in_force(facts, at):
            topic = f"{PREFIX}.{facts.power.removeprefix(TOPICS)}"
            if topic not in there:
                raise ValueError(f"{facts.power}: there is no topic {topic}, only {', '.join(sorted(there))}")
            for holder in facts.holders:
                if holder.kind is HolderKind.PARTNER:
                    may.setdefault(holder.name, set()).add(topic)
    names = {holder: user_name(holder) for holder in sorted(may)}
    if len(set(names.values())) < len(names):
        raise ValueError(f"two partners would be one user of Kafka: {', '.join(names)}")
    users = (
        USER.format(name=name) + "".join(MAY_READ.format(topic=topic) for topic in sorted(may[holder]))
        for holder, name in names.items()
    )
    return HEADER + "---\n".join(users)


def user_name(partner: str) -> str:
    """What Kafka calls a partner: their client id as Kubernetes takes it. Raises ValueError if it cannot."""
    name = partner.replace("_", "-")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise ValueError(f"{partner!r} cannot be a user of Kafka: use small letters, digits, - and _")
    return name


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


def listed(text: str) -> list[PowerFacts]:
    """The power list, from a file to found with or as `GET /powers` answers it."""
    found = json.loads(text)
    return [PowerFacts.model_validate(it) for it in (found["items"] if isinstance(found, dict) else found)]


if __name__ == "__main__":
    now = datetime.now(UTC)
    if sys.argv[1:] == ["--partners"]:
        sys.stdout.write(partners(listed(sys.stdin.read()), now))
        raise SystemExit
    platform = Path(__file__).parent / "overlays/platform"
    (platform / "topics.yaml").write_text(topics(), encoding="utf-8")
    (platform / "scaling.yaml").write_text(scaling(), encoding="utf-8")
    (platform / "partners.yaml").write_text(partners(listed(FOUNDING.read_text("utf-8")), now), encoding="utf-8")
