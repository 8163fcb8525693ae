"""Open311 as a client reads it that nobody here wrote: georeport, from PyPI. It does not report, so we do."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest
from edge.callers import Callers
from edge.testing import founding, issuer, served, told
from events.runtime import Runtime
from georeport import GeoReport
from grid_tasks.api.open311.settings import by_environment
from grid_tasks.read_models.case_board import case_board
from grid_tasks.service import application

from .test_open311 import FORM, V2


@pytest.fixture
async def url(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[str]:
    monkeypatch.setenv("NO_PROXY", "*")  # the client would ask a proxy for this machine
    monkeypatch.setenv("GRID_TASKS_JURISDICTION", "grid.example")
    by_environment.cache_clear()
    await told(runtime.settings.database_url, *founding())
    async with served(application.api(runtime, Callers(issuer()))) as url:
        yield url + V2
    by_environment.cache_clear()


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_a_client_of_others_finds_the_services_and_follows_two_requests(
    url: str, runtime: Runtime, form: str
) -> None:
    theirs: Any = GeoReport(url, jurisdiction="grid.example", output_format=form)
    async with httpx2.AsyncClient(trust_env=False) as http:
        made = [(await http.post(f"{url}/requests.json", data=FORM)).json()[0] for _ in range(2)]
    first, second = [it["service_request_id"] for it in made]
    await runtime.commands.caught_up(case_board)

    services = await asyncio.to_thread(theirs.get_service_list)
    (service,) = services if form == "json" else [services]  # it gives one element of XML for itself
    assert service["service_code"] == FORM["service_code"]
    definition = await asyncio.to_thread(theirs.get_service_definition, FORM["service_code"])
    assert not definition["attributes"]
    listed = await asyncio.to_thread(theirs.get_service_requests, status="open", start_date="2026-11-01T00:00:00Z")
    assert {it["service_request_id"] for it in listed} == {first, second}
    both = await asyncio.to_thread(theirs.get_service_requests, service_request_id=f"{first},{second}")
    assert {it["status"] for it in both} == {"open"}
    one = await asyncio.to_thread(theirs.get_service_request, second)
    assert (one["service_request_id"], one["service_code"]) == (second, FORM["service_code"])
