"""The whole system: started in order, watched, and ended with nothing left."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import psutil
import pytest
from edge.callers import Caller, Callers
from edge.issuers import LOCAL, Issuer
from events.testing import eventually
from local import state
from local.errors import AlreadyRunning, DiedAtStart, PortTaken
from local.postgres import ADMIN
from local.processes import Identity
from local.supervisor import Options, System

HERE = Path(__file__).parent
pytestmark = pytest.mark.usefixtures("clock_on_path")


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
async def system(shared_folder: Path, said: list[str], clock_on_path: None) -> AsyncGenerator[System]:
    """One for all tests that leave it up."""
    options = Options(
        shared_folder,
        services=["town_clock"],
        environment={"": {"TOWN_NAME": "X"}, "town_clock": {"TOWN_BELL": "on"}},
        say=said.append,
    )
    async with System(options) as system:
        yield system


async def clock(system: System) -> dict[str, Any]:
    async with httpx2.AsyncClient(trust_env=False) as http:
        return (await http.get(system.urls["town_clock"])).json()


async def answers(system: System) -> bool:
    try:
        return bool(await clock(system))
    except httpx2.TransportError:
        return False


async def test_a_service_is_told_what_it_needs_and_what_was_added_for_it(system: System) -> None:
    told = (await clock(system))["told"]

    assert told["COMMONGRID_KAFKA"] == system.kafka
    assert told["COMMONGRID_INSTANCE"] == "town_clock-0"
    assert told["COMMONGRID_LOCAL"] == "true"
    assert (told["TOWN_NAME"], told["TOWN_BELL"]) == ("X", "on")
    db = await asyncpg.connect(told["COMMONGRID_DATABASE_URL"])
    assert await db.fetchval("select current_user || '@' || current_database()") == "town_clock@town_clock"
    await db.close()


async def test_a_token_is_accepted_by_those_who_are_told_of_the_issuer(system: System) -> None:
    callers = Callers(Issuer((await clock(system))["told"]["COMMONGRID_ISSUER"], local=True))
    bearer = f"Bearer {system.token('grid-worker-3')}"

    await callers.prepare(bearer)

    assert callers.caller_of(bearer) == Caller("grid-worker-3")


async def test_of_the_issuers_keys_only_the_public_one_is_served(system: System) -> None:
    assert (system.data / "keys" / "token.key").stat().st_mode & 0o777 == 0o600
    root = system.issuer.removesuffix(LOCAL)
    async with httpx2.AsyncClient(trust_env=False) as http:
        (published,) = (await http.get(f"{system.issuer}/keys")).json()["keys"]
        for path in ("token.key", "../token.key", "%2e%2e/token.key", f"{LOCAL}/../../token.key"):
            assert (await http.get(f"{root}{path}")).status_code == 404
    assert published.keys() == {"kty", "crv", "x", "kid", "alg", "use"}


async def test_services_outside_local_mode_do_not_start_with_the_issuer(system: System) -> None:
    told = (await clock(system))["told"] | {"COMMONGRID_LOCAL": "false"}
    registry = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "registry", "api", env=os.environ | told, stderr=asyncio.subprocess.PIPE
    )
    _, said = await registry.communicate()
    assert registry.returncode == 1
    assert said.decode().startswith("COMMONGRID_ISSUER is the issuer of a local system")


@pytest.mark.parametrize("name", ["town_clock", "kafka", "postgres", "issuer"])
async def test_a_part_that_dies_is_started_again_at_the_same_address_and_it_is_said(
    system: System, said: list[str], name: str
) -> None:
    killed = system.pid(name)
    os.kill(killed, signal.SIGKILL)

    async def is_up_again() -> bool:
        return f"{name} is up again" in said

    await eventually(is_up_again, 60)
    assert system.pid(name) != killed
    assert any(sentence.startswith(f"{name} ended with signal SIGKILL") for sentence in said)
    noted = state.read(system.data)
    assert noted
    assert noted.parts[name].identity.pid == system.pid(name)


async def test_a_service_that_was_killed_on_purpose_stays_down_until_it_is_started(system: System) -> None:
    before = (await clock(system))["pid"]
    await system.kill("town_clock")
    await asyncio.sleep(1.5)  # longer than the first wait of the watcher: it must not come
    assert not await answers(system)

    await system.start("town_clock")
    after = (await clock(system))["pid"]
    await system.restart("town_clock")
    assert len({before, after, (await clock(system))["pid"]}) == 3


async def test_only_one_system_holds_a_data_folder(system: System) -> None:
    with pytest.raises(AlreadyRunning, match=rf"pid {os.getpid()}.*make down"):
        async with System(Options(system.data, services=["town_clock"])):
            pass
    assert await answers(system), "the first is not disturbed"


async def test_a_service_that_dies_at_the_start_is_named_with_its_last_words_and_nothing_is_left(
    closed_folder: Path,
) -> None:
    options = Options(closed_folder, services=["town_clock"], environment={"": {"TOWN_BROKEN": "yes"}})
    with pytest.raises(DiedAtStart, match=r"(?s)town_clock ended with exit code 1.*town_clock\.log.*no hands"):
        async with System(options):
            pass
    assert state.read(closed_folder) is None


async def test_a_port_in_use_is_told_before_anything_starts(closed_folder: Path) -> None:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = Options(closed_folder, {"town_clock": port}, services=["town_clock"], say=said.append)
        with pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{port}.*by \S+ \(pid {os.getpid()}\).*--town-clock-port"):
            async with System(options):
                pass
    assert said == []


class Keeper:
    """`keeper.py` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, data: Path) -> "Keeper":
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, HERE / "keeper.py", data, stdout=asyncio.subprocess.PIPE, start_new_session=True
            )
        )

    async def until_says(self, words: str) -> str:
        assert self.process.stdout
        async for line in self.process.stdout:
            if words in line.decode():
                return line.decode()
        raise AssertionError(f"it ended without saying {words!r}")


def running_in(folder: Path) -> list[int]:
    run = state.read(folder)
    assert run
    processes: list[Identity] = [run.supervisor, *(part.identity for part in run.parts.values())]
    found = [process for identity in processes if (process := identity.process())]
    return [it.pid for process in found for it in (process, *process.children(recursive=True))]


async def test_ctrl_c_ends_every_process_and_the_next_start_finds_the_data(closed_folder: Path) -> None:
    keeper = await Keeper.start(closed_folder)
    await keeper.until_says("up at")
    run = state.read(closed_folder)
    assert run
    url = run.parts["town_clock"].environment["COMMONGRID_DATABASE_URL"]
    db = await asyncpg.connect(url)
    await db.execute("create table kept (word text); insert into kept values ('found')")
    await db.close()
    pids = running_in(closed_folder)
    assert len(pids) > 4

    os.killpg(keeper.process.pid, signal.SIGINT)  # as a terminal does

    assert await asyncio.wait_for(keeper.process.wait(), 60) == 0
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert state.read(closed_folder) is None

    again = await Keeper.start(closed_folder)
    await again.until_says("up at")
    run = state.read(closed_folder)
    assert run
    db = await asyncpg.connect(run.parts["town_clock"].environment["COMMONGRID_DATABASE_URL"])
    assert await db.fetchval("select word from kept") == "found"
    await db.close()

    assert "supervisor" in await state.end(closed_folder), "commongrid down"
    await asyncio.wait_for(again.process.wait(), 60)  # its exit code is known to whoever of the two asked first


async def test_a_signal_while_it_starts_leaves_nothing_running(closed_folder: Path) -> None:
    keeper = await Keeper.start(closed_folder)
    await keeper.until_says("starting PostgreSQL and Kafka")
    os.killpg(keeper.process.pid, signal.SIGINT)
    assert await asyncio.wait_for(keeper.process.wait(), 60) == 128 + signal.SIGINT


async def test_what_a_killed_supervisor_leaves_is_ended_by_down(closed_folder: Path) -> None:
    keeper = await Keeper.start(closed_folder)
    await keeper.until_says("up at")
    pids = running_in(closed_folder)
    keeper.process.kill()
    await keeper.process.wait()

    await state.end(closed_folder)

    async def gone() -> bool:
        return not any(psutil.pid_exists(pid) for pid in pids)

    await eventually(gone)
    assert state.read(closed_folder) is None


async def test_down_leaves_a_process_alone_that_only_has_the_number_of_ours(closed_folder: Path) -> None:
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    ours = Identity(stranger.pid, started=1.0)
    state.write(closed_folder, state.Run(ours, {"registry": state.Noted(ours, signal.SIGTERM, "")}))

    assert await state.end(closed_folder) == []

    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()


async def test_the_administrator_is_known_to_the_supervisor_only(system: System) -> None:
    told = (await clock(system))["told"]
    assert system.database_url(ADMIN) not in told.values()
