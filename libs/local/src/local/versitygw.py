"""A real S3-compatible server for tests: versitygw, which keeps objects as files of a folder and holds every signature
against what was asked, as Amazon S3 does.

It is built by the machine's Go from its published module, once for each user of the machine; Go holds the source
against its checksum database.
"""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import httpx2

from local.errors import MissingPart
from local.jars import cache
from local.locking import held
from local.ports import HOST, port_for
from local.processes import Child, start

VERSION = "v1.8.0"
MODULE = "github.com/versity/versitygw/cmd/versitygw"
_SECONDS_TO_BUILD = 900
_SECONDS_TO_START = 30


class VersityGateway:
    """The server, on 127.0.0.1, by http. What it keeps stays in its folder."""

    def __init__(self, folder: Path, log: Path, port: int = 0) -> None:
        """With port 0 it takes a free one."""
        self.port = 0
        self.child: Child | None = None
        self.access_key = secrets.token_hex(8)
        self.secret_key = secrets.token_hex(16)
        self.folder = folder
        """Each bucket is a folder in it, each object a file."""
        self._log = log
        self._asked = port

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Starts it, and returns when it answers. Raises a Trouble that says what to do."""
        program = built()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port_for("versitygw", self.port or self._asked)
        environment = os.environ | {"ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key}
        command = [program, "--port", f"{HOST}:{self.port}", "posix", self.folder]
        self.child = await start("versitygw", command, log=self._log, env=environment)
        async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
            await self.child.until(lambda: self._answers(http), _SECONDS_TO_START)

    async def end(self, grace: float = 10) -> None:
        """Stops it."""
        if self.child:
            await self.child.end(grace)

    async def _answers(self, http: httpx2.AsyncClient) -> bool:
        try:
            return (await http.get(self.url)).status_code == 403
        except httpx2.TransportError:
            return False


def built() -> Path:
    """The program, built if it is not there. Raises MissingPart if that is not possible."""
    program = cache() / f"versitygw-{VERSION}" / "versitygw"
    with held(program.parent.with_name(f"{program.parent.name}.lock"), wait=True):
        if program.exists():
            return program
        go = shutil.which("go")
        if go is None:
            raise MissingPart("versitygw, the S3 server of the tests, is built by Go, which is not installed here")
        work = program.parent.with_name(f"{program.parent.name}.part")
        shutil.rmtree(work, ignore_errors=True)
        done = subprocess.run(  # noqa: S603
            [go, "install", f"{MODULE}@{VERSION}"],
            env=os.environ | {"GOBIN": str(work), "CGO_ENABLED": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS_TO_BUILD,
        )
        if done.returncode:
            raise MissingPart(
                f"versitygw could not be built, for which the first run needs a network: {done.stdout[-500:]}"
            )
        shutil.rmtree(program.parent, ignore_errors=True)
        work.rename(program.parent)
    return program
