"""The simulated clock never jumps and never goes back, whatever it is told."""

from datetime import UTC, datetime, timedelta

import pytest
from edge.simulation import Simulation, simulated, trade_time
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

MORNING = datetime(2026, 11, 23, 8, tzinfo=UTC)
ANCHOR = datetime(2026, 11, 24, 3, tzinfo=UTC)


def lasting(start: datetime, anchor: float, speed: float, span: timedelta) -> Simulation:
    return Simulation(start=start, anchor=anchor, speed=speed, until=start + span)


simulations = st.builds(
    lasting,
    start=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    anchor=st.floats(0, 2**32),
    speed=st.floats(0.01, 10_000),
    span=st.timedeltas(timedelta(0), timedelta(days=400)),
)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


def at(simulation: Simulation, seconds: float) -> datetime:
    return trade_time(simulation, datetime.fromtimestamp(simulation.anchor, UTC) + timedelta(seconds=seconds))


@given(simulations, moments, moments)
def test_it_never_goes_back(simulation: Simulation, one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    assert trade_time(simulation, earlier) <= trade_time(simulation, later)


@given(simulations, moments, st.timedeltas(timedelta(0), timedelta(seconds=10)))
def test_it_never_jumps(simulation: Simulation, moment: datetime, step: timedelta) -> None:
    moved = trade_time(simulation, moment + step) - trade_time(simulation, moment)
    assert moved <= step * max(simulation.speed, 1) + timedelta(milliseconds=1)


@given(simulations, st.floats(0, 10_000_000))
def test_it_runs_at_its_speed_and_then_as_time_does(simulation: Simulation, seconds: float) -> None:
    told = at(simulation, seconds)
    if told < simulation.until:
        expected = simulation.start + timedelta(seconds=seconds * simulation.speed)
    else:
        lasted = (simulation.until - simulation.start) / simulation.speed
        expected = simulation.until + timedelta(seconds=seconds) - lasted
    assert abs(told - expected) <= timedelta(milliseconds=1) * max(simulation.speed, 1)


def test_a_working_day_in_a_minute() -> None:
    day = Simulation(start=MORNING, anchor=ANCHOR.timestamp(), speed=600, until=MORNING + timedelta(hours=10))
    assert at(day, -5) == MORNING
    assert at(day, 0) == MORNING
    assert at(day, 30) == MORNING + timedelta(hours=5)
    assert at(day, 60) == MORNING + timedelta(hours=10)
    assert at(day, 70) == MORNING + timedelta(hours=10, seconds=10)
    assert simulated(day, lambda: ANCHOR + timedelta(seconds=6))() == MORNING + timedelta(hours=1)


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(ValidationError, match="until must not be before start"):
        Simulation(start=MORNING, anchor=0, speed=1, until=MORNING - timedelta(seconds=1))
