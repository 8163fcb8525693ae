"""Policies: "when this happened, then do that". They issue commands; they own no tables.

A reaction runs at least once for each event; the commands it executes carry keys derived from the event, so they
take effect once. A timer is set by a pure function of the event that causes it and commits with that event, survives
any restart, and takes effect once: its row goes in the transaction of the command that it leads to.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from events.event import E, Event, Recorded

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


Reaction = Callable[["Commands", Recorded[Any]], Awaitable[None]]
TimerRule = Callable[[Any], Timer | Cancel | None]
DueHandler = Callable[["Commands", Due], Awaitable[None]]


@dataclass(eq=False)
class Policy:
    """A named set of reactions and timers. The name stands in keys and progress: do not change it lightly. `personal`
    as with a read model: whether its reactions are to see personal fields."""

    name: str
    personal: bool = False
    reactions: dict[type[Event], Reaction] = field(default_factory=dict[type[Event], Reaction], init=False)
    timer_rules: dict[type[Event], TimerRule] = field(default_factory=dict[type[Event], TimerRule], init=False)
    due_handlers: dict[str, DueHandler] = field(default_factory=dict[str, DueHandler], init=False)

    @property
    def follows(self) -> tuple[type[Event], ...]:
        return tuple(self.reactions)

    def on(self, cls: type[E]) -> Callable[[Callable[["Commands", Recorded[E]], Awaitable[None]]], Reaction]:
        """Registers a reaction: `async def dispatch(commands: Commands, event: Recorded[CaseAccepted])`."""

        def register(reaction: Callable[["Commands", Recorded[E]], Awaitable[None]]) -> Reaction:
            if cls in self.reactions:
                raise TypeError(f"policy {self.name} has two reactions to {cls.__name__}")
            self.reactions[cls] = reaction
            return reaction

        return register

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
