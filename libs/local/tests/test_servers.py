"""Real servers for tests: apart from each other, and gone with the run."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg
import pytest
from events.testing import eventually
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_they_are_gone_with_the_run_however_it_ends(
    closed_folder: Path, kafka_server: str, number: signal.Signals
) -> None:
    tests = closed_folder / "test_interrupted.py"
    tests.write_text(f"import os, time\ndef test(postgres_server):\n os.kill(os.getpid(), {number}); time.sleep(60)\n")
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "local.testing", "--rootdir", closed_folder, tests),
        env=os.environ | {"TMPDIR": str(closed_folder), "TEST_KAFKA": kafka_server},
        cwd=closed_folder,
        stdout=asyncio.subprocess.DEVNULL,
    )
    await asyncio.wait_for(run.wait(), 120)

    async def gone() -> bool:
        return not any(name.startswith("commongrid-test-") for name in os.listdir(closed_folder))

    await eventually(gone)
