"""What a rebuild has parked holds back what follows, in the process that feeds the live one too (promises 5 and 6)."""

from collections.abc import Awaitable, Callable

import pytest
from events import Service, store
from events.consumer import Consumer
from events.progress import OWN, Chunk, Mark, Overtaken, marks
from events.rebuild import rebuild
from events.runtime import Runtime
from events.testing import eventually
from front_desk import MATTER, Note, Raise, desk, journal, journalled
from parked import MENDED, POISON, parked


async def test_a_process_that_could_take_an_event_knows_that_the_rebuild_could_not(
    opened: Callable[[Service], Awaitable[Runtime]],
) -> None:
    """The rebuild ends where the live one stands, and its handler is older: by its marks, nobody is overtaken."""
    model = journal()
    runtime = await opened(desk(model))
    async with runtime.consumer(model) as live:
        await live.db.execute(MENDED)
        await runtime.commands.execute(MATTER, "1", Raise())
        await runtime.commands.execute(MATTER, "1", POISON)
        begun = (await marks(live.db, live.name, OWN, [0]))[0]
        mark = await take_next(runtime, live, begun, 2)
        assert await journalled(runtime.db) == {"matter-1": [1, 2]}
        await rebuild(runtime, model)
        await runtime.commands.execute(MATTER, "1", Note("behind"))
        with pytest.raises(Overtaken, match="rebuilt"):
            await take_next(runtime, live, mark, 1)
    async with runtime.consumer(model) as live:  # as its feed does
        await take_next(runtime, live, mark, 1)
        assert [id_ for id_, _ in await parked(runtime)] == ["matter-1/2", "matter-1/3"]
        assert await journalled(runtime.db) == {"matter-1": [1]}


async def take_next(runtime: Runtime, consumer: Consumer, mark: Mark, count: int) -> Mark:
    async def readable() -> bool:
        return len(await store.read_after(runtime.db, mark.position, 10)) == count

    await eventually(readable)
    raws = await store.read_after(runtime.db, mark.position, count)
    after = Mark(0, raws[-1].position)
    await consumer.take([Chunk(OWN, 0, mark, after, raws)])
    return after
