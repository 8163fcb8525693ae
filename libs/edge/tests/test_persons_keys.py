"""Who gets the keys of personal data: the systems that the power list names, for its purposes, and no others' keys."""

from base64 import b64decode
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from contracts.common import Post
from edge import Application
from edge.testing import client, given, in_post, token, told
from events import Aggregate, Event, Service, personal
from events.migrate import migrate
from events.privacy.client import KeyClient
from events.privacy.ring import new_ring
from events.runtime import Runtime, open_runtime
from events.settings import Settings

from .conftest import NO_KAFKA

PURPOSES = {"telling": ["letter"], "counting": ["envelope"]}


class LetterWritten(Event, type="commongrid.suggestions.letter.written.v1"):
    letter: str
    text: str = personal()


def decide(state: None, event: Event) -> list[Event]:
    return [event]


LETTER = Aggregate("letter", None, decide, lambda state, _: state, (LetterWritten,))


@pytest.fixture
async def office(application: Application, database: str, tmp_path: Path) -> AsyncGenerator[Any]:
    """The service, which keeps letters too."""
    new_ring("test").save(tmp_path / "ring.json")
    its = application.service
    service = Service(its.name, [*its.aggregates, LETTER], its.read_models, its.policies)
    settings = Settings(database, NO_KAFKA, keys=str(tmp_path / "ring.json"))
    await migrate(service, settings)
    await told(
        database,
        given("keys.read", "partner:post_office", "grid_worker@own_grid", purposes=PURPOSES),
        in_post("li", Post.GRID_WORKER, "G1"),
    )
    async with open_runtime(service, settings) as runtime:
        for letter in ("1", "2"):
            await runtime.commands.execute(LETTER, letter, LetterWritten(letter=letter, text="王小明"))
        yield runtime, replace(application, service=service)


def calling(office: tuple[Runtime, Application], token: str | None) -> httpx2.AsyncClient:
    runtime, application = office
    return client(application, runtime, token)


def system(name: str) -> str:
    return token(name, client_id=name)


async def asked(http: httpx2.AsyncClient, purpose: str = "telling", *subjects: str) -> httpx2.Response:
    return await http.post("/keys", json={"subjects": subjects or ("letter-1",), "purpose": purpose})


async def test_a_system_on_the_list_gets_the_keys_that_its_purpose_needs_and_null_for_all_others(office: Any) -> None:
    async with calling(office, system("post_office")) as http:
        answer = await asked(http, "telling", "letter-1", "letter-unknown", "envelope-1")
        other = await asked(http, "counting", "letter-1")
    keys = answer.json()["keys"]
    assert set(keys) == {"letter-1", "letter-unknown", "envelope-1"}
    assert len(b64decode(keys["letter-1"])) == 32
    assert keys["letter-unknown"] is keys["envelope-1"] is None
    assert other.json() == {"keys": {"letter-1": None}}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_key_that_was_destroyed_is_null(office: Any) -> None:
    runtime: Runtime = office[0]
    await runtime.personal.keys.destroy("letter-1")
    async with calling(office, system("post_office")) as http:
        keys = (await asked(http, "telling", "letter-1", "letter-2")).json()["keys"]
    assert keys["letter-1"] is None
    assert keys["letter-2"]


@pytest.mark.parametrize(
    ("who", "purpose", "reason"),
    [
        (None, "telling", "not-signed-in"),
        (system("stranger"), "telling", "not-allowed"),
        (token("post_office"), "telling", "not-allowed"),
        (system("post_office"), "curiosity", "not-for-this-purpose"),
        (token("li"), "telling", "not-for-this-purpose"),
    ],
    ids=["nobody", "a system on no list", "a person of its name", "another purpose", "who reaches one grid"],
)
async def test_nobody_else_gets_a_key(office: Any, who: str | None, purpose: str, reason: str) -> None:
    async with calling(office, who) as http:
        answer = await asked(http, purpose)
    assert answer.json()["type"].endswith(f"/{reason}")
    assert "keys" not in answer.json()


async def test_the_kernels_client_reads_the_answer(office: Any, tmp_path: Path) -> None:
    runtime = office[0]
    async with calling(office, None) as http:
        (tmp_path / "token").write_text(system("post_office"))
        keys = KeyClient(str(http.base_url), tmp_path / "token", "telling", transport=http._transport)  # pyright: ignore[reportPrivateUsage]
        found = await keys.obtain({"letter-1", "letter-9"})
    ours = (await runtime.personal.keys.obtain({"letter-1"}))["letter-1"]
    assert found["letter-1"]
    assert ours
    assert found["letter-1"].secret == ours.secret
    assert found["letter-9"] is None
