"""The chain's head stands for every row before it, in order, with all that the row says."""

from datetime import UTC, datetime, timedelta

import pytest
from events import Position
from events.chain import beginning
from events.event import Raw

AT = datetime(2026, 11, 25, 9, 30, 0, 123456, tzinfo=UTC)
ROW = Raw(Position(1, 800, 45), "case-7", 3, "x.y.z.done.v1", b"{}", AT, "li", "corr", "cause", "00-ab-cd-01")
OTHER = ROW._replace(position=Position(1, 801, 46), version=4)
HEAD = beginning("desk")


@pytest.mark.parametrize(
    "changed",
    [
        ROW._replace(position=Position(2, 800, 45)),
        ROW._replace(position=Position(1, 801, 45)),
        ROW._replace(position=Position(1, 800, 46)),
        ROW._replace(stream="case-8"),
        ROW._replace(version=4),
        ROW._replace(type="x.y.z.done.v2"),
        ROW._replace(data=b"{ }"),
        ROW._replace(recorded_at=AT + timedelta(microseconds=1)),
        ROW._replace(actor="wang"),
        ROW._replace(correlation="none"),
        ROW._replace(causation=None),
        ROW._replace(traceparent=""),
        ROW._replace(actor="lic", correlation="orr"),
        ROW._replace(causation=None, traceparent="cause00-ab-cd-01"),
    ],
)
def test_whatever_a_row_says_changes_the_head(changed: Raw) -> None:
    assert HEAD.after([changed]).hash != HEAD.after([ROW]).hash


def test_the_order_of_rows_and_each_of_them_counts() -> None:
    heads = [HEAD.after(rows).hash for rows in ([], [ROW], [OTHER], [ROW, OTHER], [OTHER, ROW], [ROW, ROW])]
    assert len(set(heads)) == len(heads)


def test_it_does_not_matter_in_how_many_steps_one_comes_there() -> None:
    assert HEAD.after([ROW]).after([OTHER]) == HEAD.after([ROW, OTHER])
    assert HEAD.after([ROW, OTHER]).rows == 2
    assert HEAD.after([ROW, OTHER]).position == OTHER.position


def test_the_same_moment_in_another_zone_is_the_same() -> None:
    elsewhere = ROW._replace(recorded_at=AT.astimezone(tz=None))
    assert HEAD.after([elsewhere]) == HEAD.after([ROW])


def test_no_service_can_show_anothers_chain() -> None:
    assert beginning("hall").hash != HEAD.hash


def test_the_form_is_what_the_documentation_says() -> None:
    """Who keeps heads elsewhere computes them with a program of their own: this must not change."""
    assert beginning("desk").hash.hex() == "c95c0393cfdf9c8e7b52a06f7a31c28ad217212cb1c8f3e40e3c5176fff362e0"
    assert HEAD.after([ROW]).hash.hex() == "1b322e61fbc9e5fdd03db449b1b9838ac2aeda30a528658fedf9bc3fab1cd03d"
