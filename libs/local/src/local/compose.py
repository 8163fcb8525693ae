"""The same system in containers, for the demo: `docker compose up`, and the operators' commands in its containers."""

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from edge.issuers import LOCAL

from local.errors import MissingPart, Trouble
from local.issuer import PORT
from local.services import PORTS
from local.tokens import signed

ROOT = Path(__file__).parents[4]
ISSUER = f"http://issuer:{PORT}/{LOCAL}"
"""The trial system's, as its services know it."""


class Compose:
    """The system of docker-compose.yml, up for the time of an `async with` block if it was not up before."""

    def __init__(self) -> None:
        self.urls: Mapping[str, str] = {
            name: f"http://127.0.0.1:{os.environ.get(f'{name.upper()}_PORT', port)}" for name, port in PORTS.items()
        }
        self._key = b""
        self._was_up = False

    def token(self, member: str) -> str:
        """A bearer token, signed with the trial system's key."""
        return signed(self._key, ISSUER, member)

    async def events(self, service: str, *arguments: str) -> tuple[int, str]:
        """Runs an operator's command in the service's container."""
        return await self._run("exec", "-T", service, "python", "-m", service, "events", *arguments)

    async def tell(self, environment: Mapping[str, str]) -> None:
        """Brings the system up, or up again, with these words for all services."""
        code, said = await self._run("up", "--build", "--detach", "--wait", environment=environment)
        if code:
            raise Trouble(f"docker compose could not bring the system up: {said.strip().splitlines()[-1]}")

    async def __aenter__(self) -> Self:
        code, said = await self._run("ps", "--quiet")
        if code:
            raise MissingPart(
                f"docker compose does not answer: {said.strip().splitlines()[-1] if said.strip() else code}"
            )
        self._was_up = bool(said.strip())
        await self.tell({})
        _, key = await self._run("run", "--rm", "-T", "--entrypoint", "cat", "keys", "/keys/private.pem")
        found = re.search(r"-----BEGIN.*-----END [A-Z ]+-----\n?", key, re.S)
        if not found:
            raise Trouble("the trial system has no key to sign tokens with; see deploy/README.md")
        self._key = found[0].encode()
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._was_up:
            await asyncio.shield(self._run("down", "--volumes"))

    async def _run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        try:
            process = await asyncio.create_subprocess_exec(
                "docker",
                "compose",
                *arguments,
                cwd=ROOT,
                env=os.environ | (environment or {}),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        except FileNotFoundError:
            raise MissingPart("there is no docker on this machine; make demo needs none") from None
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode(errors="replace")
