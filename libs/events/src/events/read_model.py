"""Read models: tables derived from events, which can be thrown away and rebuilt at any time.

A read model states its tables once and, per event class, the SQL that follows it: `on` for a handler that
takes a batch and writes a set (fast), `each` for one that takes an event at a time (simple). The kernel calls
them in a transaction that also records how far the read model has come, so each event takes effect once.

What a handler may rely on: events of one stream come in their order. Events of different streams may come in
any order, and a set handler may be given later events of one stream after earlier events of another; so write
what commutes across streams. Table names are unqualified: the kernel sets the search path to the live tables or
to those of a rebuild.
"""

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import asyncpg

from events.event import Batch, Catalogue, E, Event, Raw, Recorded

Connection: TypeAlias = "asyncpg.Connection[Any]"  # generic in the stubs only
Pool: TypeAlias = "asyncpg.Pool[Any]"
Database: TypeAlias = "Connection | Pool"
SetHandler = Callable[[Connection, Batch[Any]], Awaitable[None]]
F = TypeVar("F", bound=Callable[..., Awaitable[None]])


@dataclass(eq=False)
class ReadModel:
    """Tables and the handlers that fill them. Raise `version` when either changes what the rows are:
    the new version is built beside the old one, which serves until the new one has caught up.

    `personal` says that its handlers are to see personal fields, or which of them. All others read as erased; where
    there is nothing to see no key is asked for, and it goes on while the keys are away. `indexed`: that they make blind
    indexes of them (`Batch.blind_index`)."""

    name: str
    tables: str
    version: int = 1
    personal: bool | tuple[str, ...] = False
    indexed: bool = False
    _handlers: dict[type[Event], SetHandler] = field(default_factory=dict[type[Event], SetHandler], init=False)

    @property
    def schema(self) -> str:
        """The Postgres schema of its live tables."""
        return f"{self.name}_v{self.version}"

    @property
    def follows(self) -> tuple[type[Event], ...]:
        return tuple(self._handlers)

    def on(self, cls: type[E]) -> Callable[[Callable[[Connection, Batch[E]], Awaitable[None]]], SetHandler]:
        """Registers a set handler: `async def reported(db: Connection, events: Batch[CaseReported])`."""

        def register(handler: Callable[[Connection, Batch[E]], Awaitable[None]]) -> SetHandler:
            return self._add(cls, handler)

        return register

    def each(self, cls: type[E]) -> Callable[[Callable[[Connection, Recorded[E]], Awaitable[None]]], SetHandler]:
        """Registers a handler for one event at a time: `async def closed(db, event: Recorded[CaseClosed])`."""

        def register(handler: Callable[[Connection, Recorded[E]], Awaitable[None]]) -> SetHandler:
            async def one_by_one(db: Connection, events: Batch[E]) -> None:
                for event in events:
                    await handler(db, event)

            return self._add(cls, one_by_one)

        return register

    def _add(self, cls: type[Event], handler: SetHandler) -> SetHandler:
        if cls in self._handlers:
            raise TypeError(f"read model {self.name} has two handlers for {cls.__name__}; one event, one handler")
        self._handlers[cls] = handler
        return handler

    async def apply(
        self, db: Connection, raws: Sequence[Raw], catalogue: Catalogue, index_key: bytes | None = None
    ) -> None:
        """Calls the handlers for these events, few calls with large batches, each stream's order kept."""
        for cls, batch in batches(raws, catalogue):
            await self._handlers[cls](db, Batch(cls, batch, catalogue, index_key))


def batches(raws: Sequence[Raw], catalogue: Catalogue) -> list[tuple[type[Event], list[Raw]]]:
    """Groups events by class into as few batches as keep the order within each stream.

    Each event joins the first batch of its class that does not stand before its stream's previous event.
    """
    grouped: list[tuple[type[Event], list[Raw]]] = []
    of_class: dict[type[Event], list[int]] = {}
    last: dict[str, int] = {}
    for raw in raws:
        if raw.type not in catalogue:
            continue
        cls = catalogue.class_of(raw.type)
        places = of_class.setdefault(cls, [])
        fit = bisect_left(places, last.get(raw.stream, 0))
        if fit == len(places):
            places.append(len(grouped))
            grouped.append((cls, []))
        grouped[places[fit]][1].append(raw)
        last[raw.stream] = places[fit]
    return grouped
