"""Which times of a phone are believed, and what counts as when something was done."""

from datetime import UTC, datetime, timedelta

import pytest
from contracts.common import DeadlineClock, Place
from contracts.grid_tasks import CaseHandedIn, CaseStarted
from grid_tasks.domain.commands import Start
from grid_tasks.domain.morning import Pressing, left_minutes, near, pressing
from grid_tasks.domain.told_later import REMEMBERED, SLACK, Judgement, judged, when_done
from hypothesis import given
from hypothesis import strategies as st

from .trade import DAYS, ELEVEN, HERE, ID, LI, NINE, NOON, ONE, TEN, TWO, case, dispatched, hand_in, reported
from .trade import accepted as accepted_at_nine

MOMENTS = st.datetimes(timezones=st.just(UTC))
AROUND = st.timedeltas(timedelta(days=-40), timedelta(days=40)).map(lambda it: NOON + it)


@given(told=MOMENTS | st.none(), sent_at=MOMENTS, contact=AROUND | st.none(), now=AROUND)
def test_nothing_is_believed_to_be_done_before_the_last_contact_or_after_now(
    told: datetime | None, sent_at: datetime, contact: datetime | None, now: datetime
) -> None:
    found = judged(told, sent_at, contact, now)
    if found.done_at:
        assert contact
        assert contact <= found.done_at <= max(now, contact)
        assert now - contact <= REMEMBERED
    assert (found.done_at is None) is (found.why not in (Judgement.BELIEVED, Judgement.SET_RIGHT))


@given(off=st.timedeltas(timedelta(days=-10000), timedelta(days=10000)), ago=st.integers(0, 300))
def test_a_clock_that_is_wrong_by_whatever_is_set_right(off: timedelta, ago: int) -> None:
    """A phone that was last in contact at nine tells at two what it did so many minutes before."""
    done = TWO - timedelta(minutes=ago)
    assert judged(done + off, TWO + off, NINE, TWO).done_at == done


@pytest.mark.parametrize(
    ("told", "contact", "why"),
    [
        (None, NINE, Judgement.NONE),
        (TEN, NINE, Judgement.BELIEVED),
        (NINE - SLACK, NINE, Judgement.BELIEVED),
        (NINE - 2 * SLACK, NINE, Judgement.BEFORE_LAST_CONTACT),
        (ONE + 2 * SLACK, NINE, Judgement.IN_THE_FUTURE),
        (TEN, None, Judgement.NO_CONTACT),
        (TEN, ONE - REMEMBERED - SLACK, Judgement.NO_CONTACT),
        (datetime.min.replace(tzinfo=UTC), NINE, Judgement.BEFORE_LAST_CONTACT),
        (datetime.max.replace(tzinfo=UTC), NINE, Judgement.IN_THE_FUTURE),
    ],
)
def test_each_time_is_judged(told: datetime | None, contact: datetime | None, why: Judgement) -> None:
    assert judged(told, ONE, contact, ONE).why is why


def test_a_step_is_done_after_what_came_before_it_and_no_later_than_it_arrives() -> None:
    assert when_done(TEN, ONE, NINE, ELEVEN, None) == ELEVEN
    assert when_done(TEN, ONE) == TEN
    assert when_done(TWO, ONE, NINE) is None
    assert when_done(None, ONE, NINE) is None


def test_who_hands_in_before_the_deadline_and_tells_it_later_is_on_time() -> None:
    """Dispatched at nine for two hours; done at ten, and told at one."""
    at_work = (reported, accepted_at_nine, dispatched(), CaseStarted(case=ID, worker=LI, done_at=NINE, at=ONE))
    [event] = case(*at_work).when(hand_in(LI, ONE, done_at=TEN)).events
    assert isinstance(event, CaseHandedIn)
    assert (event.on_time, event.done_at, event.at) == (True, TEN, ONE)


def test_nobody_hands_in_before_they_began() -> None:
    at_work = (reported, accepted_at_nine, dispatched(), CaseStarted(case=ID, worker=LI, at=NOON))
    [event] = case(*at_work).when(hand_in(LI, ONE, done_at=TEN)).events
    assert isinstance(event, CaseHandedIn)
    assert (event.on_time, event.done_at) == (False, NOON)
    [begun] = case(reported, accepted_at_nine, dispatched(at=TEN)).when(Start(LI, NOON, NINE)).events
    assert isinstance(begun, CaseStarted)
    assert begun.done_at == TEN, "nor begins before they had it"


# The morning list.


@pytest.mark.parametrize(
    ("due", "how"),
    [
        (None, Pressing.STANDING),
        (NINE, Pressing.LATE),
        (TEN, Pressing.WARNED),
        (TWO, Pressing.TODAY),
        (TWO + timedelta(days=1), Pressing.LATER),
    ],
)
def test_how_a_case_presses(due: datetime | None, how: Pressing) -> None:
    now = NINE + timedelta(minutes=45)
    warn_at = due and due - timedelta(minutes=30)
    assert pressing(due, warn_at, now, DAYS) is how


def test_what_is_left_counts_in_the_cases_own_hours() -> None:
    friday, monday = (datetime(2026, 11, day, 8, 0, tzinfo=UTC) for day in (27, 30))  # four in the afternoon in China
    assert left_minutes(DeadlineClock.CLOCK_HOURS, monday, friday, DAYS) == 3 * 24 * 60
    assert left_minutes(DeadlineClock.WORKING_HOURS, monday, friday, DAYS) == 450
    assert left_minutes(DeadlineClock.WORKING_HOURS, friday, monday, DAYS) == -450
    assert left_minutes(DeadlineClock.CLOCK_HOURS, None, friday, DAYS) is None


def test_what_is_near_is_nearest_first() -> None:
    places = [HERE, None, *(Place(longitude=HERE.longitude + east, latitude=HERE.latitude) for east in (0.001, 0.0002))]
    assert near([*places, Place(longitude=HERE.longitude, latitude=HERE.latitude + 0.01)]) == [
        [3, 2],
        [],
        [3, 0],
        [0, 2],
        [],
    ]
