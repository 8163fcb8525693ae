"""What a service does by itself every hour: each under a name of its own, none in another's place."""

from collections.abc import Awaitable

import pytest
from edge.application import Task
from edge.hourly import hourly
from edge.main import _add  # pyright: ignore[reportPrivateUsage]
from events.runtime import Runtime


async def erase(_: Runtime) -> int:
    return 0


async def measure(_: Runtime) -> int:
    return 0


def test_two_of_them_have_two_names() -> None:
    assert [hourly("one", erase).__name__, hourly("other", measure).__name__] == ["erase", "measure"]


def test_nothing_takes_the_place_of_something_else() -> None:
    async def nothing() -> None: ...

    def task(_: Runtime) -> Awaitable[None]:
        raise AssertionError("it is not begun")

    task.__name__ = "work"
    tasks: list[Task] = [task]
    work: dict[str, Awaitable[None]] = {"work": (begun := nothing())}
    with pytest.raises(TypeError, match="work"):
        _add(work, None, tasks)  # pyright: ignore[reportArgumentType]  # nobody asks it for anything
    begun.close()
