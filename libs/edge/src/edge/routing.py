"""The router of a service's operations: each names the power that it needs."""

from collections.abc import Callable, Coroutine, Sequence
from functools import cached_property
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Scope

from edge.accepting import language_of
from edge.body import require_readable
from edge.problems import HttpProblem

F = TypeVar("F", bound=Callable[..., Any])
ASKS = "x-asks"
"""Under this name it says of a POST that it needs no Idempotency-Key."""
POWER = "x-power"
"""Under this name the document tells the power of an operation."""


class Operation(APIRoute):
    """FastAPI's, whose JSON is looked at before it is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answer = super().get_route_handler()
        if self.body_field is None:
            return answer

        async def looking(request: Request) -> Response:
            if is_json(request):
                try:
                    require_readable(await request.body())
                except ClientDisconnect:
                    raise HttpProblem("bad-request", "the body did not come to its end") from None
            return await answer(request)

        return looking

    def refused(self, problem: HttpProblem, request: Request) -> Response:
        """The answer that this problem is. A standard with a form of its own for errors has a subclass that overrides
        it: what is refused is noted before, whatever it looks like."""
        return problem.response(language_of(request.headers.get("Accept-Language")))


def refusal(problem: HttpProblem, scope: Scope) -> Response:
    """The answer that this problem is, in the form of the operation that was asked for; where none was found, or looked
    for yet, in that of those beside it."""
    route, request = scope.get("route"), Request(scope)
    if not isinstance(route, Operation):
        routers: Sequence[Router] = request.app.state.routers if "app" in scope else ()
        route = next((it for router in routers if (it := router.beside(scope))), None)
    if route:
        return route.refused(problem, request)
    return problem.response(language_of(request.headers.get("Accept-Language")))


def is_json(request: Request) -> bool:
    """Whether the body says that it is JSON, of whatever kind."""
    return "json" in request.headers.get("Content-Type", "").lower()


class Router(APIRouter):
    """FastAPI's, with the power that each operation needs: `@router.get("/cases", power=Powers.FOLLOW)`.

    It is passed by at once where a path begins as none of its operations does.

    FastAPI asks one router after the other, and each of their routes: with ten routers that took a request longer than
    its token, its key and its body together.
    """

    def __init__(self, **options: Any) -> None:
        """`options` are FastAPI's."""
        super().__init__(route_class=Operation, **options)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether one of the operations is asked for."""
        if _beginning(scope["path"].removeprefix(scope.get("root_path", ""))) in self._beginnings:
            return super().matches(scope)
        return Match.NONE, {}

    def beside(self, scope: Scope) -> Operation | None:
        """One of the operations, if the path that is asked for begins as theirs do."""
        if _beginning(scope["path"].removeprefix(scope.get("root_path", ""))) not in self._beginnings:
            return None
        return next((route for route in self.routes if isinstance(route, Operation)), None)

    def get(self, path: str, *, power: str, **options: Any) -> Callable[[F], F]:  # type: ignore[override]
        """A GET that needs this power; `options` are FastAPI's."""
        return super().get(path, **_naming(power, options))

    def post(self, path: str, *, power: str, asks: bool = False, **options: Any) -> Callable[[F], F]:  # type: ignore[override]
        """A POST that needs this power. `asks` says that it needs no Idempotency-Key: it is a question, put into a body
        because what it holds is not for addresses, and changes nothing; or each thing in it has a key of its own."""
        extra = options.get("openapi_extra", {}) | ({ASKS: True} if asks else {})
        return super().post(path, **_naming(power, options | {"openapi_extra": extra}))

    def put(self, path: str, *, power: str, **options: Any) -> Callable[[F], F]:  # type: ignore[override]
        """A PUT that needs this power."""
        return super().put(path, **_naming(power, options))

    def operation(self, path: str) -> Operation:
        """The POST with this path, to be asked for by `edge.within`. Raises LookupError."""
        for route in self.routes:
            if isinstance(route, Operation) and route.path == path and "POST" in (route.methods or ()):
                return route
        raise LookupError(f"there is no POST {path}")

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        routes = [route for route in self.routes if isinstance(route, APIRoute)]
        found = frozenset(_beginning(route.path) for route in routes)
        if len(routes) < len(self.routes) or any("{" in it for it in found):
            raise TypeError("a Router has operations only, whose paths begin with a fixed word")
        return found


def _beginning(path: str) -> str:
    return path.removeprefix("/").partition("/")[0]  # a path may be * (RFC 9112, 3.2.4)


def _naming(power: str, options: dict[str, Any]) -> dict[str, Any]:
    return options | {"openapi_extra": {POWER: power} | options.get("openapi_extra", {})}


def power_of(route: APIRoute) -> str | None:
    """The power that an operation names."""
    return (route.openapi_extra or {}).get(POWER)
