"""The lists in a running service: a change is felt within a second, and no route stands open."""

from collections.abc import Callable

import httpx2
import pytest
from contracts.common import Post
from contracts.registry import MemberDismissed, PowerWithdrawn
from edge import Application, Call, Router, authority
from edge.authority import RECENT, Authority
from edge.problems import BASE
from edge.testing import client, given, in_post, token, told
from events import ReadModel, Service
from events.runtime import Runtime

from .conftest import USE

BY_POST = given(USE, "grid_worker@own_grid")


async def reason(http: httpx2.AsyncClient) -> str | None:
    answer = await http.get("/suggestions")
    return None if answer.status_code == 200 else answer.json()["type"].removeprefix(BASE)


async def test_who_is_appointed_may_at_once_and_who_is_not_on_the_list_may_not(
    application: Application, runtime: Runtime, database: str
) -> None:
    await told(database, BY_POST)
    async with client(application, runtime, token("wang")) as http:
        assert await reason(http) == "not-allowed"
        await told(database, in_post("wang", Post.GRID_WORKER, "G1"))
        assert await reason(http) is None, "nobody is refused on what was known before"
    async with client(application, runtime) as anonymous:
        assert await reason(anonymous) == "not-signed-in"


async def test_who_leaves_their_post_is_refused_once_what_is_held_in_memory_is_no_longer_recent(
    application: Application, runtime: Runtime, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    await told(database, BY_POST)
    monkeypatch.setattr("edge.application.Authority", lambda db: Authority(db, lambda: now))  # type: ignore[misc]
    async with client(application, runtime, token("li")) as http:
        assert await reason(http) is None
        await told(database, MemberDismissed(member="li"))
        now += RECENT
        assert await reason(http) is None, "this is what a second is for"
        now += 0.01
        assert await reason(http) == "not-allowed"


async def test_a_power_that_is_withdrawn_is_nobodys(application: Application, runtime: Runtime, database: str) -> None:
    async with client(application, runtime, token("li")) as http:
        await told(database, given("another.power", "anyone"), PowerWithdrawn(power=USE))
        assert await reason(http) == "not-allowed"


async def test_before_the_list_is_there_everybody_is_asked_to_come_again(
    application: Application, runtime: Runtime, database: str
) -> None:
    async with client(application, runtime, token("li")) as http:
        await told(database, PowerWithdrawn(power=USE))
        answer = await http.get("/suggestions")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_service_whose_route_names_no_power_does_not_start() -> None:
    nameless, unasked, empty = Router(), Router(), Router()

    @empty.get("/things", power="")
    async def things(call: Call) -> None: ...

    @unasked.get("/others", power=USE)
    async def others() -> None: ...

    async def more(call: Call) -> None: ...

    nameless.add_api_route("/more", more)
    service = Service("x", read_models=[authority])
    for router, words in ((nameless, "GET /more names no power"), (unasked, "takes no Call"), (empty, "no power")):
        with pytest.raises(TypeError, match=words):
            Application(service, routers=[router])


def test_a_service_with_routes_must_follow_the_lists(unlisted: Callable[[], Router]) -> None:
    with pytest.raises(TypeError, match=r"edge\.authority"):
        Application(Service("x", read_models=[ReadModel("other", tables="")]), routers=[unlisted()])


@pytest.fixture
def unlisted() -> Callable[[], Router]:
    def make() -> Router:
        router = Router()

        @router.get("/things", power=USE)
        async def things(call: Call) -> None: ...

        return router

    return make
