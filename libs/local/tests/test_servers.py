"""Real servers for tests: apart from each other, and gone with the run."""

import asyncpg
import pytest
from local.testing import NewDatabase


async def test_no_role_may_enter_the_database_of_another(new_database: NewDatabase) -> None:
    mine, theirs = await new_database("mine"), await new_database("theirs")
    stranger = f"{mine.rpartition('/')[0]}/{theirs.rpartition('/')[2]}"

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(stranger)


async def test_a_database_can_begin_as_a_copy_of_another(new_database: NewDatabase) -> None:
    template = await new_database()
    db = await asyncpg.connect(template)
    await db.execute("create table grid (code text); insert into grid values ('G1')")
    await db.close()

    copy = await asyncpg.connect(await new_database(template=template))
    await copy.execute("insert into grid values ('G2')")

    assert await copy.fetchval("select count(*) from grid") == 2
    await copy.close()
