"""The local issuer: a server of the two documents that a real one publishes, and that services find its key by.

It signs nobody in: whoever may read the data folder makes tokens by `local.tokens`. Its address says what it is, and
services that are not told COMMONGRID_LOCAL=true do not start with it.
"""

import os
import sys
from pathlib import Path

import httpx2
from edge.issuers import LOCAL

from local import tokens
from local.ports import HOST, port_for
from local.processes import Child, start

PORT = 8005
_SECONDS_TO_START = 60


class LocalIssuer:
    """Python's own server of files. `start` and `end` may be called again and again; the port stays."""

    def __init__(self, keys: Path, log: Path, port: int = 0) -> None:
        """`keys` is the folder of its key pair, of which only what is public is served. Port 0 takes a free one."""
        self.name = "issuer"
        self.port = 0
        self.child: Child | None = None
        self._keys = keys.absolute()
        self._log = log
        self._asked = port

    @property
    def address(self) -> str:
        """What its tokens' `iss` says, and COMMONGRID_ISSUER."""
        return f"http://{HOST}:{self.port}/{LOCAL}"

    def take_port(self) -> None:
        """Settles the port; raises PortTaken."""
        self.port = port_for(self.name, self.port or self._asked)

    async def start(self) -> None:
        """Starts it, and returns when it answers. Raises a Trouble that says what to do."""
        self.take_port()
        published = tokens.publish(self._keys, self.address)
        server = [sys.executable, "-m", "http.server", "--bind", HOST, "--directory", published, str(self.port)]
        self.child = await start(self.name, server, log=self._log, env=os.environ)
        async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
            await self.child.until(lambda: self._answers(http), _SECONDS_TO_START)

    async def end(self, grace: float = 5) -> None:
        """Stops it."""
        if self.child:
            await self.child.end(grace)

    async def _answers(self, http: httpx2.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.address}/.well-known/openid-configuration")).status_code == 200
        except httpx2.TransportError:
            return False
