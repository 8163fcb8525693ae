"""The live event view: a page, the events that it shows, and the picture that it draws them into."""

from collections.abc import AsyncIterable
from importlib.resources import files
from typing import Any, Literal

from edge import Call, Router
from edge.outside import page_policy
from fastapi import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from notifications.api.powers import Powers
from notifications.live.tail import Tail, as_json
from notifications.live.topology import topology

FILES = files("notifications.live")
POLICY = page_policy(scripts="'self'")
MEDIA_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}


def _file(name: str) -> Response:
    return Response(
        FILES.joinpath(name).read_bytes(),
        media_type=MEDIA_TYPES[name.rpartition(".")[2]],
        headers={"Cache-Control": "no-cache", "Content-Security-Policy": POLICY},
    )


def router(tail: Tail) -> Router:
    """The routes; all viewers share the tail."""
    routes = Router(prefix="/live", tags=["live"])

    @routes.get("", power=Powers.WATCH, include_in_schema=False)
    async def page(_: Call) -> Response:
        return _file("page.html")

    @routes.get("/topology", power=Powers.WATCH)
    async def picture(_: Call) -> dict[str, Any]:
        """Who publishes and who follows what."""
        return topology()

    @routes.get("/events", power=Powers.WATCH, response_class=EventSourceResponse)
    async def events(call: Call) -> AsyncIterable[ServerSentEvent]:
        """Events of all services as they pass, from now on. `passed`: an event, never its data. `state`: whether Kafka
        can be read, and how many messages each topic holds. It ends when the power does."""
        async with tail.viewer(call.runtime.settings) as viewer:
            while await call.still_may():
                state, passed = await viewer.next()
                if state:
                    yield ServerSentEvent(event="state", data=as_json(state), retry=2000)
                for event in passed:
                    yield ServerSentEvent(event="passed", data=as_json(event))

    @routes.get("/{name}", power=Powers.WATCH, include_in_schema=False)
    async def part(name: Literal["page.css", "page.js", "picture.js"], _: Call) -> Response:
        return _file(name)

    return routes
