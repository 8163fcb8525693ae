"""A service needs only its own database to serve (promise 11)."""

from collections.abc import Awaitable, Callable

from events.migrate import migrate
from events.settings import Settings
from events.testing import eventually
from front_desk import MATTER, Note, Raise, at_work, desk, has_journalled, journal, recorded

NewDatabase = Callable[..., Awaitable[str]]
NO_KAFKA = "127.0.0.1:9"


async def test_without_kafka_from_the_start_it_takes_commands_and_shows_its_own_data(new_database: NewDatabase) -> None:
    service, url = desk(journal()), await new_database()
    await migrate(service, Settings(url, NO_KAFKA))
    async with at_work(service, url, NO_KAFKA, "alone") as runtime:
        assert await runtime.ready() == []
        await runtime.commands.execute(MATTER, "a", Raise())
        await runtime.commands.execute(MATTER, "a", Note("noted"))
        await eventually(lambda: shows_everything(runtime.db))
        assert await runtime.ready() == []


async def shows_everything(db: object) -> bool:
    return await has_journalled(db, await recorded(db))  # type: ignore[arg-type]


async def test_without_its_database_it_says_so_and_is_there_when_the_database_is(new_database: NewDatabase) -> None:
    service, url = desk(journal()), await new_database()
    await migrate(service, Settings(url, NO_KAFKA))
    nowhere = url.replace(url.rpartition("@")[2].partition("/")[0], "127.0.0.1:9")
    async with at_work(service, nowhere, NO_KAFKA, "alone") as runtime:
        assert "the database does not answer" in (await runtime.ready())[0]
