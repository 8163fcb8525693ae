"""A stranger with a token and the OpenAPI document in hand does what it allows, and what it forbids: no answer is a
fault of ours, and none is one that the document does not tell of.

`make fuzz CASES=500` sends so many to each operation; without it this is the short form.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from traceback import format_exception
from typing import Any, cast
from uuid import uuid4

import pytest
import schemathesis
from contracts.registry import DutyListed
from edge.callers import Callers
from edge.openapi import CONSISTENCY_TOKEN
from edge.problems import BASE, KNOWN, MEDIA_TYPE
from edge.testing import founding, issuer, served, token, told
from events.migrate import migrate
from events.runtime import open_runtime
from events.settings import Settings
from events.testing import RING
from grid_tasks.domain.case import CASE
from grid_tasks.evidence.configured import by_environment
from grid_tasks.read_models.duties import duties
from grid_tasks.read_models.grids import grids
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from local.testing import database
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.security.test_matrix import (
    APPLICATIONS,
    GRIDS,
    NO_KAFKA,
    PEOPLE,
    REPORT,
    STREAMS,
    THINGS,
    TITLE,
    in_post,
    register,
)

CASES = int(os.environ.get("COMMONGRID_FUZZ_CASES", "12"))
DUTY = DutyListed(
    category=REPORT.category,
    title=TITLE,
    department=TITLE,
    grid_duty=True,
    deadline_minutes=60,
    legal_basis="a test",
)
EXAMPLES = CONSISTENCY_TOKEN["schema"]["examples"]
CALLERS = [None, "a-citizen", "registrar-of-G1", "grid_worker-of-G1", "grid_leader-of-G1", "community_officer-of-G2"]


@pytest.fixture(scope="module")
async def town(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Mapping[str, str]]:
    """Where each service answers; each at work, with a database of its own, and something in it."""
    members = [in_post(member, post, grid) for member, (post, grid) in PEOPLE.items()]
    urls: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("COMMONGRID_LOCAL", "true")
        environment.setenv("GRID_TASKS_EVIDENCE", str(tmp_path_factory.mktemp("evidence")))
        by_environment.cache_clear()
        stack.callback(by_environment.cache_clear)
        for name, application in APPLICATIONS.items():
            place = Settings(await stack.enter_async_context(database(postgres_server, name)), NO_KAFKA, keys=RING)
            await migrate(application.service, place)
            await told(place.database_url, *founding(), *GRIDS, *members)
            runtime = await stack.enter_async_context(open_runtime(application.service, place))
            if name == "registry":
                await register(runtime)
            if name == "grid_tasks":
                await told(place.database_url, DUTY, by=duties)
                await told(place.database_url, *GRIDS, by=grids)
                await runtime.commands.execute(CASE, REPORT.case, REPORT, new=True)
            stack.push_async_callback(_ended, asyncio.create_task(runtime.work()))
            urls[name] = await stack.enter_async_context(served(application.api(runtime, Callers(issuer()))))
        yield urls


async def _ended(working: asyncio.Task[None]) -> None:
    working.cancel()
    await asyncio.wait([working])


@pytest.mark.parametrize("service", APPLICATIONS)
async def test_a_stranger_who_follows_the_document_or_does_not_meets_no_surprise(
    town: Mapping[str, str], service: str
) -> None:
    document = f"{town[service]}/openapi.json"  # the first who asks for it waits until it is made
    schema: Any = await asyncio.to_thread(schemathesis.openapi.from_url, document, timeout=60)
    schema.config.generation.update(allow_x00=False)  # JSON Schema cannot say that no text may hold it
    tokens = {who: token(who) for who in CALLERS if who}
    failed: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in STREAMS:  # they answer for ever
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                await asyncio.to_thread(explore, operation, mode, tokens)
            except Exception as error:
                failed.extend(format_exception(error, limit=0))
    assert not failed, "\n".join(failed)


ACCEPTED = [cast(Any, checks).positive_data_acceptance]


def no_schema_says(answer: Any) -> bool:
    """Whether what was refused is a rule of the trade, the version that was seen, who was erased before, or what is in
    a register's file."""
    if "/open311/" in answer.request.url:  # its errors have no reasons
        return answer.status_code == 400 and any(it in answer.text for it in ("90 days", "before start_date"))
    if answer.headers.get("content-type") != [MEDIA_TYPE]:
        return False
    why = answer.json()["type"].removeprefix(BASE)
    return why not in KNOWN or why in ("version-mismatch", "erased") or "/registers/" in answer.request.url


def explore(operation: Any, mode: GenerationMode, tokens: Mapping[str, str]) -> None:
    """Sends what the operation's description allows, or what it forbids, as one of several callers, about things that
    there are or are not."""

    @given(case=operation.as_strategy(generation_mode=mode), who=st.sampled_from(CALLERS), known=st.booleans())
    @settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), database=None)  # type: ignore[arg-type]
    def send(case: Any, who: str | None, known: bool) -> None:
        if mode is GenerationMode.POSITIVE:
            if "Idempotency-Key" in case.headers:
                case.headers["Idempotency-Key"] = uuid4().hex  # a short one would come again for something else
            case.headers.pop("Consistency-Token", None)  # what is opaque cannot be made up
            case.query.pop("cursor", None)
        if case.headers.get("Consistency-Token") in EXAMPLES:
            del case.headers["Consistency-Token"]  # it can be read, and stands for what nobody will ever write
        if known:
            case.path_parameters.update({name: THINGS[name] for name in case.path_parameters if name in THINGS})
        headers = {"Authorization": f"Bearer {tokens[who]}"} if who else {}
        answer = case.call(headers=headers)
        try:
            case.validate_response(answer, headers=headers, excluded_checks=ACCEPTED if no_schema_says(answer) else [])
        except BaseExceptionGroup as wrong:
            wrong.add_note(f"{who} asked {case.as_curl_command()}\nanswered {answer.status_code} {answer.text[:500]}")
            raise

    with contextlib.suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else contextlib.nullcontext():
        send()  # of some operations no description can be violated
