"""How GeoReport answers look (sections Format Support, Encoding, Errors): XML, and JSON by the Spark convention, which
leaves out the name of the root and of what lists hold."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from xml.etree import ElementTree as ET  # it writes only; nobody's XML is read

import orjson
from edge import HttpProblem
from edge.accepting import Language, language_of
from edge.routing import Operation
from fastapi import Request, Response
from pydantic import BaseModel, Field

W3 = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
"""Times like 2010-01-01T00:00:00Z (section Date/time format)."""
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
ITEMS: Mapping[str, str] = {
    "services": "service",
    "service_requests": "request",
    "attributes": "attribute",
    "endpoints": "endpoint",
    "formats": "format",
    "errors": "error",
}
"""What each list holds, in XML."""
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, 2.2: these stand in no document, not even escaped."""


class Format(StrEnum):
    """The forms in which each address answers, as its ending says."""

    JSON = "json"
    XML = "xml"


MEDIA: Mapping[Format, str] = {Format.JSON: "application/json", Format.XML: "text/xml"}


def written(
    format: Format, root: str, content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in this form."""
    body = (
        DECLARATION + ET.tostring(_element(root, content)) if format is Format.XML else orjson.dumps(content, option=W3)
    )
    return Response(body, status, headers, f"{MEDIA[format]}; charset=utf-8")


def _element(name: str, content: object) -> ET.Element:
    element = ET.Element(name)
    match content:
        case dict():
            element.extend(_element(key, value) for key, value in cast("dict[str, object]", content).items())
        case list():
            element.extend(_element(ITEMS[name], value) for value in cast("list[object]", content))
        case bool():
            element.text = str(content).lower()
        case datetime():
            element.text = orjson.dumps(content, option=W3).decode().strip('"')
        case None:
            pass
        case _:
            element.text = _NOT_IN_XML.sub("\ufffd", str(content))
    return element


class Error(BaseModel):
    """What is wrong (section Errors)."""

    code: int = Field(description="The HTTP status code")
    description: str = Field(description="For the user: what is wrong, and what would be right")


class GeoReport(Operation):
    """What is refused is told in the standard's form and with its status codes: 403 where the caller is not known or
    may not, 404 for what there is not, 400 for everything else. What passes by itself (429, 5xx) stays as everywhere,
    since caches and clients know these codes and their Retry-After."""

    def refused(self, problem: HttpProblem, request: Request) -> Response:
        """The answer that this problem is."""
        if problem.status >= 500 or problem.status in (405, 429):
            return super().refused(problem, request)
        status = {401: 403, 403: 403, 404: 404, 410: 404}.get(problem.status, 400)
        if any(it["place"] == "path" for it in problem.members.get("errors", ())):
            status = 404  # an address that there is not
        errors = _errors(problem, status, language_of(request.headers.get("Accept-Language")))
        asked = Format.XML if request.url.path.endswith(".xml") else Format.JSON
        return written(asked, "errors", [it.model_dump() for it in errors], status, problem.headers)


def _errors(problem: HttpProblem, status: int, language: Language) -> list[Error]:
    """One for each field that is wrong."""
    fields: Sequence[Mapping[str, Any]] = problem.members.get("errors", ())
    said = "message_zh" if language == "zh" else "message"
    wrong = [": ".join(filter(None, (it["field"], it.get(said) or it["message"]))) for it in fields]
    return [Error(code=status, description=it) for it in wrong or [problem.detail]]
