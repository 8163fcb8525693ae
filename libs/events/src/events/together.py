"""What several ask of a server at the same time goes there together: see `grouped` for what commands ask of Postgres.

A query costs a round trip, and a commit a flush to disk as well, whatever it holds. So while a few are under way, who
comes meanwhile waits, and then all go as one: the more come, the less each costs. Nobody waits when nothing is under
way. What one of them is refused for is no concern of the others: then each goes by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

AT_ONCE = 2
"""Groups under way: one can be prepared while Postgres minds the other."""
MOST = 100
"""Members of a group."""


@dataclass(slots=True, eq=False)
class _Waiting(Generic[A, B]):
    asked: A
    done: "asyncio.Future[B]"
    context: Context


class Together(Generic[A, B]):
    """Does for a whole group what each of its members asks for.

    `do` answers all of a group, in order. What two have in common by `touches` keeps them out of the same group. Where
    `do` raises one of `refusals`, each is done alone.
    """

    def __init__(
        self,
        do: Callable[[Sequence[A]], Awaitable[Sequence[B]]],
        touches: Callable[[A], Iterable[str]] = lambda _: (),
        refusals: tuple[type[Exception], ...] = (),
    ) -> None:
        self._do = do
        self._touches = touches
        self._refusals = refusals
        self._waiting: list[_Waiting[A, B]] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def __call__(self, asked: A) -> B:
        """Returns when it is done. Raises what `do` raises for this one alone."""
        done: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(asked, done, copy_context())
        self._waiting.append(waiting)
        self._start()
        return await done

    def _start(self) -> None:
        while self._waiting and len(self._under_way) < AT_ONCE:
            group = self._next_group()
            # What is traced of it belongs to the request that waited longest.
            task = asyncio.create_task(self._go(group), context=group[0].context)
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._start()

    def _next_group(self) -> list[_Waiting[A, B]]:
        """The longest waiting ones, of which no two touch the same."""
        group: list[_Waiting[A, B]] = []
        left: list[_Waiting[A, B]] = []
        taken: set[str] = set()
        for waiting in self._waiting:
            touched = set(self._touches(waiting.asked))
            if len(group) < MOST and taken.isdisjoint(touched):
                group.append(waiting)
                taken |= touched
            else:
                left.append(waiting)
        self._waiting = left
        return group

    async def _go(self, group: Sequence[_Waiting[A, B]]) -> None:
        try:
            answers = await self._do([waiting.asked for waiting in group])
        except asyncio.CancelledError:
            for waiting in group:
                waiting.done.cancel()
            raise
        except Exception as error:
            if isinstance(error, self._refusals) and len(group) > 1:
                await asyncio.gather(*(self._go([waiting]) for waiting in group))
                return
            for waiting in group:
                if not waiting.done.done():  # whoever waited may have gone away
                    waiting.done.set_exception(error)
        else:
            for waiting, answer in zip(group, answers, strict=True):
                if not waiting.done.done():
                    waiting.done.set_result(answer)
