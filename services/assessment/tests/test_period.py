"""A month is published once, when it is over in China, and then stays as it is."""

from datetime import UTC, datetime

import pytest
from assessment.domain.indicators import Outcome, board
from assessment.domain.period import (
    CHINA,
    PERIOD,
    AlreadyPublished,
    MonthNotOver,
    NothingToPublish,
    Publish,
    month_of,
)
from contracts.assessment import PeriodPublished
from events.testing import given

OUTCOMES = (Outcome("li", "G1", 10, 9, 8, 4, 18), Outcome("wang", "G2", 3, 1, 2))
DECEMBER = datetime(2026, 12, 1, tzinfo=CHINA)
POSTED = board(OUTCOMES)
PUBLISHED = PeriodPublished(period="2026-11", method=POSTED.method, scores=list(POSTED.scores), at=DECEMBER)


def test_a_month_that_is_over_is_published_with_its_scores():
    given(PERIOD).when(Publish("2026-11", OUTCOMES, at=DECEMBER)).then(PUBLISHED)


def test_a_month_is_published_once_whatever_became_known_later():
    later = (*OUTCOMES, Outcome("zhao", "G3", 5, 5, 5))
    given(PERIOD, PUBLISHED).when(Publish("2026-11", later, at=DECEMBER)).refused(AlreadyPublished, "stay as they are")


@pytest.mark.parametrize("period", ["2026-12", "2027-01"])
def test_a_month_that_still_runs_is_not_published(period: str):
    given(PERIOD).when(Publish(period, OUTCOMES, at=DECEMBER)).refused(MonthNotOver, "not over in China")


def test_the_month_ends_at_midnight_in_china_not_in_greenwich():
    last_hour = datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)
    given(PERIOD).when(Publish("2026-11", OUTCOMES, at=last_hour)).refused(MonthNotOver)
    midnight = datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert given(PERIOD).when(Publish("2026-11", OUTCOMES, at=midnight)).events
    assert (month_of(last_hour), month_of(midnight)) == ("2026-11", "2026-12")


def test_an_empty_month_is_not_posted():
    given(PERIOD).when(Publish("2026-11", (), at=DECEMBER)).refused(NothingToPublish, "2026-11")
    idle = Outcome("li", "G1", 0, 0, 0)
    given(PERIOD).when(Publish("2026-11", (idle,), at=DECEMBER)).refused(NothingToPublish)


def test_a_published_month_is_what_was_published():
    assert PERIOD.fold([PUBLISHED]) == PUBLISHED
