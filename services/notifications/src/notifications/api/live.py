"""The live event view: a page, the events that it shows, and the picture that it draws them into."""

from collections.abc import AsyncIterable
from importlib.resources import files
from typing import Any

from edge import Call
from fastapi import APIRouter, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from notifications.live.tail import Tail, as_json
from notifications.live.topology import topology

PAGE = files("notifications.live")
KINDS = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}


def router(tail: Tail) -> APIRouter:
    """The routes; all viewers share the tail."""
    routes = APIRouter(prefix="/live", tags=["live"])

    def file(name: str) -> Response:
        return Response(
            PAGE.joinpath(name).read_bytes(),
            media_type=f"{KINDS[name]}; charset=utf-8",
            headers={"Cache-Control": "no-cache"},
        )

    @routes.get("", include_in_schema=False)
    async def page() -> Response:
        return file("page.html")

    @routes.get("/page.css", include_in_schema=False)
    async def style() -> Response:
        return file("page.css")

    @routes.get("/page.js", include_in_schema=False)
    async def script() -> Response:
        return file("page.js")

    @routes.get("/topology")
    async def picture() -> dict[str, Any]:
        """Who publishes and who follows what."""
        return topology()

    @routes.get("/events", response_class=EventSourceResponse)
    async def events(call: Call) -> AsyncIterable[ServerSentEvent]:
        """Events of all services as they pass, from now on. `passed`: an event, never its data. `state`: whether Kafka
        can be read, and how many messages each topic holds."""
        async with tail.viewer(call.runtime.settings) as viewer:
            while True:
                state, passed = await viewer.next()
                if state:
                    yield ServerSentEvent(event="state", data=as_json(state), retry=2000)
                for event in passed:
                    yield ServerSentEvent(event="passed", data=as_json(event))

    return routes
