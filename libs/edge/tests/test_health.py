"""Alive as long as the loop runs, ready as long as the database answers, and figures for Prometheus."""

from collections.abc import Awaitable, Callable

import httpx2
from edge import Application
from edge.testing import client
from events.runtime import Runtime
from events.testing import eventually

Act = Callable[[], Awaitable[None]]


async def test_ready_turns_false_while_postgres_is_away(
    application: Application, wired: Runtime, cut: Act, mend: Act
) -> None:
    async with client(application, wired) as http:
        assert (await http.get("/readyz")).json() == {"ready": True}
        await cut()
        away = await http.get("/readyz")
        assert away.status_code == 503
        assert away.headers["content-type"] == "application/problem+json"
        assert away.json()["type"].endswith("/not-ready")
        assert away.json()["reasons"]
        assert (await http.get("/healthz")).json() == {"alive": True}
        await mend()

        async def ready() -> bool:
            return (await http.get("/readyz")).status_code == 200

        await eventually(ready)


async def test_a_worker_serves_health_and_metrics_and_nothing_else(application: Application, runtime: Runtime) -> None:
    worker = httpx2.ASGITransport(application.operations(runtime))
    async with httpx2.AsyncClient(transport=worker, base_url="http://worker") as http:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await http.get(path)).status_code == 200
        for path in ("/suggestions", "/docs", "/openapi.json"):
            assert (await http.get(path)).status_code == 404
