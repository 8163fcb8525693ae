"""The ground of a grid, as far as a case needs it."""

from collections.abc import Sequence
from itertools import pairwise

from contracts.common import Place


def inner_point(ring: Sequence[tuple[float, float]]) -> Place:
    """A point well inside a simple polygon, however it is bent: in the middle of the widest stretch of one line of
    latitude. The ring may be closed or not."""
    heights = sorted({y for _, y in ring})
    # Between two corners' heights, where the line meets edges only, and each from one side to the other.
    low, high = max(pairwise(heights), key=lambda it: it[1] - it[0])
    middle = (low + high) / 2
    crossings = sorted(
        x + (middle - y) * (other_x - x) / (other_y - y)
        for (x, y), (other_x, other_y) in pairwise([*ring, ring[0]])
        if (y < middle) != (other_y < middle)
    )
    west, east = max(zip(crossings[::2], crossings[1::2], strict=True), key=lambda it: it[1] - it[0])
    return Place(longitude=(west + east) / 2, latitude=middle)
