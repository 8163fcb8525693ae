"""Where people can be found: standard addresses (标准地址) of buildings, flats and shop fronts.

A building stands back from the roads in one of its grid's compounds (新村) and has the number of the
compound's gate; a shop front stands at the road and has a number of its own. Numbers rise along a street,
odd on the left, even on the right.
"""

from collections import defaultdict
from itertools import count
from typing import NamedTuple

from shapely import Point
from shapely.affinity import translate

from generator import DIVISION, chance
from generator.streets import GRIDS, Grid, grid_area, street_line, streets_of, wgs84

SET_BACK = 45
"""Metres from the middle of a road to the middle of a building."""
FRONT = 12
"""Metres from the middle of a road to a shop front."""
STAIRWELL = 14
"""Metres from one stairwell (单元) to the next."""
ROWS, ALONG = 50, 60
"""Metres between rows of houses, and between houses of a row."""

BESIDE = {
    "G3": ("maternity_hospital", "桑城妇幼保健院", 8, 1996),
    "G4": ("park", "河东公园", 1, 1998),
    "G5": ("elderly_centre", "南塘老年活动中心", 3, 1994),
    "G6": ("youth_centre", "竹影青少年宫", 4, 1999),
}
"""What brings the crowds, by grid: kind, name, floors, year."""


class Address(NamedTuple):
    """A row of `addresses.csv`."""

    address_ref: str
    division_code: str
    street: str
    number: int
    building: int | None
    unit: int | None
    floor: int | None
    room: int | None
    longitude: float
    latitude: float


class Building(NamedTuple):
    """A row of `buildings.csv`."""

    building_ref: str
    address_ref: str
    name: str
    kind: str
    floors: int
    built_year: int


class Premises(NamedTuple):
    """Everything that has an address."""

    addresses: list[Address]
    buildings: list[Building]
    flats: list[str]
    """Address references of all flats."""
    fronts: list[str]
    """Address references of all shop fronts."""


class _Site(NamedTuple):
    """Something at a street, before it has its number. Sites with the same gate get the same number."""

    gate: str
    street: str
    point: Point
    building: tuple[str, str, int, int] | None
    """Kind, name, floors, year; none for a shop front."""


def lay_out(seed: int) -> Premises:
    """Place the buildings and shop fronts in the grids, number their doors, and divide houses into flats."""
    rng = chance(seed, "premises")
    sites = [site for grid in GRIDS for site in (*_houses(grid, seed), *_fronts(grid, seed))]
    numbers = _door_numbers(sites)
    houses, others, shops = count(1), count(66), count(1)
    made = Premises([], [], [], [])
    for site in sites:
        number = numbers[site.gate]
        match site.building:
            case None:
                made.fronts.append(f"AF{next(shops):03}")
                made.addresses.append(_address(made.fronts[-1], site, number, site.point))
            case "residential", compound, floors, year:
                house = next(houses)
                ref, name = f"A{house:02}", f"{compound}{house}幢"
                made.buildings.append(Building(f"B{house:02}", ref, name, "residential", floors, year))
                made.addresses.append(_address(ref, site, number, site.point, house))
                flats = _flats(ref, site, number, house, floors, stairwells=rng.choice((3, 3, 4, 4, 4)))
                made.flats.extend(flat.address_ref for flat in flats)
                made.addresses.extend(flats)
            case kind, name, floors, year:
                ref = f"{next(others)}"
                made.buildings.append(Building(f"B{ref}", f"A{ref}", name, kind, floors, year))
                made.addresses.append(_address(f"A{ref}", site, number, site.point))
    return made


def _flats(ref: str, site: _Site, number: int, house: int, floors: int, stairwells: int) -> list[Address]:
    """Two flats on each floor of each stairwell; room 302 is the second on the third floor."""
    doors = [translate(site.point, STAIRWELL * (place - (stairwells - 1) / 2)) for place in range(stairwells)]
    return [
        _address(f"{ref}-{unit}-{room}", site, number, door, house, unit, floor, room)
        for unit, door in enumerate(doors, start=1)
        for floor in range(1, floors + 1)
        for room in (100 * floor + 1, 100 * floor + 2)
    ]


def _address(
    ref: str,
    site: _Site,
    number: int,
    point: Point,
    building: int | None = None,
    unit: int | None = None,
    floor: int | None = None,
    room: int | None = None,
) -> Address:
    return Address(ref, DIVISION, site.street, number, building, unit, floor, room, *wgs84(point, 6))


def _houses(grid: Grid, seed: int) -> list[_Site]:
    """The buildings of a grid, in rows that face south, as the 1990s built them."""
    rng = chance(seed, f"houses of {grid.code}")
    ground = grid_area(grid).buffer(-SET_BACK)
    west, south, east, north = ground.bounds
    plots = [
        Point(x, y)
        for y in range(int(north), int(south), -ROWS)
        for x in range(int(west), int(east), ALONG)
        if ground.contains(Point(x, y))
    ]
    beside = BESIDE.get(grid.code)
    chosen = sorted(rng.sample(range(len(plots)), grid.homes + (1 if beside else 0)))
    compound = grid.name_zh.removesuffix("网格") + "新村"
    at_the_edge = min(chosen, key=lambda plot: plots[plot].distance(grid_area(grid).exterior))
    sites: list[_Site] = []
    for plot in chosen:
        street = _nearest_street(grid, plots[plot])
        if beside and plot == at_the_edge:
            sites.append(_Site(beside[1], street, plots[plot], beside))
        else:
            home = ("residential", compound, rng.choice((5, 6, 6, 6, 7)), rng.randrange(1990, 2000))
            sites.append(_Site(f"{compound} {street}", street, plots[plot], home))
    return sites


def _fronts(grid: Grid, seed: int) -> list[_Site]:
    """The shop fronts of a grid, spread along the roads round it."""
    rng = chance(seed, f"fronts of {grid.code}")
    kerb = grid_area(grid).buffer(-FRONT, join_style="mitre").exterior
    step = kerb.length / grid.fronts
    points = [kerb.interpolate((place + rng.uniform(0.1, 0.9)) * step) for place in range(grid.fronts)]
    return [
        _Site(f"{grid.code} front {place}", _nearest_street(grid, point), point, None)
        for place, point in enumerate(points)
    ]


def _nearest_street(grid: Grid, point: Point) -> str:
    return min(streets_of(grid), key=lambda street: street_line(street).distance(point))


def _door_numbers(sites: list[_Site]) -> dict[str, int]:
    """The number of each gate: rising along its street, odd on the left and even on the right."""
    sides: defaultdict[tuple[str, bool], dict[str, float]] = defaultdict(dict)
    for site in sites:
        line = street_line(site.street)
        along = min(max(line.project(site.point), 1), line.length - 1)
        here, ahead = line.interpolate(along - 1), line.interpolate(along + 1)
        left = (ahead.x - here.x) * (site.point.y - here.y) > (ahead.y - here.y) * (site.point.x - here.x)
        sides[site.street, left].setdefault(site.gate, along)
    return {
        gate: 2 * place - (1 if left else 0)
        for (_, left), gates in sides.items()
        for place, gate in enumerate(sorted(gates, key=lambda gate: gates[gate]), start=1)
    }
