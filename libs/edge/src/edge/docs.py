"""The service's documents: /docs for people, /asyncapi.json beside /openapi.json for tools. Nothing comes from a CDN,
and the page's policy lets nothing come from anywhere else.

Swagger UI's files are those that the package `fastapi-swagger` carries.
"""

import re
from importlib.resources import files
from typing import Any

from fastapi import Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse

from edge.outside import by_hash, page_policy
from edge.powers import PROCESS
from edge.problems import HttpProblem
from edge.routing import Router

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}

_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)

router = Router(include_in_schema=False)


@router.get("/docs", power=PROCESS, response_class=HTMLResponse)
async def docs(request: Request) -> HTMLResponse:
    """The page on which the API can be read and tried."""
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=request.app.title,
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon-32x32.png",
        swagger_ui_parameters={"persistAuthorization": True, "displayRequestDuration": True, "validatorUrl": None},
    )
    started = _SCRIPT.findall(bytes(page.body).decode())
    scripts = " ".join(["'self'", *map(by_hash, started)])
    page.headers["Content-Security-Policy"] = page_policy(scripts=scripts)
    return page


@router.get("/docs/{name}", power=PROCESS)
async def asset(name: str) -> Response:
    """A file of that page."""
    if name not in ASSETS:
        raise HttpProblem("not-found", "there is no such file")
    content = (files("fastapi_swagger") / "resources" / name).read_bytes()
    return Response(content, headers={"Cache-Control": "public, max-age=86400"}, media_type=ASSETS[name])


@router.get("/asyncapi.json", power=PROCESS)
async def asyncapi(request: Request) -> JSONResponse:
    """The events that the service publishes."""
    document: dict[str, Any] | None = request.app.state.asyncapi
    if document is None:
        raise HttpProblem("not-found", "this service has no AsyncAPI document")
    return JSONResponse(document)
