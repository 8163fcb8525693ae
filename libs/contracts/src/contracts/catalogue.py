"""Every published event type, by the service that publishes it."""

from collections.abc import Iterator, Mapping
from types import ModuleType

from contracts import assessment, grid_tasks, notifications, registry
from events import Event
from events.event import Catalogue, service_of


def _published(module: ModuleType) -> Iterator[type[Event]]:
    """The event classes of a module that have a type name of their own (bases with common fields have none)."""
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Event) and "type_name" in vars(value):
            if service_of(value.type_name) != module.__name__.rpartition(".")[2]:
                raise TypeError(f"{value.type_name} stands in {module.__name__}: a file per publishing service")
            yield value


PUBLISHED: Mapping[str, tuple[type[Event], ...]] = {
    module.__name__.rpartition(".")[2]: tuple(_published(module))
    for module in (registry, grid_tasks, assessment, notifications)
}
"""The classes of each service, in the order in which its file tells them."""

CATALOGUE = Catalogue(cls for classes in PUBLISHED.values() for cls in classes)
"""Reads every published event, older types included."""
