"""What every request passes through: one line in the log, and a problem even where a framework would answer otherwise.

The line names the operation's template, not the path, and neither query nor headers: nothing personal.
"""

import asyncio
import secrets
from time import perf_counter

import structlog
from events.telemetry import SECONDS
from fastapi import FastAPI
from prometheus_client import Gauge, Histogram
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.outside import Outside, shared_with
from edge.problems import of_status
from edge.routing import refusal
from edge.telemetry import OPERATIONAL, Unrecorded, recorded

log = structlog.get_logger("edge.requests")

# By the names of OpenTelemetry's conventions, but not by its SDK, of which each measurement costs as much as a query.
DURATION = Histogram(
    "http_server_request_duration_seconds",
    "Duration of HTTP server requests.",
    ["http_request_method", "http_response_status_code", "http_route"],
    buckets=SECONDS,
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
ACTIVE = Gauge("http_server_active_requests", "Number of active HTTP server requests.", ["http_request_method"])


class Edge(FastAPI):
    """FastAPI with the outermost layers of every service around it, inside the request's span."""

    def build_middleware_stack(self) -> ASGIApp:
        inner = PlainErrors(EndlessStreams(super().build_middleware_stack(), self.state.stopping))
        outside = Outside(inner, self.state.callers, self.state.rates)
        logged = RequestLog(shared_with(outside, self.state.origins))
        return logged if recorded() else Unrecorded(logged)


class RequestLog:
    """Logs and measures each request when it has been answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, complete, started = 0, False, perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        active = ACTIVE.labels(method)
        scope["edge.request_id"] = secrets.token_hex(8)

        async def noting(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                complete = not message.get("more_body", False)
            await send(message)

        try:
            with active.track_inprogress():
                await self._app(scope, receive, noting)
        except Exception as error:
            log.error("a request failed", exc_info=error, route=template(scope))
            if not complete:  # too late for another answer: the server must cut the connection
                raise
        finally:
            if scope["path"] not in OPERATIONAL or status >= 500:
                seconds, route = perf_counter() - started, template(scope)
                DURATION.labels(method, status, route).observe(seconds)
                log.info(
                    "request",
                    method=method,
                    route=route,
                    status=status,
                    seconds=round(seconds, 6),
                    request_id=scope["edge.request_id"],
                )


class PlainErrors:
    """Turns the plain-text 413 of Starlette's body limit, which is sent past all exception handlers, into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def sending(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                replaced = Headers(raw=message["headers"]).get("content-type", "").startswith("text/plain")
                if replaced:
                    problem = of_status(413, "the body is larger than this operation takes")
                    await refusal(problem, scope)(scope, receive, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, sending)


class EndlessStreams:
    """Ends streams of server-sent events when the process is to stop: browsers will connect again elsewhere."""

    def __init__(self, app: ASGIApp, stopping: asyncio.Event) -> None:
        self._app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not any(name == b"accept" and b"text/event-stream" in value for name, value in scope.get("headers", ())):
            await self._app(scope, receive, send)
            return
        open_ = False

        async def until_stopping() -> Message:
            tasks = [asyncio.ensure_future(receive()), asyncio.ensure_future(self._stopping.wait())]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                return tasks[0].result() if tasks[0].done() else {"type": "http.disconnect"}  # type: ignore[return-value]
            finally:
                for task in tasks:
                    task.cancel()

        async def noting(message: Message) -> None:
            nonlocal open_
            open_ = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        await self._app(scope, until_stopping, noting)
        if open_ and self._stopping.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def act_of(scope: Scope) -> str:
    """What was asked for, without any value: `POST /cases/{case}/start`."""
    method = scope["method"] if scope["method"] in METHODS else "_OTHER"
    return f"{method} {template(scope)}"


def template(scope: Scope) -> str:
    """The operation's path with its parameters' names: `/cases/{case}/start`."""
    return getattr(scope.get("route"), "path", None) or "-"
