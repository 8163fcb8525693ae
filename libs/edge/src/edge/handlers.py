"""Which problem each exception is: the one map from what is raised to what is answered."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import asyncpg
from events import Conflict, EventTooLarge, NotYet, Refused, VersionMismatch
from events.privacy.keys import KeysAway
from events.privacy.vault import VaultAway
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from edge.access import act_of
from edge.callers import ANONYMOUS, Caller
from edge.chinese import in_chinese
from edge.powers import OutOfReach
from edge.problems import KNOWN, FieldError, HttpProblem, current_trace_id, invalid_input, of_status
from edge.redaction import redact
from edge.refusals import Occurrence, Refusal, Refusals
from edge.routing import power_of, refusal

log = logging.getLogger(__name__)

SOON = {"Retry-After": "1"}

DATABASE_AWAY: tuple[type[Exception], ...] = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)


def problem_of(error: Exception, statuses: Mapping[str, int]) -> HttpProblem | None:
    """The problem that this exception is; None if it is a fault of ours. `statuses`: the domain's reasons."""
    match error:
        case HttpProblem():
            return error
        case RequestValidationError():
            return _validation(error)
        case HTTPException():
            return of_status(error.status_code, error.detail, error.headers)
        case VersionMismatch(details={"current": 0}):
            return HttpProblem("not-found", "there is no such thing to change")
        case Refused():
            return _refused(error, statuses)
        case Conflict():
            return HttpProblem(
                "conflict", "others are changing the same thing; repeat the request in a moment", headers=SOON
            )
        case NotYet():
            return HttpProblem("not-yet", str(error), headers=SOON)
        case EventTooLarge():
            return HttpProblem("event-too-large", str(error))
        case asyncpg.CharacterNotInRepertoireError() | asyncpg.UntranslatableCharacterError():
            return invalid_input(
                [FieldError(place="query", field="", message="text may not hold the character U+0000")]
            )
        case VaultAway() | KeysAway():
            log.warning("the keys of personal data are away", exc_info=error)
            return HttpProblem(
                "keys-away",
                "the keys that open personal data cannot be had; repeat the request, with the same Idempotency-Key if "
                "it has one",
                headers=SOON,
            )
        case _ if _database_away(error):
            log.warning("the database is away", exc_info=error)
            return HttpProblem(
                "database-away",
                "the database does not answer; repeat the request, with the same Idempotency-Key if it has one",
                headers=SOON,
            )
        case _:
            return None


def _database_away(error: Exception) -> bool:
    if isinstance(error, asyncpg.InterfaceError):  # also a wrong call, which is a fault of ours
        return "clos" in str(error)  # the connection or the pool is closed, or closing
    return isinstance(error, DATABASE_AWAY)


def _refused(refused: Refused, statuses: Mapping[str, int]) -> HttpProblem:
    known = KNOWN.get(refused.reason, (409,))[0]
    headers: dict[str, str] = {}
    if isinstance(refused, VersionMismatch):
        headers["ETag"] = f'"v{refused.details["current"]}"'
    return HttpProblem(
        refused.reason,
        str(refused),
        status=statuses.get(refused.reason, known),
        headers=headers,
        **{name: value for name, value in refused.details.items() if name not in ("reason", "detail", "status")},
    )


def _validation(error: RequestValidationError) -> HttpProblem:
    wrongs = cast(list[dict[str, Any]], list(error.errors()))
    if any(wrong["type"] == "json_invalid" for wrong in wrongs):
        return HttpProblem("bad-json", f"the body is not JSON: {wrongs[0]['ctx']['error']}")
    if isinstance(error.body, bytes) and any(wrong["loc"] == ("body",) for wrong in wrongs):
        return HttpProblem("media-type-not-supported", "send JSON, with Content-Type: application/json")
    return invalid_input([_field_error(wrong) for wrong in wrongs])


def _field_error(wrong: dict[str, Any]) -> FieldError:
    place, *names = wrong["loc"]
    if place not in ("body", "query", "path", "header", "cookie"):
        place, names = "body", [place, *names]
    return FieldError(
        place=cast(Any, place),
        field=".".join(str(name) for name in names),
        message=_message(wrong),
        message_zh=in_chinese(wrong["type"], wrong.get("ctx", {})),
    )


def _message(wrong: dict[str, Any]) -> str:
    """Pydantic's own words, except where they repeat the value."""
    match wrong["type"]:
        case "union_tag_invalid":
            return f"{wrong['ctx']['discriminator']} must be one of {wrong['ctx']['expected_tags']}"
        case "missing":
            return "this is required"
        case "extra_forbidden":
            return "there is no such field"
        case _:
            return redact(str(wrong["msg"]).removeprefix("Value error, "))


def install(app: FastAPI, statuses: Mapping[str, int]) -> None:
    """Answers every exception that is not a fault of ours with its problem, and notes who was refused."""

    async def answer(request: Request, error: Exception) -> Response:
        problem = problem_of(error, statuses)
        if problem is None:
            raise error
        if problem.status in (401, 403) or isinstance(error, OutOfReach):
            _note(request, problem)
        return refusal(problem, request.scope)

    handler: Callable[[Request, Any], Awaitable[Response]] = answer
    for kind in (
        HttpProblem,
        RequestValidationError,
        HTTPException,
        Refused,
        Conflict,
        NotYet,
        EventTooLarge,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        ConnectionError,
    ):
        app.add_exception_handler(kind, handler)


def _note(request: Request, problem: HttpProblem) -> None:
    """For the audit log."""
    refusals: Refusals | None = request.app.state.refusals
    if refusals is None:
        return
    scope = request.scope
    caller: Caller = scope.get("edge.caller", ANONYMOUS)
    route = scope.get("route")
    power = power_of(route) if isinstance(route, APIRoute) else None
    refusal = Refusal(caller.id, caller.client, power, act_of(scope), problem.reason, problem.status)
    refusals.note(refusal, Occurrence(scope.get("edge.thing"), current_trace_id(), refusals.commands.clock()))
