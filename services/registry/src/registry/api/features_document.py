"""The description of `/ogc` in OpenAPI 3.0, which the conformance class oas30 asks for: that of the whole service
(`/openapi.json`) is 3.1, which GIS do not read."""

from typing import Any

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
"""Longitude and latitude on WGS-84, in this order."""
PAGE = 1_000
"""The most features on a page; whoever asks for more gets so many."""

COLLECTIONS = {"grids": "网格 Grids", "buildings": "实有房屋 Buildings", "units": "实有单位 Units"}
"""By id, what a collection is called."""
DESCRIBED = {
    "grids": "The areas that the teams of community policing look after: polygons",
    "buildings": "Buildings, where their address lies: points",
    "units": "Shops, hotels and the like, where their address lies: points",
}


def document(server: str) -> dict[str, Any]:
    """The document; `server` is the address of the landing page."""
    paths = {
        "/": _get("landing", "The landing page"),
        "/conformance": _get("conformance", "What this keeps to"),
        "/collections": _get("collections", "The collections"),
    }
    for id_, title in COLLECTIONS.items():
        path = f"/collections/{id_}"
        paths |= {
            path: _get(f"collection_{id_}", title),
            f"{path}/items": _get(f"items_{id_}", title, *PARAMETERS, media="application/geo+json"),
            f"{path}/items/{{feature_id}}": _get(f"item_{id_}", title, FEATURE, media="application/geo+json"),
        }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Commongrid: OGC API - Features", "version": "1.0.0"},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


def _parameter(name: str, description: str, place: str = "query", **schema: Any) -> dict[str, Any]:
    style = {"style": "form", "explode": False} if place == "query" else {}
    return {
        "name": name,
        "in": place,
        "description": description,
        "required": place == "path",
        "schema": schema,
        **style,
    }


PARAMETERS = (
    _parameter("limit", "At most so many features", type="integer", minimum=1, maximum=PAGE, default=10),
    _parameter(
        "bbox",
        "West, south, east, north",
        type="array",
        minItems=4,
        maxItems=6,
        items={"type": "number"},
    ),
    _parameter("datetime", "Passed over", type="string"),
    _parameter("cursor", "As in the link to the next page", type="string"),
)
FEATURE = _parameter("feature_id", "Its id", "path", type="string")


def _get(
    operation: str, summary: str, *parameters: dict[str, Any], media: str = "application/json"
) -> dict[str, dict[str, Any]]:
    answers = {
        "200": {"description": summary, "content": {media: {"schema": {"type": "object"}}}},
        "default": {"description": "A problem (RFC 9457)"},
    }
    return {"get": {"operationId": operation, "summary": summary, "parameters": list(parameters), "responses": answers}}
