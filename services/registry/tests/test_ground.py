"""What makes a boundary one, and when two grids overlap."""

import pytest
from registry.domain.faults import Fault, Why
from registry.domain.ground import Ring, check_boundary, gaps, overlapping, square_metres, took_from
from shapely.geometry import shape

X, Y = 120.0, 30.0
STEP = 0.001
"""About 100 metres."""


def square(column: int, row: int, size: float = 1.0) -> Ring:
    left, low = X + column * STEP, Y + row * STEP
    right, high = left + size * STEP, low + size * STEP
    return [(left, low), (right, low), (right, high), (left, high), (left, low)]


def why(ring: Ring) -> Why:
    with pytest.raises(Fault) as refused:
        check_boundary(ring)
    return refused.value.why


def test_a_closed_ring_with_three_corners_is_a_boundary() -> None:
    check_boundary([(X, Y), (X + STEP, Y), (X, Y + STEP), (X, Y)])


def test_a_boundary_is_closed() -> None:
    assert why(square(0, 0)[:-1]) is Why.OPEN_RING


def test_a_boundary_has_three_corners() -> None:
    assert why([(X, Y), (X + STEP, Y), (X, Y), (X, Y)]) is Why.TOO_FEW_CORNERS


def test_a_boundary_does_not_cross_itself() -> None:
    a, b, c, d, _ = square(0, 0)
    assert why([a, c, b, d, a]) is Why.SELF_CROSSING


def test_a_boundary_drawn_along_one_line_holds_no_ground() -> None:
    assert why([(X, Y), (X + STEP, Y), (X + 2 * STEP, Y), (X, Y)]) is Why.SELF_CROSSING


def test_longitude_and_latitude_exchanged_lie_outside_china() -> None:
    assert why([(y, x) for x, y in square(0, 0)]) is Why.COORDINATES


def test_neighbours_that_share_a_road_do_not_overlap() -> None:
    assert overlapping({"G1": square(0, 0), "G2": square(1, 0)}, {}) == {}


def test_a_sliver_from_drawing_is_no_overlap_but_a_strip_of_ten_metres_is_and_is_shown() -> None:
    sliver = square(0, 0, 1 + 1e-6)
    assert overlapping({"G1": sliver, "G2": square(1, 0)}, {}) == {}
    found = overlapping({"G1": square(0, 0, 1.1), "G2": square(1, 0)}, {})
    assert found.keys() == {"G2"}
    assert square_metres(shape(found["G2"])) == pytest.approx(10 * 100, rel=0.2)


def test_the_one_drawn_first_keeps_its_ground() -> None:
    assert overlapping({"G1": square(0, 0, 2), "G2": square(1, 1, 2), "G3": square(2, 2, 2)}, {}).keys() == {"G2"}


def test_a_new_grid_may_not_overlap_one_that_stands() -> None:
    assert overlapping({"G2": square(1, 1, 2)}, {"G1": square(0, 0, 2)}).keys() == {"G2"}


def test_two_grids_may_exchange_their_ground() -> None:
    standing = {"G1": square(0, 0), "G2": square(1, 0)}
    assert overlapping({"G1": square(1, 0), "G2": square(0, 0)}, standing) == {}


def test_a_grid_that_may_not_be_redrawn_keeps_its_ground_against_others() -> None:
    standing = {"G1": square(0, 0), "G9": square(5, 5)}
    drawn = {"G2": square(0, 0), "G1": square(5, 5)}
    assert overlapping(drawn, standing).keys() == {"G1", "G2"}


def test_among_many_grids_the_one_that_overlaps_is_found() -> None:
    drawn = {f"{column}-{row}": square(column, row) for column in range(30) for row in range(30)}
    assert overlapping({**drawn, "over one": square(3, 3, 0.5)}, {}).keys() == {"over one"}
    assert overlapping({}, drawn) == {}


def test_ground_that_a_redrawing_leaves_is_a_gap_and_is_shown() -> None:
    [gap] = gaps({"G1": square(0, 0, 0.5)}, {"G1": square(0, 0)}, {"G2": square(1, 0)})
    assert square_metres(shape(gap)) == pytest.approx(0.75 * 111 * 96, rel=0.05)


def test_ground_that_a_neighbour_takes_over_is_no_gap() -> None:
    west, east = square(0, 0), square(1, 0)
    both = [(X, Y), (X + 2 * STEP, Y), (X + 2 * STEP, Y + STEP), (X, Y + STEP), (X, Y)]
    assert gaps({"G1": both}, {"G1": west, "G2": east}, {}) == []


def test_a_hole_that_grids_enclose_is_a_gap() -> None:
    ring = {f"{c}-{r}": square(c, r) for c in range(3) for r in range(3) if (c, r) != (1, 1)}
    [hole] = gaps(ring, {}, {})
    assert shape(hole).covers(shape({"type": "Point", "coordinates": (X + 1.5 * STEP, Y + 1.5 * STEP)}))
    assert gaps({**ring, "1-1": square(1, 1)}, {}, {}) == []


def test_a_grid_says_whose_ground_it_took() -> None:
    halves = {"west": square(0, 0), "east": square(1, 0)}
    both = [(X, Y), (X + 2 * STEP, Y), (X + 2 * STEP, Y + STEP), (X, Y + STEP), (X, Y)]
    assert took_from({"G1": both}, halves) == {"G1": ("east", "west")}
    assert took_from(halves, {"G1": both, "far": square(9, 9)}) == {"west": ("G1",), "east": ("G1",)}
