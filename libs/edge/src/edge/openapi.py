"""The OpenAPI document: FastAPI's own, with what it cannot know: the headers of commands, and problems for errors.

A command is an operation that changes something and answers with JSON: it needs an Idempotency-Key. One that changes a
thing named in its path, rather than making one (201), needs If-Match as well.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from edge.problems import MEDIA_TYPE, Problem
from edge.routing import ASKS

UNSAFE = ("post", "put", "patch", "delete")
PROBLEM_STATUSES = {
    "429": "The caller asks too often",
    "4XX": "The request is not right, or not right now",
    "5XX": "The service cannot do it at present",
}

Json = dict[str, Any]


def _header(name: str, description: str, required: bool, **schema: Any) -> Json:
    schema = {"type": "string", **schema}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "A value of your own, a UUID for instance. Repeat a request with the same one and it takes effect once: the first "
    "answer is given again, with `Idempotency-Replayed: true`.",
    True,
    minLength=1,
    maxLength=200,
    pattern="^[!-~]+$",
    examples=["0199d1a0-6a5e-7c3b-9a57-3f2f5d1e8c11"],
)

IF_MATCH = _header(
    "If-Match",
    "The ETag of the version that you decided on, or `*` for any. 412 if the thing has changed since.",
    True,
    pattern=r'^("v[1-9][0-9]{0,8}"|\*)$',
    examples=['"v3"'],
)

CONSISTENCY_TOKEN = _header(
    "Consistency-Token",
    "What a command answered, in this service or another: the query waits until it shows what was written. Several may "
    "be given, with commas between.",
    False,
    examples=["Z3JpZF90YXNrcyBjYXNlLTAxOTkgMS44MTIzLjQ1"],
)


QUOTA: Json = {
    "RateLimit": {
        "description": "What is left of the caller's quota for such requests (`r`), and in how many seconds there is "
        "more (`t`), after draft-ietf-httpapi-ratelimit-headers",
        "schema": {"type": "string", "examples": ['"reads";r=399;t=1']},
    },
    "RateLimit-Policy": {
        "description": "The quota (`q`), and in how many seconds it fills up (`w`)",
        "schema": {"type": "string", "examples": ['"reads";q=400;w=20']},
    },
}
RETRY_AFTER: Json = {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}


def document(app: FastAPI, description: str) -> Json:
    """The document of this application."""
    openapi = get_openapi(
        title=app.title,
        version=app.version,
        description=description,
        routes=app.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    schemas: Json = openapi.setdefault("components", {}).setdefault("schemas", {})
    schemas |= _problem_schemas()
    openapi["components"]["headers"] = QUOTA
    for path, method, operation in _operations(openapi):
        _describe_problems(operation)
        if operation.pop("security", None) is not None:  # it asks who calls: by a token, or not at all
            operation["security"] = [{}, {"token": []}]
            _describe_headers(operation, method, "{" in path)
    return openapi


def _operations(openapi: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in openapi.get("paths", {}).items():
        for method, operation in item.items():
            yield path, method, operation


def _describe_headers(operation: Json, method: str, has_parameters: bool) -> None:
    done = [response for status, response in operation["responses"].items() if status.startswith("2")]
    if not any("application/json" in response.get("content", {}) for response in done):
        return  # a page, a file or a stream
    makes = "201" in operation["responses"]
    needed = [CONSISTENCY_TOKEN]
    if method in UNSAFE and ASKS not in operation:
        needed = [IDEMPOTENCY_KEY, IF_MATCH] if has_parameters and not makes else [IDEMPOTENCY_KEY]
        for response in done:
            response["headers"] = ANSWERED | (LOCATION if makes else {}) | response.get("headers", {})
    parameters: list[Json] = operation.setdefault("parameters", [])
    named = {parameter["name"] for parameter in parameters}
    parameters.extend(header for header in needed if header["name"] not in named)


def _answered(description: str) -> Json:
    return {"description": description, "schema": {"type": "string"}}


ANSWERED: Json = {
    "ETag": _answered("The version that the thing has now"),
    "Consistency-Token": _answered("Pass it on to a query, to read what was just written"),
    "Idempotency-Replayed": _answered("`true` if this is the answer to an earlier request with the same key"),
}
LOCATION: Json = {"Location": _answered("Where the new thing is")}


def _describe_problems(operation: Json) -> None:
    responses: Json = operation["responses"]
    responses.pop("422", None)
    for status, text in PROBLEM_STATUSES.items():
        responses[status] = {
            "description": text,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    responses["429"]["headers"] = {"Retry-After": RETRY_AFTER}
    for response in responses.values():
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in QUOTA} | response.get(
            "headers", {}
        )


def _problem_schemas() -> Json:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), "Problem": schema}
