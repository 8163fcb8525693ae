"""A router is asked only where a path begins as one of its operations does."""

import httpx2
import pytest
from edge import Router
from fastapi import FastAPI
from starlette.routing import Match

router = Router(prefix="/cases")


@router.get("/{case}", power="cases.follow")
async def case(case: str) -> str:
    return case


async def answers(*paths: str, root: str = "") -> list[int]:
    app = FastAPI()
    app.include_router(router)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app, root_path=root), base_url="http://here"
    ) as client:
        return [(await client.get(path)).status_code for path in paths]


async def test_what_begins_otherwise_is_not_there() -> None:
    assert await answers("/cases/1", "/people/1", "/", "//", "/casesx/1") == [200, 404, 404, 404, 404]


async def test_what_is_asked_of_the_server_as_a_whole_is_not_there_either() -> None:
    assert router.matches({"type": "http", "method": "OPTIONS", "path": "*"})[0] is Match.NONE


async def test_it_may_stand_under_another_path() -> None:
    assert await answers("/grid/cases/1", "/cases/1", root="/grid") == [200, 200]


async def test_operations_that_begin_with_a_parameter_are_refused() -> None:
    anything = Router()
    anything.add_api_route("/{anything}", case)
    app = FastAPI()
    app.include_router(anything)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://here") as client:
        with pytest.raises(TypeError, match="fixed word"):
            await client.get("/1")
