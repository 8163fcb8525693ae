"""A service as an HTTP application: the service, its routers, and everything from this package around them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from events import Service
from events.runtime import Runtime
from fastapi import Request, Response
from fastapi.routing import APIRoute

from edge import audit_list, docs, handlers, health, openapi, persons_keys, telemetry
from edge.access import Edge
from edge.audit import Audit
from edge.authority import Authority, authority
from edge.call import CallOf
from edge.callers import Callers
from edge.problems import HttpProblem
from edge.rates import Rates
from edge.refusals import Refusals
from edge.routing import Router, power_of

Task = Callable[[Runtime], Awaitable[None]]
"""Something that runs beside, until it is cancelled."""


@dataclass(frozen=True)
class Application:
    """What `main` runs.

    `statuses` says which HTTP status a reason of the domain is (409 by default). `workers` run beside the relay and
    projections, `companions` beside the API; if one of them fails, the process ends. `asyncapi` is the document of the
    service's events, `audit` its audit log. `max_body_size` is in bytes; a route may set its own.
    """

    service: Service
    routers: Sequence[Router] = ()
    statuses: Mapping[str, int] = field(default_factory=dict[str, int])
    description: str = ""
    version: str = "1.0.0"
    asyncapi: Mapping[str, Any] | None = None
    audit: Audit | None = None
    workers: Sequence[Task] = ()
    companions: Sequence[Task] = ()
    max_body_size: int = 1_048_576

    def __post_init__(self) -> None:
        for reason, status in self.statuses.items():
            if not 400 <= status <= 499:
                raise TypeError(
                    f"{self.service.name}: {reason} is the caller's matter, so its status is 4xx, not {status}"
                )

        if self.routers and authority not in self.service.read_models:
            raise TypeError(f"{self.service.name} has routes: its read models must hold edge.authority")
        if self.audit and not (
            self.audit.read_model in self.service.read_models and self.audit.aggregate in self.service.aggregates
        ):
            raise TypeError(f"{self.service.name} has an audit log: its aggregate and read model must be the service's")
        if self.routers and self.service.personal and not self.audit:
            raise TypeError(f"{self.service.name} gives out keys of personal data: it needs an audit log")
        for route in self.routes():
            if not power_of(route):
                raise TypeError(f"{self.service.name}: {_called(route)} names no power: give it power=…")
            if not any(isinstance(it.call, CallOf) for it in route.dependant.dependencies):
                raise TypeError(f"{self.service.name}: {_called(route)} takes no Call, which asks for it")

    def routes(self) -> list[APIRoute]:
        """The operations, in the order in which they are looked for."""
        return [route for router in self._all_routers for route in router.routes if isinstance(route, APIRoute)]

    @cached_property
    def _all_routers(self) -> Sequence[Router]:
        """Those of the service, that of the keys where it keeps any, and that of its audit log."""
        keys = [persons_keys.router] if self.routers and self.service.personal else []
        return [*self.routers, *keys, *([audit_list.router(self.audit.read_model)] if self.audit else [])]

    def api(
        self,
        runtime: Runtime | None,
        callers: Callers | None = None,
        rates: Rates | None = None,
        origins: Sequence[str] = (),
    ) -> Edge:
        """The API of one process. Without a runtime it can only tell its document, without rates callers may ask as
        often as they like, without origins no other's page may call it."""
        app = self._app(runtime, "/openapi.json", callers or Callers(None), rates, origins)
        app.state.authority = runtime and Authority(runtime.db)
        app.state.asyncapi = self.asyncapi
        app.state.routers = self._all_routers
        for router in (*self._all_routers, docs.router):
            app.include_router(router)
        return app

    def operations(self, runtime: Runtime) -> Edge:
        """What a worker serves: health and metrics."""
        return self._app(runtime, None, Callers(None), None, ())

    def document(self) -> dict[str, Any]:
        """The OpenAPI document."""
        return self.api(None).openapi()

    def _app(
        self,
        runtime: Runtime | None,
        openapi_url: str | None,
        callers: Callers,
        rates: Rates | None,
        origins: Sequence[str],
    ) -> Edge:
        app = Edge(
            title=f"Commongrid {self.service.name}",
            version=self.version,
            description=self.description,
            openapi_url=openapi_url,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            telemetry=telemetry.http(),
            max_body_size=self.max_body_size,
            responses={status: {"description": text} for status, text in openapi.PROBLEM_STATUSES.items()},
            generate_unique_id_function=_operation_id,
        )
        app.state.runtime = runtime
        app.state.routers = ()
        app.state.audit = self.audit
        app.state.refusals = Refusals(self.audit, runtime.commands) if self.audit and runtime else None
        app.state.callers = callers
        app.state.rates = rates
        app.state.origins = origins
        app.state.stopping = asyncio.Event()
        app.openapi = lambda: _once(app, self.description)
        handlers.install(app, self.statuses)
        app.add_exception_handler(Exception, _our_fault)
        app.include_router(health.router)
        return app


def _called(route: APIRoute) -> str:
    return f"{' '.join(sorted(route.methods or ()))} {route.path}"


def _once(app: Edge, description: str) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi.document(app, description)
    return app.openapi_schema


def _operation_id(route: APIRoute) -> str:
    return "_".join([*map(str, route.tags[:1]), route.name])


async def _our_fault(_request: Request, _error: Exception) -> Response:
    return HttpProblem("internal-error", "this is our fault; the operators find it in the log by the trace").response()
