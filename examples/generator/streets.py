"""The map of the community: its streets, and the six grids that they bound.

Crossings are given in metres east and north of the centre. Grids share their crossings, so neighbours
share every metre of border: no gap, no overlap. The sketch is scaled to the area in the paper, and
carried to WGS-84 by the ellipsoid's radii at the centre, which over a kilometre is right to a centimetre.
"""

from math import cos, degrees, pi, radians, sin, sqrt
from typing import NamedTuple

from shapely import LineString, Point, Polygon

AREA = 1_250_000
"""Square metres, from the paper."""

CENTRE_LONGITUDE, CENTRE_LATITUDE = 120.1, 30.87
"""Where the invented map is laid down; none of its streets runs there."""

SKETCH = {
    # round the community, clockwise from the north-west
    "NW": (-620, 430), "N1": (-250, 470), "N2": (150, 500), "NE": (590, 420),
    "E1": (630, -40), "SE": (560, -450), "S1": (260, -500), "S2": (-230, -490),
    "SW": (-600, -430), "W1": (-660, -20),
    # inside, from west to east; most of them are bends or T-junctions
    "P": (-430, 40), "T": (-300, 290), "A": (-220, 110), "D": (-190, -60), "U": (-260, -260),
    "Q": (20, -110), "F": (130, -60), "V": (210, 260), "X": (190, -210), "G": (250, 30), "R": (420, 20),
}  # fmt: skip

STREETS = {
    "蚕花路": "NW N1 N2 NE",
    "河东路": "NE E1 SE",
    "南塘路": "SW S2 S1 SE",
    "桑园路": "NW W1 SW",
    "书院路": "N1 T A D U S2",
    "新风路": "W1 P A",
    "和平路": "D Q F G R E1",
    "石桥路": "N2 V F",
    "竹影路": "G X S1",
}


class Grid(NamedTuple):
    """A grid (网格): what stands in `grids.geojson`, and how much of the community lies in it."""

    code: str
    name_zh: str
    name_en: str
    border: str
    """Crossings round the grid, anticlockwise as RFC 7946 wants it."""
    homes: int
    """Residential buildings."""
    fronts: int
    """Shop fronts."""


GRIDS = (
    Grid("G1", "桑园网格", "Sangyuan grid", "NW W1 P A T N1", 11, 19),
    Grid("G2", "新风网格", "Xinfeng grid", "W1 SW S2 U D A P", 12, 18),
    Grid("G3", "书院网格", "Shuyuan grid", "N1 T A D Q F V N2", 12, 25),
    Grid("G4", "河东网格", "Hedong grid", "N2 V F G R E1 NE", 11, 22),
    Grid("G5", "南塘网格", "Nantang grid", "D U S2 S1 X G F Q", 10, 21),
    Grid("G6", "竹影网格", "Zhuying grid", "G X S1 SE E1 R", 9, 20),
)


def _path(crossings: str) -> list[tuple[float, float]]:
    return [SKETCH[name] for name in crossings.split()]


_SCALE = sqrt(AREA / sum(Polygon(_path(grid.border)).area for grid in GRIDS))

_SEMI_MAJOR, _ECCENTRICITY_SQUARED = 6378137.0, 0.00669437999014  # WGS-84
_STRETCH = 1 - _ECCENTRICITY_SQUARED * sin(radians(CENTRE_LATITUDE)) ** 2
_NORTHWARD_RADIUS = _SEMI_MAJOR * (1 - _ECCENTRICITY_SQUARED) / _STRETCH**1.5
_EASTWARD_RADIUS = _SEMI_MAJOR / sqrt(_STRETCH) * cos(CENTRE_LATITUDE * pi / 180)


def street_line(name: str) -> LineString:
    """The middle of a street, in metres."""
    return LineString([(x * _SCALE, y * _SCALE) for x, y in _path(STREETS[name])])


def grid_area(grid: Grid) -> Polygon:
    """The ground of a grid, in metres."""
    return Polygon([(x * _SCALE, y * _SCALE) for x, y in _path(grid.border)])


def streets_of(grid: Grid) -> list[str]:
    """The streets that bound a grid."""
    border = grid_area(grid).exterior
    return [name for name in STREETS if street_line(name).intersection(border).length > 0]


def wgs84(point: Point, decimals: int) -> tuple[float, float]:
    """Longitude and latitude in degrees; six decimals are a decimetre, seven a centimetre."""
    longitude = CENTRE_LONGITUDE + degrees(point.x / _EASTWARD_RADIUS)
    latitude = CENTRE_LATITUDE + degrees(point.y / _NORTHWARD_RADIUS)
    return round(longitude, decimals), round(latitude, decimals)


def feature(grid: Grid) -> dict[str, object]:
    """The grid as a GeoJSON feature (RFC 7946), its first corner repeated at the end."""
    ring = [wgs84(Point(corner), 7) for corner in grid_area(grid).exterior.coords]
    return {
        "type": "Feature",
        "properties": {"code": grid.code, "name_zh": grid.name_zh, "name_en": grid.name_en},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
