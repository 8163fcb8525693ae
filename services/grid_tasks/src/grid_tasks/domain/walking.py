"""A way on foot that is short: the nearest next (最近邻), then improved as long as turning a piece of it around (2-opt)
or moving a piece elsewhere (Or-opt) makes it shorter.

The way begins where it likes and ends where it likes. For the dozens of buildings of a round this comes within a few
per cent of the shortest, in milliseconds; a solver (OR-Tools, pyvrp) would weigh more than the whole service.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import cos, hypot, radians

from contracts.common import Place

METRES_PER_DEGREE = 111_320.0
LONGEST_PIECE = 3
"""Buildings that Or-opt moves together."""
ROUNDS = 50
"""How many changes there are at most for each building; it ends by itself long before."""
A_CENTIMETRE = 0.01
"""What is not shorter by more counts as equal, so that rounding leads nobody in circles."""


def metres(one: Place, other: Place) -> float:
    """How far apart, as the crow flies; right to a thousandth within a city."""
    across = METRES_PER_DEGREE * cos(radians((one.latitude + other.latitude) / 2))
    return hypot((one.longitude - other.longitude) * across, (one.latitude - other.latitude) * METRES_PER_DEGREE)


def length(places: Sequence[Place], order: Sequence[int]) -> float:
    """Metres from the first to the last."""
    return sum(metres(places[one], places[two]) for one, two in pairwise(order))


def nearest_first(places: Sequence[Place], start: int = 0) -> list[int]:
    """From this one always to the nearest that is left; of equally near ones to the first."""
    order, left = [start], [it for it in range(len(places)) if it != start]
    while left:
        here = places[order[-1]]
        nearest = min(left, key=lambda it: (metres(here, places[it]), it))
        left.remove(nearest)
        order.append(nearest)
    return order


def improved(places: Sequence[Place], order: Sequence[int]) -> list[int]:
    """The same ones in an order that is no longer; the first stays the first."""
    apart = [[metres(one, other) for other in places] for one in places]
    best = list(order)
    for _ in range(ROUNDS * max(1, len(best))):
        shorter = _turned(apart, best) or _moved(apart, best)
        if shorter is None:
            break
        best = shorter
    return best


def short_way(places: Sequence[Place]) -> list[int]:
    """An order in which the way is short; begins at the westernmost (of those the southernmost), so that the same
    places are gone through in the same order. Empty for none."""
    if not places:
        return []
    start = min(range(len(places)), key=lambda it: (places[it].longitude, places[it].latitude, it))
    return improved(places, nearest_first(places, start))


def _turned(apart: Sequence[Sequence[float]], order: list[int]) -> list[int] | None:
    """The first way that is shorter with a piece of it turned around."""
    size = len(order)
    for first in range(1, size - 1):
        for last in range(first + 2, size + 1):
            before, head, tail = order[first - 1], order[first], order[last - 1]
            gain = apart[before][head] - apart[before][tail]
            if last < size:
                gain += apart[tail][order[last]] - apart[head][order[last]]
            if gain > A_CENTIMETRE:
                return order[:first] + order[first:last][::-1] + order[last:]
    return None


def _moved(apart: Sequence[Sequence[float]], order: list[int]) -> list[int] | None:
    """The first way that is shorter with a small piece of it elsewhere."""
    size = len(order)
    for piece in range(1, LONGEST_PIECE + 1):
        for first in range(1, size - piece + 1):
            taken, left = order[first : first + piece], order[:first] + order[first + piece :]
            freed = _joined(apart, order[first - 1], taken, order[first + piece : first + piece + 1])
            for to in range(1, len(left) + 1):
                if to != first and freed - _joined(apart, left[to - 1], taken, left[to : to + 1]) > A_CENTIMETRE:
                    return left[:to] + taken + left[to:]
    return None


def _joined(apart: Sequence[Sequence[float]], before: int, piece: list[int], after: list[int]) -> float:
    """How much longer the way is with this piece there (without what the piece itself is long)."""
    longer = apart[before][piece[0]]
    if after:
        longer += apart[piece[-1]][after[0]] - apart[before][after[0]]
    return longer
