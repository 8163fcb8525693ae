"""A service at a glance: its aggregates, read models and policies, and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from events.aggregate import Aggregate
from events.event import Catalogue, Event, aggregate_of, service_of
from events.policy import Policy
from events.read_model import ReadModel

SEALS = "seals"


@dataclass(frozen=True)
class Service:
    """What a service is made of. `migrations` is the folder of its own numbered SQL, if it has any."""

    name: str
    aggregates: Sequence[Aggregate[Any, Any]] = ()
    read_models: Sequence[ReadModel] = ()
    policies: Sequence[Policy] = ()
    migrations: Path | None = None

    def __post_init__(self) -> None:
        for aggregate in self.aggregates:
            for cls in aggregate.events:
                if (service_of(cls.type_name), aggregate_of(cls.type_name)) != (self.name, aggregate.name):
                    raise TypeError(
                        f"{cls.__name__} has type {cls.type_name}, but stands in aggregate {aggregate.name} of service "
                        f"{self.name}: its type must begin with commongrid.{self.name}.{aggregate.name}."
                    )
        if any(aggregate.name == SEALS for aggregate in self.aggregates):
            raise TypeError(f"service {self.name}: no aggregate is named {SEALS}, as the topic of the log's seals is")
        names = [part.name for part in (*self.read_models, *self.policies)]
        if twice := {name for name in names if names.count(name) > 1}:
            raise TypeError(f"service {self.name} has two parts of the name {', '.join(sorted(twice))}")

    @cached_property
    def catalogue(self) -> Catalogue:
        """Every event class that this service writes or follows."""
        own = {cls for aggregate in self.aggregates for cls in aggregate.events}
        followed = {cls for part in (*self.read_models, *self.policies) for cls in part.follows}
        return Catalogue(own | followed)

    @property
    def personal(self) -> bool:
        """Whether this service's own events hold personal data, so that it keeps the keys of persons."""
        return any(cls.personal for aggregate in self.aggregates for cls in aggregate.events)

    def owns(self, cls: type[Event]) -> bool:
        """Whether this service writes events of this class."""
        return service_of(cls.type_name) == self.name

    def topics(self, prefix: str) -> list[str]:
        """The topics that this service publishes, one per aggregate kind."""
        return [f"{prefix}.{self.name}.{aggregate.name}" for aggregate in self.aggregates]

    def seals(self, prefix: str) -> str:
        """The topic on which it publishes the seals of its log."""
        return f"{prefix}.{self.name}.{SEALS}"

    def foreign_topics(self, part: ReadModel | Policy, prefix: str) -> list[str]:
        """The topics of other services that this read model or policy follows."""
        return sorted({topic_of(cls.type_name, prefix) for cls in part.follows if not self.owns(cls)})

    def follows_own(self, part: ReadModel | Policy) -> bool:
        """Whether this read model or policy follows this service's own events, from its own store."""
        return any(self.owns(cls) for cls in part.follows)


def topic_of(type_name: str, prefix: str) -> str:
    """The topic on which events of this type are published."""
    return f"{prefix}.{service_of(type_name)}.{aggregate_of(type_name)}"
