"""Waking those who wait for new events, inside this process and in the service's other processes.

An append must not NOTIFY: that would take a lock which serialises all commits of the database. It sets a flag here;
a task beside it sends one NOTIFY for all appends of the last moment.
"""

import asyncio

CHANNEL = "commongrid_appended"


class Wake:
    """A flag that any number of tasks wait for, each with a patience of its own."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self._count = 0
        self._appends = 0

    def set(self) -> None:
        """Wakes all who wait now."""
        self._count += 1
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def appended(self) -> None:
        """The same, as this process has appended: the others have yet to be told."""
        self._appends += 1
        self.set()

    @property
    def appends(self) -> int:
        """How often this process has appended."""
        return self._appends

    @property
    def count(self) -> int:
        """How often it was set: pass it to `wait`, so that what happens between looking and waiting is not missed."""
        return self._count

    async def wait(self, seen: int, seconds: float) -> None:
        """Returns when it was set since `seen`, or after `seconds`."""
        if self._count != seen:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout(seconds):  # wait_for swallows a cancellation that comes with the waking (3.11)
                await future
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(future)
