"""Who just wrote can read it, in any service, by passing on a token (promise 10)."""

from collections.abc import Awaitable, Callable

import pytest
from events import NotYet, Position, Token
from events.event import START
from events.testing import running
from front_desk import (
    MATTER,
    Raise,
    busy,
    desk,
    hall,
    journal,
    journalled,
    recorded,
)

NewDatabase = Callable[..., Awaitable[str]]


async def test_who_just_wrote_reads_it_in_the_own_service_and_in_another(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with (
        running(desk(journal()), await new_database(), kafka_server, topic_prefix) as here,
        running(hall(journal()), await new_database(), kafka_server, topic_prefix) as there,
    ):
        for nth in range(20):
            done = await here.commands.execute(MATTER, f"{nth}", Raise())
            passed_on = Token.parse(str(done.token))
            assert passed_on == done.token
            for runtime in (here, there):
                await runtime.commands.wait_for(passed_on, runtime.service.read_models[0], 30)
                assert f"matter-{nth}" in await journalled(runtime.db)


async def test_a_read_model_that_has_not_come_so_far_says_not_yet(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with (
        running(desk(journal()), await new_database(), kafka_server, topic_prefix, work=False) as here,
        running(hall(journal()), await new_database(), kafka_server, topic_prefix) as there,
    ):
        done = await here.commands.execute(MATTER, "1", Raise())
        assert done.token
        for runtime in (here, there):
            with pytest.raises(NotYet, match="journal"):
                await runtime.commands.wait_for(done.token, runtime.service.read_models[0], 0.1)
        with pytest.raises(NotYet):
            await here.commands.caught_up(here.service.read_models[0], 0.1)


async def test_a_read_model_that_does_not_follow_the_writer_need_not_wait(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(hall(journal()), await new_database(), kafka_server, topic_prefix, work=False) as there:
        journal_there = there.service.read_models[0]
        for token in (
            Token("hall", "screen-1", Position(1, 1, 1)),
            Token("desk", "visitor-1", Position(1, 1, 1)),
            Token("else", "where-1", Position(1, 1, 1)),
        ):
            await there.commands.wait_for(token, journal_there, 0.1)


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "x",
        "not a token",
        "令牌",
        "%00",
        str(Token("desk", "matter-1", START))[:-3],
        str(Token("desk", "matter 1", START)),
        str(Token("desk", "matter-1", Position(-1, 0, 0))),
        str(Token("desk", "matter-1", Position(2**31, 0, 0))),
        str(Token("desk", "matter-1", Position(1, 2**64, 0))),
        str(Token("desk", "matter-1", Position(1, 1, 2**63))),
    ],
    ids=range(11),
)
def test_what_is_no_token_is_refused(garbage: str) -> None:
    with pytest.raises(ValueError, match="not a consistency token"):
        Token.parse(garbage)


async def test_caught_up_waits_for_all_that_the_store_holds(
    new_database: NewDatabase, kafka_server: str, topic_prefix: str
) -> None:
    async with running(desk(journal()), await new_database(), kafka_server, topic_prefix) as here:
        await here.commands.caught_up(here.service.read_models[0], 0.1)  # nothing there yet
        await busy(here.commands, 100)
        await here.commands.caught_up(here.service.read_models[0], 30)
        assert await journalled(here.db) == await recorded(here.db)
