"""Group commit: what several commands append at the same time goes to Postgres together.

A commit costs a round trip and a flush to disk, whatever it holds. So while a few are under way, the appends that come
meanwhile wait, and then go in one transaction: the more come at once, the less each costs. Nobody waits when nothing is
under way. What one of them is refused for is no concern of the others: then each goes by itself.
"""

import asyncio
from collections.abc import Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from events import store
from events.event import Position
from events.read_model import Pool
from events.store import Appending, Conflict, KeyUsed, TimerGone

AT_ONCE = 2
"""Commits under way: one can be prepared while Postgres flushes the other."""
MOST = 100
"""Appends in a group."""


@dataclass(slots=True, eq=False)
class _Waiting:
    appending: Appending
    done: asyncio.Future[Position] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    context: Context = field(default_factory=copy_context)


class GroupCommit:
    """Commits the appends of one process."""

    def __init__(self, db: Pool) -> None:
        self._db = db
        self._waiting: list[_Waiting] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def append(self, appending: Appending) -> Position:
        """Returns when it is committed. Raises what `store.append` raises for this one alone."""
        waiting = _Waiting(appending)
        self._waiting.append(waiting)
        self._start()
        return await waiting.done

    def _start(self) -> None:
        while self._waiting and len(self._under_way) < AT_ONCE:
            group = self._next_group()
            # What is traced of it belongs to the request that waited longest.
            task = asyncio.create_task(self._commit(group), context=group[0].context)
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._start()

    def _next_group(self) -> list[_Waiting]:
        """The longest waiting ones, of which no two touch the same stream or carry the same key."""
        group: list[_Waiting] = []
        left: list[_Waiting] = []
        taken: set[str] = set()
        for waiting in self._waiting:
            touched = {*waiting.appending.expected, *_key(waiting.appending)}
            if len(group) < MOST and taken.isdisjoint(touched):
                group.append(waiting)
                taken |= touched
            else:
                left.append(waiting)
        self._waiting = left
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        try:
            positions = await store.append(self._db, [waiting.appending for waiting in group])
        except (Conflict, KeyUsed, TimerGone) as error:
            if len(group) > 1:
                await asyncio.gather(*(self._commit([waiting]) for waiting in group))
            else:
                _fail(group, error)
        except Exception as error:
            _fail(group, error)
        except asyncio.CancelledError:
            for waiting in group:
                waiting.done.cancel()
            raise
        else:
            for waiting, position in zip(group, positions, strict=True):
                if not waiting.done.done():  # whoever waited may have gone away
                    waiting.done.set_result(position)


def _key(appending: Appending) -> tuple[str, ...]:
    return (f"key {appending.key.value}",) if appending.key else ()


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for waiting in group:
        if not waiting.done.done():
            waiting.done.set_exception(error)
