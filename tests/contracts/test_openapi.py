"""Each service's OpenAPI document is one that clients can be generated from, and promises problems for errors."""

from importlib import import_module
from typing import Any

import jsonschema_rs
import pytest
from contracts.catalogue import PUBLISHED

METHODS = ("get", "put", "post", "delete", "patch")


@pytest.fixture(params=PUBLISHED)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return import_module(f"{request.param}.service").application.document()


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def test_it_is_openapi_3_1_and_names_no_server(document: dict[str, Any]):
    assert document["openapi"].startswith("3.1.")
    assert "servers" not in document
    assert document["info"]["description"]


def test_every_operation_has_an_id_of_its_own_a_summary_and_a_tag(document: dict[str, Any]):
    ids = [operation.get("operationId") for _, operation in operations(document)]
    assert None not in ids
    assert len(set(ids)) == len(ids)
    assert [
        name for name, operation in operations(document) if not (operation.get("summary") and operation.get("tags"))
    ] == []


def test_every_error_is_a_problem_document(document: dict[str, Any]):
    for name, operation in operations(document):
        errors = {status: answer for status, answer in operation["responses"].items() if status[0] in "45"}
        assert errors, f"{name} promises nothing about errors"
        if "/open311/" in name:  # GeoReport v2 has a form of its own
            continue
        for status, answer in errors.items():
            assert list(answer["content"]) == ["application/problem+json"], f"{name} {status}"


def test_every_post_that_changes_something_takes_an_idempotency_key_and_no_question_does(document: dict[str, Any]):
    for name, operation in operations(document):
        headers = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "header"}
        if name.startswith("POST"):
            assert ("Idempotency-Key" in headers) is not operation.get("x-asks", False), name


def test_nothing_but_these_needs_no_idempotency_key(document: dict[str, Any]):
    questions = {"POST /keys", "POST /people/search", "POST /people/find", "POST /addresses/search"}
    batches = {"POST /sync"}  # each command in it has a key of its own
    assert {name for name, it in operations(document) if it.get("x-asks")} <= questions | batches


def test_every_reference_leads_somewhere_and_every_schema_is_valid(document: dict[str, Any]):
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
    for reference in references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def references(value: Any) -> list[str]:
    match value:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [found for part in value.values() for found in references(part)]  # pyright: ignore
        case list():
            return [found for part in value for found in references(part)]  # pyright: ignore
        case _:
            return []
