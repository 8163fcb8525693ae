"""The documents say what the service does: a stranger who follows them meets no surprise."""

import re

import httpx2
from edge import Application


async def test_every_operation_documents_problems_and_nothing_else_for_errors(application: Application) -> None:
    document = application.document()
    assert document["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in document["components"]["schemas"]
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert operations
    for operation in operations:
        errors = {status: response for status, response in operation["responses"].items() if status[0] in "45"}
        assert set(errors) == {"429", "4XX", "5XX"}
        assert "Retry-After" in errors["429"]["headers"]
        for response in operation["responses"].values():
            assert {"RateLimit", "RateLimit-Policy"} <= response["headers"].keys()
        for response in errors.values():
            assert list(response["content"]) == ["application/problem+json"]
        assert operation["security"] == [{}, {"token": []}]


async def test_commands_document_the_headers_they_need(application: Application) -> None:
    paths = application.document()["paths"]

    def headers(path: str, method: str) -> dict[str, bool]:
        return {
            each["name"]: each["required"]
            for each in paths[path][method].get("parameters", [])
            if each["in"] == "header"
        }

    assert headers("/suggestions", "post") == {"Idempotency-Key": True}
    assert headers("/suggestions/{suggestion}/answer", "post") == {"Idempotency-Key": True, "If-Match": True}
    assert headers("/suggestions", "get") == {"Consistency-Token": False}
    assert set(paths["/suggestions"]["post"]["responses"]["201"]["headers"]) == {
        "RateLimit",
        "RateLimit-Policy",
        "ETag",
        "Consistency-Token",
        "Idempotency-Replayed",
        "Location",
    }


async def test_the_page_and_all_its_files_come_from_the_service_itself(anonymous: httpx2.AsyncClient) -> None:
    page = (await anonymous.get("/docs")).text
    addresses = re.findall(r"""(?:src|href)="([^"]+)"|url: '([^']+)'""", page)
    found = [one or other for one, other in addresses]
    assert len(found) == 4
    for address in found:
        assert "//" not in address
        response = await anonymous.get(f"/{address}")
        assert response.status_code == 200
        assert response.content
    assert "://" not in page
    assert (await anonymous.get("/docs/__init__.py")).status_code == 404
    assert (await anonymous.get("/asyncapi.json")).json() == {"asyncapi": "3.1.0"}
