"""A server's data brought back from a backup, as an operator does it (docs/operators.md, Backup and restore).

What comes afterwards is the service's own part: `migrate`, and `events restore` for the lost tail.
"""

import shutil
from pathlib import Path

import asyncpg
from local.postgres import ADMIN, Postgres, environment, programs
from local.processes import start


async def base_backup(postgres: Postgres, backup: Path) -> None:
    """Copies the running server's data into a folder that is not there yet. Raises a Trouble."""
    await _run(
        backup,
        "pg_basebackup",
        f"--dbname={postgres.url(ADMIN)}",
        f"--pgdata={backup}",
        "--checkpoint=fast",
        "--wal-method=stream",
        "--no-sync",
    )


async def put_in_place(postgres: Postgres, backup: Path) -> None:
    """Starts the server on the data of a base backup, in place of its own. The backup can be used again."""
    await postgres.end()
    shutil.rmtree(postgres.data)
    shutil.copytree(backup, postgres.data, symlinks=True)
    await postgres.start()


async def dump(postgres: Postgres, database: str, file: Path) -> None:
    """Writes a dump of one database, as its owner. Raises a Trouble."""
    await _run(file, "pg_dump", f"--dbname={postgres.url(database)}", "--format=custom", f"--file={file}")


async def restore_into_new_cluster(postgres: Postgres, database: str, file: Path) -> None:
    """Begins the server anew, with nothing but the database of this dump: its transaction ids begin anew too."""
    await postgres.end()
    shutil.rmtree(postgres.data)
    await postgres.start()
    url = await postgres.ensure(database)
    await _run(file, "pg_restore", f"--dbname={url}", "--no-owner", "--single-transaction", f"{file}")


async def _run(beside: Path, program: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's own programs: those of the system may be older than the server."""
    log = beside.with_name(f"{beside.name}.log")
    child = await start(program, [programs() / program, *arguments], log=log, env=environment())
    await child.succeed()


async def keys(postgres: Postgres, database: str, file: Path) -> None:
    """Writes the table of the persons' keys alone, as it is backed up by itself. Raises a Trouble."""
    url = postgres.url(database)
    which = ("--table=log.person_keys", "--data-only", "--format=custom")
    await _run(file, "pg_dump", f"--dbname={url}", *which, f"--file={file}")


async def put_back_keys(postgres: Postgres, database: str, file: Path) -> None:
    """Puts the table of the persons' keys in the place of that of the older backup. Raises a Trouble."""
    url = postgres.url(database)
    db = await asyncpg.connect(url)
    await db.execute("truncate log.person_keys")
    await db.close()
    await _run(file, "pg_restore", f"--dbname={url}", "--data-only", "--single-transaction", f"{file}")
