"""Policies: "when this happened, then do that". They issue commands; they own no tables.

A reaction runs at least once for each event; the commands it executes carry keys derived from the event, so they
take effect once. Where much happens at the same time, a reaction may take events of several streams at once
(`on_several`). A timer is set by a pure function of the event that causes it and commits with that event, survives
any restart, and takes effect once: its row goes in the transaction of the command that it leads to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic

from events.event import E, E_co, Event, Recorded
from events.telemetry import continued

if TYPE_CHECKING:
    from events.commands import Commands


@dataclass(frozen=True, slots=True)
class Timer:
    """Wake me at `due` (by the trade's clock). One timer of a name per stream: setting it again moves it."""

    name: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Cancel:
    """Forget this stream's timer of that name, if there is one."""

    name: str


@dataclass(frozen=True, slots=True)
class Due:
    """A timer that has come due, as its handler sees it. `id` is the thing's id: the stream without its kind."""

    name: str
    stream: str
    due: datetime
    attempts: int

    @property
    def id(self) -> str:
        return self.stream.partition("-")[2]


@dataclass(frozen=True, slots=True)
class Several(Generic[E_co]):
    """Events of one class, no two of them of the same stream, each with the commands to execute for it.

    `commands` is for what is looked up once for all of them; what it executed would have no key.
    """

    name: str
    commands: "Commands"
    events: Sequence[tuple["Commands", Recorded[E_co]]]

    def __iter__(self) -> Iterator[tuple["Commands", Recorded[E_co]]]:
        return iter(self.events)

    async def each(self, react: Callable[["Commands", Recorded[E_co]], Awaitable[None]]) -> None:
        """Reacts to all of them at the same time, so that what they load and append goes together, each in its own
        trace. Raises the first error, when all have ended."""

        async def one(commands: "Commands", event: Recorded[E_co]) -> None:
            with continued(event.raw.traceparent, f"react {self.name}", **{"commongrid.event": event.id}):
                await react(commands, event)

        ended = await asyncio.gather(*(one(*it) for it in self.events), return_exceptions=True)
        if errors := [it for it in ended if it is not None]:
            raise errors[0]


Reaction = Callable[["Commands", Recorded[Any]], Awaitable[None]]
ReactionToSeveral = Callable[[Several[Any]], Awaitable[None]]
TimerRule = Callable[[Any], Timer | Cancel | None]
DueHandler = Callable[["Commands", Due], Awaitable[None]]


@dataclass(eq=False)
class Policy:
    """A named set of reactions and timers. The name stands in keys and progress: do not change it lightly. `personal`
    as with a read model: whether its reactions are to see personal fields."""

    name: str
    personal: bool = False
    reactions: dict[type[Event], ReactionToSeveral] = field(
        default_factory=dict[type[Event], ReactionToSeveral], init=False
    )
    to_several: set[type[Event]] = field(default_factory=set[type[Event]], init=False)
    timer_rules: dict[type[Event], TimerRule] = field(default_factory=dict[type[Event], TimerRule], init=False)
    due_handlers: dict[str, DueHandler] = field(default_factory=dict[str, DueHandler], init=False)

    @property
    def follows(self) -> tuple[type[Event], ...]:
        return tuple(self.reactions)

    def on(self, cls: type[E]) -> Callable[[Callable[["Commands", Recorded[E]], Awaitable[None]]], Reaction]:
        """Registers a reaction: `async def dispatch(commands: Commands, event: Recorded[CaseAccepted])`."""

        def register(reaction: Callable[["Commands", Recorded[E]], Awaitable[None]]) -> Reaction:
            async def alone(several: Several[E]) -> None:
                await several.each(reaction)

            self._add(cls, alone)
            return reaction

        return register

    def on_several(self, cls: type[E]) -> Callable[[Callable[[Several[E]], Awaitable[None]]], ReactionToSeveral]:
        """Registers a reaction to whatever has happened of this class meanwhile, in different streams, in the order of
        the store: `async def dispatch(several: Several[CaseAccepted])`.

        Where it raises, it runs again for each event by itself, so that one of them can be parked: what it does by
        commands has taken effect then, and what it looked up may have changed.
        """

        def register(reaction: Callable[[Several[E]], Awaitable[None]]) -> ReactionToSeveral:
            self._add(cls, reaction)
            self.to_several.add(cls)
            return reaction

        return register

    def _add(self, cls: type[Event], reaction: ReactionToSeveral) -> None:
        if cls in self.reactions:
            raise TypeError(f"policy {self.name} has two reactions to {cls.__name__}")
        self.reactions[cls] = reaction

    def timer(
        self, cls: type[E]
    ) -> Callable[[Callable[[E], Timer | Cancel | None]], Callable[[E], Timer | Cancel | None]]:
        """Registers the timer that an event of this service sets or cancels: a pure function of the event."""

        def register(rule: Callable[[E], Timer | Cancel | None]) -> Callable[[E], Timer | Cancel | None]:
            if cls in self.timer_rules:
                raise TypeError(f"policy {self.name} has two timer rules for {cls.__name__}")
            self.timer_rules[cls] = rule
            return rule

        return register

    def due(self, name: str) -> Callable[[DueHandler], DueHandler]:
        """Registers what to do when the timer of that name comes due."""

        def register(handler: DueHandler) -> DueHandler:
            self.due_handlers[name] = handler
            return handler

        return register
