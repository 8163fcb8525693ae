"""A database is brought up to date file by file, each wholly or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from events.migrate import migrate
from events.settings import Settings
from front_desk import desk, journal

NewDatabase = Callable[..., Awaitable[str]]


def settings(url: str) -> Settings:
    return Settings(url, "127.0.0.1:9")


async def test_running_it_again_or_twice_at_once_changes_nothing(new_database: NewDatabase) -> None:
    url, service = await new_database(), desk(journal())
    await asyncio.gather(*(migrate(service, settings(url)) for _ in range(4)))
    db = await asyncpg.connect(url)
    try:
        assert [row[0] for row in await db.fetch("select schema from log.read_models")] == ["journal_v1"]
    finally:
        await db.close()


async def test_a_file_that_fails_leaves_nothing_of_itself_and_is_tried_again(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    url = await new_database()
    service = replace(desk(), migrations=tmp_path)
    (tmp_path / "0001_one.sql").write_text("create table one ();")
    broken = tmp_path / "0002_two.sql"
    broken.write_text("create table two (); select 1/0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(service, settings(url))
    db = await asyncpg.connect(url)
    try:
        assert await db.fetchval("select to_regclass('one')") == "one"
        assert await db.fetchval("select to_regclass('two')") is None
        broken.write_text("create table two ();")
        await migrate(service, settings(url))
        assert await db.fetchval("select to_regclass('two')") == "two"
    finally:
        await db.close()
