"""A request within the process: an operation is asked as if somebody had asked for it by itself.

For what brings several commands at once, and for what comes in by another way than HTTP: each passes the power check,
the validation, the scope, the audit log and the idempotency of its own route, so there is one way in and no second
implementation. The caller is the outer request's (`asked`), or whoever the process knows them to be (`as_caller`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.call import HttpCall
from edge.callers import Caller
from edge.problems import HttpProblem
from edge.routing import Operation

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the operation answered. `body` is its JSON, None where there was none."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def done(self) -> bool:
        """Whether it did what was asked."""
        return self.status < 400

    @property
    def reason(self) -> str:
        """The reason of a problem: the last part of its type."""
        return "" if self.done else str(self.body["type"]).rpartition("/")[2]


async def asked(
    call: HttpCall,
    operation: Operation,
    thing: str | None,
    body: Any,
    headers: Mapping[str, str],
    done_at: datetime | None = None,
) -> Answered:
    """Asks an operation whose path has one parameter at most, `thing`. `body` None is no body; `done_at` is what
    `HttpCall.done_at` gives there. A fault of ours is answered as a 500, so that what comes after it is not lost."""
    names = list(operation.param_convertors)
    path = operation.path.replace(f"{{{names[0]}}}", thing or "") if names else operation.path
    content = b"" if body is None else json.dumps(body).encode()
    given = {"content-type": "application/json"} | {name.lower(): value for name, value in headers.items()}
    outer = {name: value for name, value in call.request.scope.items() if name != "edge.thing"}
    scope = outer | {
        "method": "POST",
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "route": operation,
        "endpoint": operation.endpoint,
        "path_params": {names[0]: thing} if names else {},
        "edge.done_at": done_at,
    }
    status, told, parts = 500, dict[str, str](), list[bytes]()

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            told.update((name.decode().lower(), value.decode("latin-1")) for name, value in message["headers"])
        else:
            parts.append(message.get("body", b""))

    try:
        await operation.app(scope, receive, send)
    except Exception as error:
        log.error("a request within a request failed", exc_info=error, route=operation.path)
        response = HttpProblem("internal-error", "this is our fault; the operators find it by the trace").response()
        return Answered(500, {}, orjson.loads(response.body))
    answer = b"".join(parts)
    return Answered(status, told, orjson.loads(answer) if answer else None)


def as_caller(app: ASGIApp, caller: Caller) -> ASGIApp:
    """The application as this caller has it, who need bring no token: for requests that this process makes itself."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "edge.caller": caller}, receive, send)

    return called
