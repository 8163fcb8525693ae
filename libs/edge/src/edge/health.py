"""Is it alive, can it serve, how does it fare: what orchestrators and Prometheus ask."""

import asyncio

from events.runtime import Runtime
from fastapi import Request, Response
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from edge.powers import PROCESS
from edge.problems import HttpProblem
from edge.routing import Router

PATIENCE = 3.0
"""Seconds that the database is given to answer."""

router = Router(include_in_schema=False)


@router.get("/healthz", power=PROCESS)
async def alive() -> dict[str, bool]:
    """Answers while the loop runs."""
    return {"alive": True}


@router.get("/readyz", power=PROCESS)
async def ready(request: Request) -> dict[str, bool]:
    """Answers 200 if requests can be served, else 503 with the reasons."""
    runtime: Runtime = request.app.state.runtime
    try:
        reasons = await asyncio.wait_for(runtime.ready(), PATIENCE)
    except TimeoutError:
        reasons = ["the database does not answer in time"]
    if reasons:
        raise HttpProblem("not-ready", "; ".join(reasons), reasons=reasons, headers={"Retry-After": "1"})
    return {"ready": True}


@router.get("/metrics", power=PROCESS)
async def metrics(request: Request) -> Response:
    """The process's metrics for Prometheus."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(REGISTRY), headers={"Content-Type": content_type})
