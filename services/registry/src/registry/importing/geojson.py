"""Grids from GeoJSON (RFC 7946): a FeatureCollection of polygons without holes, in WGS-84.

Grids are few, so their file is read whole.
"""

from collections.abc import Iterator, Sequence
from typing import IO, Any

import orjson
from contracts.common import Title
from contracts.registry import MapGrid
from edge.body import too_deep

from registry.domain.address import check_division_code
from registry.domain.faults import Fault, Why
from registry.domain.ground import check_boundary
from registry.domain.references import check_code
from registry.importing.cells import needed, text
from registry.importing.sheets import Entry
from registry.importing.table import NotATable

MAX_GRIDS = 1_000
MAX_CORNERS = 2_000

Read = tuple[int, Entry | Fault]


def read_grids(file: IO[bytes]) -> list[Read]:
    """Each feature by its number, counted from 1: a grid, or what is wrong with it. Raises NotATable."""
    return list(_each(_features(file)))


def _features(file: IO[bytes]) -> Sequence[Any]:
    file.seek(0)
    content = file.read()
    if too_deep(content):
        raise NotATable("this JSON is nested too deeply: send a GeoJSON FeatureCollection (RFC 7946)")
    try:
        collection = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise NotATable("this is not JSON: send a GeoJSON FeatureCollection (RFC 7946)") from None
    match collection:
        case {"type": "FeatureCollection", "features": [*features]}:
            if len(features) > MAX_GRIDS:
                raise NotATable(f"this file has more than {MAX_GRIDS} grids: send it in parts")
            return features
        case _:
            raise NotATable("this is no GeoJSON FeatureCollection (RFC 7946)")


def _each(features: Sequence[Any]) -> Iterator[Read]:
    seen: set[str] = set()
    for number, feature in enumerate(features, 1):
        try:
            facts = _grid(feature)
            if facts.grid in seen:
                raise Fault("code", Why.DUPLICATE)
            check_boundary(facts.boundary)
        except Fault as fault:
            yield number, fault
        else:
            seen.add(facts.grid)
            yield number, Entry(facts.grid, facts)


def _grid(feature: Any) -> MapGrid:
    match feature:
        case {"properties": {**properties}, "geometry": geometry}:
            named = {name: str(properties.get(name) or "") for name in ("code", "name_zh", "name_en", "division_code")}
        case _:
            raise Fault("geometry", Why.NOT_A_POLYGON)
    code = needed(named, "code")
    check_code("code", code)
    title = Title(zh=needed(named, "name_zh"), en=needed(named, "name_en"))
    division = text(named, "division_code")
    if division:
        check_division_code(division)
    return MapGrid(grid=code, title=title, boundary=_ring(geometry), division_code=division or None)


def _ring(geometry: Any) -> list[tuple[float, float]]:
    match geometry:
        case {"type": "Polygon", "coordinates": [[*positions]]}:
            if len(positions) > MAX_CORNERS:
                raise Fault("boundary", Why.TOO_MANY_CORNERS)
            ring = [_corner(position) for position in positions]
        case _:
            raise Fault("geometry", Why.NOT_A_POLYGON)
    if len(ring) < 4:
        raise Fault("boundary", Why.TOO_FEW_CORNERS)
    return ring


def _corner(position: Any) -> tuple[float, float]:
    match position:
        case [int() | float() as longitude, int() | float() as latitude, *_]:
            return float(longitude), float(latitude)
        case _:
            raise Fault("boundary", Why.NOT_A_NUMBER)
