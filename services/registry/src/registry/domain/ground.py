"""Ground: what makes a boundary one, and when two of them overlap.

Coordinates are degrees in WGS-84, longitude before latitude.
"""

from collections.abc import Mapping, Sequence
from math import cos, radians
from typing import Any

from registry.domain.faults import Fault, Why

# shapely and numpy are some 14 MiB of a process: who judges a boundary loads them, and a service at rest has not.

Ring = Sequence[tuple[float, float]]

METRES_PER_DEGREE = 111_320.0
METRE = 1 / METRES_PER_DEGREE
TOLERANCE = 1.0
"""Square metres by which neighbours may overlap: two people drawing one street do not hit the same point."""


def in_china(longitude: float, latitude: float) -> bool:
    """Whether a point lies in the box around China; it mostly does not if the two were exchanged."""
    return 73 < longitude < 136 and 3 < latitude < 54


def check_boundary(ring: Ring) -> None:
    """Raises Fault unless the ring is closed, has three corners, lies in China, and does not meet itself."""
    if len(ring) < 2 or ring[0] != ring[-1]:
        raise Fault("boundary", Why.OPEN_RING)
    if len(set(ring)) < 3:
        raise Fault("boundary", Why.TOO_FEW_CORNERS)
    if not all(in_china(*corner) for corner in ring):
        raise Fault("boundary", Why.COORDINATES)
    from shapely import Polygon

    if not Polygon(ring).is_valid:
        raise Fault("boundary", Why.SELF_CROSSING)


Picture = dict[str, Any]
"""A GeoJSON geometry."""


def overlapping(drawn: Mapping[str, Ring], standing: Mapping[str, Ring]) -> dict[str, Picture]:
    """Which of the grids drawn now, by code, overlap one that was drawn before them or one that stands, and where.

    A grid that is drawn anew gives up its old ground, unless it is refused: then that stays, and may stand in the way
    of others.
    """
    from shapely import union_all
    from shapely.geometry import mapping

    meets = _who_meets_whom(drawn, standing)
    refused: dict[str, Picture] = {}
    while True:
        accepted = {(STANDING, code) for code in standing if code not in drawn or code in refused}
        found: dict[str, Picture] = {}
        for code in drawn:
            in_the_way = [common for other, common in meets[code].items() if other in accepted]
            if code in refused or in_the_way:
                found[code] = refused.get(code) or mapping(union_all(in_the_way))
            else:
                accepted.add((DRAWN, code))
        if found.keys() == refused.keys():
            return refused
        refused = found


STANDING, DRAWN = 0, 1


def _who_meets_whom(
    drawn: Mapping[str, Ring], standing: Mapping[str, Ring]
) -> Mapping[str, Mapping[tuple[int, str], Any]]:
    """For each grid that is drawn, the grounds that it overlaps, and where. Most are far away: an index finds the
    others."""
    from shapely import Polygon, STRtree

    names = [(STANDING, code) for code in standing] + [(DRAWN, code) for code in drawn]
    grounds = [Polygon(ring) for ring in (*standing.values(), *drawn.values())]
    meets: dict[str, dict[tuple[int, str], Any]] = {code: {} for code in drawn}
    if not drawn:
        return meets
    # (shapely has no types)
    found: Any = STRtree(grounds).query(grounds[len(standing) :], predicate="intersects")  # pyright: ignore[reportUnknownMemberType]
    pairs: list[tuple[int, int]] = [(len(standing) + mine, other) for mine, other in found.T.tolist()]
    for one, other in pairs:
        if one != other and square_metres(common := grounds[one].intersection(grounds[other])) > TOLERANCE:
            meets[names[one][1]][names[other]] = common
    return meets


def square_metres(ground: Any) -> float:
    """The area of a geometry in degrees, which is small enough to be flat."""
    return 0.0 if ground.is_empty else ground.area * METRES_PER_DEGREE**2 * cos(radians(ground.bounds[1]))


def gaps(drawn: Mapping[str, Ring], given_up: Mapping[str, Ring], staying: Mapping[str, Ring]) -> list[Picture]:
    """Where nobody would look after the ground any more: what those grids leave (`given_up`: their old grounds), and
    holes that all grids together enclose. Slivers narrower than a metre are none."""
    from shapely import Polygon, union_all
    from shapely.geometry import mapping

    after = union_all([Polygon(ring) for ring in (*drawn.values(), *staying.values())])
    before = union_all([Polygon(ring) for ring in given_up.values()])
    near = after.buffer(METRE / 2)
    left: list[Any] = [part for part in _parts(before.difference(near)) if square_metres(part) > TOLERANCE]
    new = union_all([Polygon(ring) for ring in drawn.values()])
    holes: list[Any] = [
        hole
        for part in _parts(near)
        for hole in map(Polygon, part.interiors)
        if square_metres(hole) > TOLERANCE and hole.distance(new) < METRE and not union_all(left).intersects(hole)
    ]
    return [mapping(it) for it in (*left, *holes)]


def _parts(ground: Any) -> list[Any]:
    return [it for it in getattr(ground, "geoms", [ground]) if it.geom_type == "Polygon" and not it.is_empty]


def took_from(drawn: Mapping[str, Ring], before: Mapping[str, Ring]) -> dict[str, tuple[str, ...]]:
    """For each grid drawn now, the grids whose former ground it has part of."""
    meets = _who_meets_whom(drawn, before)
    return {code: tuple(sorted(other for kind, other in found if kind == STANDING)) for code, found in meets.items()}
