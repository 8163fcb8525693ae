"""The router of a service's operations."""

from functools import cached_property

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope


class Router(APIRouter):
    """FastAPI's, which is passed by at once where a path begins as none of its operations does.

    FastAPI asks one router after the other, and each of their routes: with ten routers that took a request longer than
    its token, its key and its body together.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether one of the operations is asked for."""
        if _beginning(scope["path"].removeprefix(scope.get("root_path", ""))) in self._beginnings:
            return super().matches(scope)
        return Match.NONE, {}

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        routes = [route for route in self.routes if isinstance(route, APIRoute)]
        found = frozenset(_beginning(route.path) for route in routes)
        if len(routes) < len(self.routes) or any("{" in it for it in found):
            raise TypeError("a Router has operations only, whose paths begin with a fixed word")
        return found


def _beginning(path: str) -> str:
    return path.split("/", 2)[1]
