"""Ground: what makes a boundary one, and when two of them overlap.

Coordinates are degrees in WGS-84, longitude before latitude.
"""

from collections.abc import Collection, Mapping, Sequence
from math import cos, radians
from typing import Any

from shapely import Polygon, STRtree

from registry.domain.faults import Fault, Why

Ring = Sequence[tuple[float, float]]

METRES_PER_DEGREE = 111_320.0
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
    if not Polygon(ring).is_valid:
        raise Fault("boundary", Why.SELF_CROSSING)


def overlap(one: Ring, other: Ring) -> float:
    """Square metres that two valid grounds have in common."""
    return _overlap(Polygon(one), Polygon(other))


def _overlap(one: Polygon, other: Polygon) -> float:
    if not one.intersects(other):  # which most do not: that is soon known
        return 0.0
    common = one.intersection(other).area
    return common * METRES_PER_DEGREE**2 * cos(radians(one.exterior.coords[0][1]))


def overlapping(drawn: Mapping[str, Ring], standing: Mapping[str, Ring]) -> set[str]:
    """Which of the grids drawn now, by code, overlap one that was drawn before them or one that stands.

    A grid that is drawn anew gives up its old ground, unless it is refused: then that stays, and may stand in the way
    of others.
    """
    meets = _who_meets_whom(drawn, standing)
    refused: set[str] = set()
    while True:
        accepted = {(STANDING, code) for code in standing if code not in drawn or code in refused}
        found: set[str] = set()
        for code in drawn:
            if code in refused or not accepted.isdisjoint(meets[code]):
                found.add(code)
            else:
                accepted.add((DRAWN, code))
        if found == refused:
            return refused
        refused = found


STANDING, DRAWN = 0, 1


def _who_meets_whom(
    drawn: Mapping[str, Ring], standing: Mapping[str, Ring]
) -> Mapping[str, Collection[tuple[int, str]]]:
    """For each grid that is drawn, the grounds that it overlaps. Most are far away: an index finds the others."""
    names = [(STANDING, code) for code in standing] + [(DRAWN, code) for code in drawn]
    grounds = [Polygon(ring) for ring in (*standing.values(), *drawn.values())]
    meets: dict[str, list[tuple[int, str]]] = {code: [] for code in drawn}
    if not drawn:
        return meets
    # (shapely has no types)
    found: Any = STRtree(grounds).query(grounds[len(standing) :], predicate="intersects")  # pyright: ignore[reportUnknownMemberType]
    pairs: list[tuple[int, int]] = [(len(standing) + mine, other) for mine, other in found.T.tolist()]
    for one, other in pairs:
        if one != other and _overlap(grounds[one], grounds[other]) > TOLERANCE:
            meets[names[one][1]].append(names[other])
    return meets
