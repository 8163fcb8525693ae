"""The README's commands run as they are written."""

import asyncio
import os
import re
import signal
from pathlib import Path

import httpx2
import pytest
from events.testing import eventually
from local.services import PORTS

ROOT = Path(__file__).parents[2]
OUR_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS"}
"""What a make that runs this test would hand on."""
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.timeout(600)
async def test_a_case_by_curl(tmp_path: Path) -> None:
    after_start = README.split("<!-- a test runs these blocks as they stand -->")[1].split("## With containers")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", after_start, re.S))
    environment = {name: value for name, value in os.environ.items() if name not in OUR_MAKE} | {
        "COMMONGRID_DATA": str(tmp_path / "data")
    }
    up = await asyncio.create_subprocess_exec("make", "up", cwd=ROOT, env=environment, start_new_session=True)
    try:
        await eventually(lambda: all_ready(up), 120)
        # Its own files (report.json, …) stay out of the repository: the commands run in a copy of what they name.
        for name in ("Makefile", ".venv", "examples", "bin", "libs", "services", "requirements.lock", "pyproject.toml"):
            (tmp_path / name).symlink_to(ROOT / name)
        reading = await asyncio.create_subprocess_exec(
            "bash",
            "-euo",
            "pipefail",
            "-c",
            script,
            cwd=tmp_path,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(240):
            output, _ = await reading.communicate()
        said = output.decode()
        assert reading.returncode == 0, said
        assert '"step":"closed"' in said.replace(" ", ""), said
        assert '"closed":1' in said.replace(" ", ""), said
    finally:
        if up.returncode is None:
            os.killpg(up.pid, signal.SIGINT)
        await asyncio.wait_for(up.wait(), 60)


async def all_ready(up: asyncio.subprocess.Process) -> bool:
    """Whether the four services can serve; fails at once if `make up` has ended."""
    assert up.returncode is None, f"make up ended with {up.returncode}: is a port in use?"
    async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
        for port in PORTS.values():
            try:
                if (await http.get(f"http://localhost:{port}/readyz")).status_code != 200:
                    return False
            except httpx2.TransportError:
                return False
    return True
