"""Problem details (RFC 9457): the one shape in which a service says that it did not do what was asked.

Each problem has a stable `type`, whose last part is its reason. `KNOWN` lists the reasons that every service may give;
a domain adds its own by raising a subclass of `events.Refused`. No problem repeats a value that was sent.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

import orjson
from fastapi import Response
from opentelemetry import trace
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from edge.accepting import Language
from edge.redaction import redact

BASE = "https://commongrid.example/problems/"
MEDIA_TYPE = "application/problem+json"

KNOWN: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be read"),
    "bad-json": (400, "The body is not JSON"),
    "too-deep": (400, "The body's JSON is nested too deeply"),
    "too-many-values": (400, "The query has too many values"),
    "idempotency-key-missing": (400, "This request needs an Idempotency-Key"),
    "idempotency-key-malformed": (400, "The Idempotency-Key cannot be read"),
    "if-match-malformed": (400, "If-Match cannot be read"),
    "consistency-token-malformed": (400, "The Consistency-Token cannot be read"),
    "not-signed-in": (401, "This needs to know who calls"),
    "token-not-accepted": (401, "The bearer token is not accepted"),
    "not-allowed": (403, "The caller may not do this"),
    "not-for-this-purpose": (403, "The power is not for this purpose"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "This address does not take this method"),
    "erased": (410, "Who this is about was erased"),
    "conflict": (409, "Others are changing the same thing"),
    "version-mismatch": (412, "The thing has changed since it was looked at"),
    "body-too-large": (413, "The body is too large"),
    "event-too-large": (413, "The content is too large to be recorded"),
    "media-type-not-supported": (415, "The body must be JSON"),
    "invalid-input": (422, "Some of the input is not valid"),
    "cursor-malformed": (422, "The cursor cannot be read"),
    "idempotency-key-reused": (422, "The Idempotency-Key was used for another request"),
    "if-match-missing": (428, "This change needs If-Match"),
    "quota-exceeded": (429, "The caller asks too often"),
    "head-too-large": (431, "The request has too many headers"),
    "internal-error": (500, "Something went wrong here"),
    "database-away": (503, "The service cannot reach its database"),
    "keys-away": (503, "The keys of personal data cannot be had at present"),
    "issuer-away": (503, "The service cannot check tokens at present"),
    "not-ready": (503, "The service cannot serve at present"),
    "not-yet": (503, "What was written has not arrived here yet"),
}
"""Reason to status and title, for the problems that any service may give."""

REASON_OF_STATUS = {
    400: "bad-request",
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "body-too-large",
    415: "media-type-not-supported",
    422: "invalid-input",
}


class FieldError(BaseModel):
    """What is wrong with one field, and never the value that was given."""

    place: Literal["body", "query", "path", "header", "cookie"] = Field(description="Which part of the request")
    field: str = Field(description="The field's name, with dots into nested ones: `place.longitude`")
    message: str = Field(description="What would be right")
    message_zh: SkipJsonSchema[str | None] = None
    """The same in Chinese; it is told instead to whoever asks for Chinese."""


class Problem(BaseModel):
    """Why the service did not do what was asked (RFC 9457). Some types have further members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Stable; programs decide by it", examples=[BASE + "not-found"])
    title: str = Field(description="The same for every problem of this type")
    status: int = Field(description="The HTTP status code", ge=400, le=599)
    detail: str = Field(description="What happened this time and what would be right, for people")
    trace: str | None = Field(None, description="Quote it when you ask the operators")
    errors: list[FieldError] | None = Field(None, description="Each wrong field of the input")


class HttpProblem(Exception):
    """Raise it to answer with a problem: HttpProblem("not-found", "there is no grid 7").

    The status is the reason's own (`KNOWN`) unless given. Further members go into the answer.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        if status is None and reason not in KNOWN:
            raise TypeError(f"{reason} is none of the problems that every service knows: give its status")
        self.reason = reason
        self.detail = detail
        self.status = status or KNOWN[reason][0]
        self.headers = dict(headers or {})
        self.members = members

    def response(self, language: Language = "en") -> Response:
        """The answer on the wire; in Chinese where it is asked for and `message_zh` says it."""
        known = KNOWN.get(self.reason)
        headers = dict(self.headers)
        detail, members = self.detail, dict(self.members)
        if language == "zh" and "message_zh" in members:
            headers["Content-Language"] = "zh"
            detail = members["message_zh"]
        if errors := members.get("errors"):
            members["errors"] = [_in(language, error) for error in errors]
        content = {
            **members,
            "type": BASE + self.reason,
            "title": known[1] if known else self.reason.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": detail,
        }
        if trace_id := current_trace_id():
            content["trace"] = trace_id
        body = orjson.dumps(content, default=str, option=orjson.OPT_NON_STR_KEYS)
        return Response(body, self.status, headers, MEDIA_TYPE)


def of_status(status: int, detail: str | None = None, headers: Mapping[str, str] | None = None) -> HttpProblem:
    """The problem for a bare status code, as a framework gives it."""
    reason = REASON_OF_STATUS.get(status, f"http-{status}")
    return HttpProblem(reason, detail or HTTPStatus(status).phrase, status=status, headers=headers)


def invalid_input(errors: Sequence[FieldError]) -> HttpProblem:
    """The problem of these fields. A field's name comes from the sender too: it is cut short, and blotted out if it
    looks personal."""
    named = [error.model_copy(update={"field": redact(error.field[:200])}) for error in errors]
    fields = list(dict.fromkeys(error.field or error.place for error in named))
    return HttpProblem(
        "invalid-input",
        f"not valid: {', '.join(fields)}",
        errors=[error.model_dump(exclude_none=True) for error in named],
        message_zh=f"有误：{'、'.join(fields)}",
    )


def _in(language: Language, error: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong with a field in one language; in English where there is no other."""
    said = {name: value for name, value in error.items() if name != "message_zh"}
    return said | {"message": error["message_zh"]} if language == "zh" and "message_zh" in error else said


def current_trace_id() -> str | None:
    """The id of the trace that this request belongs to, if there is one."""
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else None
