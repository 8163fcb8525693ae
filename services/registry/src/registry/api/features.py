"""Grids, buildings and units by OGC API - Features (Part 1: Core, OGC 17-069r4), for GIS: QGIS, GDAL and their like.

Nothing personal is in it. Each collection needs the power that its list needs, and is cut to the caller's reach.
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from edge import Call, Cursor, HttpProblem, Router, decode_cursor, encode_cursor
from edge.call import HttpCall
from edge.routing import Operation
from events import NotFound, ReadModel
from fastapi import Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError

from registry.api.features_document import COLLECTIONS, CRS84, DESCRIBED, PAGE, document
from registry.api.powers import Powers
from registry.read_models.buildings import buildings
from registry.read_models.features import LAYERS, Box, extent, feature, features, matched
from registry.read_models.territory import territory
from registry.read_models.units import units

CORE = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
GEOJSON = "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
DEGREES = r"-?[0-9]{1,3}(\.[0-9]{0,20})?"

Behind: dict[str, tuple[Powers, tuple[ReadModel, ...]]] = {
    "grids": (Powers.READ_GRIDS, (territory,)),
    "buildings": (Powers.READ_BUILDINGS, (buildings, territory)),
    "units": (Powers.READ_UNITS, (units, territory)),
}
"""By collection, the power that shows it and the read models that it is read from."""


class Asked(Operation):
    """A parameter that is wrong, or that there is not, is a bad request (400), as the standard asks."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answer = super().get_route_handler()
        known = {parameter.alias for parameter in self.dependant.query_params}

        async def asked(request: Request) -> Response:
            if unknown := request.query_params.keys() - known:
                raise HttpProblem("bad-request", f"{len(unknown)} of the parameters are none of this address's")
            try:
                return await answer(request)
            except RequestValidationError as error:
                wrong = {".".join(map(str, it["loc"][1:])) for it in error.errors()}
                raise HttpProblem("bad-request", f"not valid: {', '.join(sorted(wrong))}") from None

        return asked


router = Router(prefix="/ogc", tags=["features"])
router.route_class = Asked


def _json(content: object, media_type: str = "application/json") -> Response:
    return Response(orjson.dumps(content), media_type=media_type)


def _link(call: HttpCall, rel: str, path: str, type_: str, title: str) -> dict[str, str]:
    """Links are absolute, by the address that the caller called us by."""
    return {"rel": rel, "href": f"{_base(call)}{path}", "type": type_, "title": title}


def _base(call: HttpCall) -> str:
    return str(call.request.base_url).rstrip("/")


@router.get("", power=Powers.READ_GRIDS, response_model=dict[str, Any])
async def landing(call: Call) -> Response:
    """Where everything is: give this address to your GIS."""
    links = [
        _link(call, "self", "/ogc", "application/json", "This document"),
        _link(call, "service-desc", "/ogc/api", OPENAPI, "The description of these addresses (OpenAPI 3.0)"),
        _link(call, "service-doc", "/docs", "text/html", "The whole API of the registry, for people"),
        _link(call, "conformance", "/ogc/conformance", "application/json", "What this keeps to"),
        _link(call, "data", "/ogc/collections", "application/json", "The collections"),
    ]
    return _json(
        {
            "title": "Commongrid: 网格、房屋、单位 · grids, buildings, units",
            "description": "Public registers of the area, WGS-84.",
            "links": links,
        }
    )


@router.get(
    "/api",
    power=Powers.READ_GRIDS,
    response_class=Response,
    responses={200: {"content": {OPENAPI: {"schema": {"type": "object"}}}, "description": "The description"}},
)
async def description(call: Call) -> Response:
    """These addresses as OpenAPI 3.0, which is what GIS can read; all others are in `/openapi.json`."""
    return _json(document(f"{_base(call)}/ogc"), OPENAPI)


@router.get("/conformance", power=Powers.READ_GRIDS, response_model=dict[str, Any])
async def conformance(call: Call) -> Response:
    """The classes of the standard that this keeps to."""
    return _json({"conformsTo": [CORE + name for name in ("core", "oas30", "geojson")]})


@router.get("/collections", power=Powers.READ_GRIDS, response_model=dict[str, Any])
async def collections(call: Call) -> Response:
    """The collections that you may read."""
    shown = [await _collection(call, id_) for id_ in COLLECTIONS if await call.may(Behind[id_][0])]
    links = [_link(call, "self", "/ogc/collections", "application/json", "This document")]
    return _json({"links": links, "collections": shown})


async def _collection(call: HttpCall, id_: str) -> dict[str, Any]:
    power, read_models = Behind[id_]
    await call.fresh(*read_models)
    grant = await call.may(power)
    box = await extent(call.db, LAYERS[id_], grant.sql if grant else [])
    path = f"/ogc/collections/{id_}"
    spatial = {"extent": {"spatial": {"bbox": [box], "crs": CRS84}}} if box else {}
    return {
        "id": id_,
        "title": COLLECTIONS[id_],
        "description": DESCRIBED[id_],
        "itemType": "feature",
        "crs": [CRS84],
        **spatial,
        "links": [
            _link(call, "self", path, "application/json", COLLECTIONS[id_]),
            _link(call, "items", f"{path}/items", GEOJSON, COLLECTIONS[id_]),
        ],
    }


BBOX = Annotated[
    str | None,
    Query(
        pattern=f"^{DEGREES}(,{DEGREES}){{3}}((,{DEGREES}){{2}})?$",
        max_length=200,
        description="West, south, east, north in degrees (with heights, which are passed over)",
    ),
]
PER_PAGE = Annotated[int, Query(ge=1, description=f"At most so many features; never more than {PAGE}")]
WHEN = Annotated[
    str | None, Query(alias="datetime", max_length=100, description="Passed over: these things have no time of theirs")
]


def _box(text: str | None) -> Box | None:
    if text is None:
        return None
    numbers = [float(it) for it in text.split(",")]
    half = len(numbers) // 2
    return numbers[0], numbers[1], numbers[half], numbers[half + 1]


def _feature(row: Any) -> dict[str, Any]:
    geometry, properties = orjson.Fragment(row["geometry"]), orjson.Fragment(row["properties"])
    return {"type": "Feature", "id": row["id"], "geometry": geometry, "properties": properties}


def _with_items(collection: str) -> None:
    """The three addresses of a collection: itself, its features, and one of them."""
    power, read_models = Behind[collection]
    layer, path = LAYERS[collection], f"/collections/{collection}"

    @router.get(path, power=power, response_model=dict[str, Any], name=f"collection_of_{collection}")
    async def about(call: Call) -> Response:
        """What the collection holds, and where."""
        return _json(await _collection(call, collection))

    @router.get(
        f"{path}/items",
        power=power,
        name=f"features_of_{collection}",
        response_class=Response,
        responses={200: {"content": {GEOJSON: {"schema": {"type": "object"}}}, "description": "Features"}},
    )
    async def items(
        call: Call, bbox: BBOX = None, limit: PER_PAGE = 10, datetime: WHEN = None, cursor: Cursor = None
    ) -> Response:
        """Features, page by page, within a box if you give one."""
        await call.fresh(*read_models)
        box, most = _box(bbox), min(limit, PAGE)
        after = decode_cursor(cursor, str)[0] if cursor else ""
        empty = box is not None and (box[0] > box[2] or box[1] > box[3])
        rows = [] if empty else await features(call.db, layer, call.grant.sql, box, after, most)
        shown = rows[:most]
        here = {"limit": limit, "bbox": bbox, "datetime": datetime}
        links = [
            _page(call, "self", path, here | {"cursor": cursor}),
            _link(call, "collection", f"/ogc{path}", "application/json", COLLECTIONS[collection]),
        ]
        if len(rows) > most:
            links.append(_page(call, "next", path, here | {"cursor": encode_cursor(shown[-1]["id"])}))
        count = 0 if empty else await matched(call.db, layer, call.grant.sql, box)
        return _json(
            {
                "type": "FeatureCollection",
                "features": [_feature(row) for row in shown],
                "links": links,
                "timeStamp": call.now.isoformat(timespec="seconds"),
                "numberReturned": len(shown),
                **({} if count is None else {"numberMatched": count}),
            },
            GEOJSON,
        )

    @router.get(
        f"{path}/items/{{feature_id}}",
        power=power,
        name=f"feature_of_{collection}",
        response_class=Response,
        responses={200: {"content": {GEOJSON: {"schema": {"type": "object"}}}, "description": "A feature"}},
    )
    async def item(call: Call, feature_id: Annotated[str, Path(max_length=200)]) -> Response:
        """A feature by its id."""
        await call.fresh(*read_models)
        row = await feature(call.db, layer, call.grant.sql, feature_id)
        if row is None:
            raise NotFound("there is no such thing")
        links = [
            _link(call, "self", f"/ogc{path}/items/{feature_id}", GEOJSON, "This feature"),
            _link(call, "collection", f"/ogc{path}", "application/json", COLLECTIONS[collection]),
        ]
        return _json({**_feature(row), "links": links}, GEOJSON)


def _page(call: HttpCall, rel: str, path: str, query: dict[str, Any]) -> dict[str, str]:
    given = urlencode({name: value for name, value in query.items() if value is not None}, safe=",")
    return _link(call, rel, f"/ogc{path}/items?{given}", GEOJSON, "Features")


def _all(collections: Iterable[str]) -> None:
    for collection in collections:
        _with_items(collection)


_all(COLLECTIONS)
